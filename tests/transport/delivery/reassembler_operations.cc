// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/delivery/reassembler_operations.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "tests/transport/delivery/operation_bytes.h"
#include "transport/delivery/reassembler.h"

namespace godwit {
namespace {

using Kind = Reassembler::Arrival::Kind;

constexpr uint64_t kWindowBytes = 40'000;
constexpr uint64_t kMaxOffset = 400'000;

class NaiveStream {
 public:
  Result OnEnd(uint64_t end, bool is_fin) {
    if (final_size.has_value() && is_fin && end != *final_size) return kFinalSizeChanged;
    if (final_size.has_value() && end > *final_size) return kStreamDataBeyondFinalSize;
    if (is_fin && end < highest) return kFinalSizeBelowReceivedData;
    if (is_fin) final_size = end;
    highest = std::max(highest, end);
    return Result::Ok();
  }

  // Whether a byte that is known and not yet in order would change.
  bool Contradicts(uint64_t offset, std::span<const uint8_t> data) const {
    for (size_t i = 0; i < data.size(); ++i) {
      const uint64_t at = offset + i;
      if (at >= in_order_end && IsKnown(at) && values_[at] != data[i]) return true;
    }
    return false;
  }

  // How many bytes were new.
  size_t Store(uint64_t offset, std::span<const uint8_t> data) {
    size_t new_count = 0;
    values_.resize(std::max<size_t>(values_.size(), offset + data.size()));
    is_known_.resize(values_.size());
    for (size_t i = 0; i < data.size(); ++i) {
      if (is_known_[offset + i] != 0) continue;
      is_known_[offset + i] = 1;
      values_[offset + i] = data[i];
      ++new_count;
    }
    buffered += new_count;
    while (IsKnown(in_order_end)) ++in_order_end;
    return new_count;
  }

  const uint8_t* at(uint64_t offset) const { return &values_[offset]; }

  std::optional<uint64_t> final_size;
  uint64_t highest = 0;
  uint64_t read = 0;
  uint64_t in_order_end = 0;
  uint64_t buffered = 0;

 private:
  bool IsKnown(uint64_t offset) const {
    return offset < is_known_.size() && is_known_[offset] != 0;
  }

  std::vector<uint8_t> values_;
  std::vector<uint8_t> is_known_;
};

class Run {
 public:
  explicit Run(std::span<const uint8_t> input) : input_(input) {}

  size_t Execute() {
    size_t operation_count = 0;
    bool is_open = true;
    while (is_open && !input_.empty()) {
      is_open = Step();
      ++operation_count;
      // After an error the arrival is unspecified, but the state is sound.
      reassembler_.CheckInvariants();
      if (is_open) Compare();
    }
    return operation_count;
  }

 private:
  // False if the peer broke a rule.
  bool Step() {
    const uint8_t operation = input_.Next();
    switch (operation % 16) {
      case 11:
        EndOfBatch();
        return true;
      case 12:
      case 13:
        Consume(operation / 16);
        return true;
      case 14:
        return operation < 0xe0 || input_.Next() % 16 != 0 || OnFinalSize();
      case 15:
        if (operation >= 0xe0 && input_.Next() % 16 == 0) Discard();
        return true;
      default:
        return OnSegment(operation % 16, operation / 16);
    }
  }

  bool OnSegment(uint8_t place, uint8_t flavour) {
    const uint64_t size = input_.NextSize();
    uint64_t offset = model_.in_order_end;
    if (place >= 4) offset += input_.Next() * uint64_t{place} * 16;
    if (place == 4) offset = model_.read + input_.Next();
    if (place == 5) offset = std::max(model_.highest, offset);
    if (place == 6) offset -= std::min<uint64_t>(offset, input_.Next());
    const bool is_fin = flavour == 15 && input_.Next() % 32 == 0;
    const bool is_wrong = flavour == 14 && input_.Next() % 64 == 0;
    if (offset + size > std::min(model_.read + kWindowBytes, kMaxOffset)) return true;

    std::vector<uint8_t>& datagram = datagrams_.emplace_back(size);
    for (size_t i = 0; i < size; ++i) datagram[i] = StreamByteAt(offset + i);
    if (is_wrong && size != 0) datagram[input_.Next() % size] ^= 0x40;
    return OnSegment({offset, datagram, is_fin});
  }

  bool OnSegment(const ReceivedSegment& segment) {
    Reassembler::Arrival arrival;
    const Result result = reassembler_.OnSegment(segment, pool_, arrival);

    const Result expected = Expect(segment);
    GODWIT_CHECK(result == expected);
    if (!result.ok()) return false;
    const uint64_t end_before = model_.in_order_end;
    const size_t new_count = is_discarded_ ? 0 : model_.Store(segment.offset_bytes, segment.data);
    GODWIT_CHECK_EQ(new_count == 0, arrival.kind == Kind::kNothingNew);
    if (is_discarded_) return true;
    GODWIT_CHECK_EQ(arrival.newly_readable_bytes, model_.in_order_end - end_before);
    if (arrival.kind == Kind::kInOrder) {
      GODWIT_CHECK_EQ(arrival.in_order.size(), arrival.newly_readable_bytes);
      GODWIT_CHECK(arrival.in_order.data() + arrival.in_order.size() ==
                   segment.data.data() + segment.data.size());
    } else {
      GODWIT_CHECK(arrival.in_order.empty());
    }
    return true;
  }

  Result Expect(const ReceivedSegment& segment) {
    const Result result = model_.OnEnd(segment.offset_bytes + segment.data.size(), segment.is_fin);
    if (result.ok() && !is_discarded_ && model_.Contradicts(segment.offset_bytes, segment.data)) {
      return kStreamDataChanged;
    }
    return result;
  }

  bool OnFinalSize() {
    const uint64_t final_size = model_.highest + input_.NextSize() - input_.Next() % 2;
    if (final_size > model_.read + kWindowBytes) return true;
    const Result result = reassembler_.OnFinalSize(final_size);
    GODWIT_CHECK(result == model_.OnEnd(final_size, true));
    return result.ok();
  }

  // What nobody read is kept, and the memory of the datagrams gets another use.
  void EndOfBatch() {
    reassembler_.KeepBorrowed(pool_);
    GODWIT_CHECK(!reassembler_.has_borrowed());
    for (std::vector<uint8_t>& datagram : datagrams_) std::ranges::fill(datagram, 0xee);
    datagrams_.clear();
  }

  void Consume(uint8_t amount) {
    uint64_t count = reassembler_.readable_bytes();
    if (amount < 12) count = std::min<uint64_t>(count, input_.NextSize());
    reassembler_.Consume(count, pool_);
    model_.read += count;
    model_.buffered -= count;
  }

  void Discard() {
    reassembler_.Discard(pool_);
    is_discarded_ = true;
    model_.buffered = 0;
    GODWIT_CHECK_EQ(reassembler_.allocated_bytes(), 0);
  }

  void Compare() const {
    GODWIT_CHECK_EQ(reassembler_.highest_received(), model_.highest);
    GODWIT_CHECK(reassembler_.final_size() == model_.final_size);
    GODWIT_CHECK_EQ(reassembler_.buffered_bytes(), model_.buffered);
    if (is_discarded_) {
      GODWIT_CHECK_EQ(reassembler_.readable_bytes(), 0);
      return;
    }
    GODWIT_CHECK_EQ(reassembler_.read_offset(), model_.read);
    GODWIT_CHECK_EQ(reassembler_.in_order_end(), model_.in_order_end);
    GODWIT_CHECK_EQ(reassembler_.has_all_data(), model_.in_order_end == model_.final_size);
    GODWIT_CHECK_EQ(reassembler_.is_consumed(), model_.read == model_.final_size);
    GODWIT_CHECK_LE(reassembler_.allocated_bytes(),
                    (kWindowBytes / kReceiveBlockBytes + 2) * sizeof(ReceiveBlock));
    ComparePeek();
  }

  void ComparePeek() const {
    std::array<std::span<const uint8_t>, kMaxBorrowedViews + 64> views;
    const size_t view_count = reassembler_.Peek(views);
    uint64_t offset = model_.read;
    for (const std::span<const uint8_t> view : std::span(views).first(view_count)) {
      GODWIT_CHECK(!view.empty());
      GODWIT_CHECK_LE(offset + view.size(), model_.in_order_end);
      GODWIT_CHECK_EQ(std::memcmp(view.data(), model_.at(offset), view.size()), 0);
      offset += view.size();
    }
    GODWIT_CHECK_EQ(offset, model_.in_order_end);
  }

  OperationBytes input_;
  ReceiveBlockPool pool_{4};
  Reassembler reassembler_;
  NaiveStream model_;
  bool is_discarded_ = false;
  std::deque<std::vector<uint8_t>> datagrams_;
};

}  // namespace

size_t RunReassemblerOperations(std::span<const uint8_t> input) { return Run(input).Execute(); }

}  // namespace godwit
