// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/delivery/send_buffer_operations.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/limits.h"
#include "tests/transport/delivery/operation_bytes.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/stream_range.h"

namespace godwit {
namespace {

constexpr uint64_t kWindowBytes = 40'000;

enum State : uint8_t { kUnsent, kInFlight, kLost, kAcked };

class NaiveBuffer {
 public:
  uint64_t written_end() const { return states_.size(); }

  void Append(size_t size) { states_.resize(states_.size() + size, kUnsent); }

  std::optional<StreamRange> Next(const SendBuffer::Limits& limits) const {
    uint64_t begin = FirstOf(kLost);
    if (begin == written_end()) begin = sent_end;
    uint64_t end = begin;
    while (end - begin < limits.max_bytes && end < written_end() && CanSend(begin, end, limits)) {
      ++end;
    }
    const bool is_fin_due = fin == kUnsent || fin == kLost;
    if (begin == end && !(begin == written_end() && is_finished && is_fin_due)) {
      return std::nullopt;
    }
    return RangeOf(begin, end);
  }

  std::optional<StreamRange> OldestUnacked(uint64_t max_bytes) const {
    const uint64_t begin = acked_prefix;
    uint64_t end = begin;
    while (end - begin < max_bytes && end < sent_end && states_[end] != kAcked) ++end;
    const bool is_fin_out = is_finished && (fin == kInFlight || fin == kLost);
    if (begin == end && !(begin == sent_end && is_fin_out)) return std::nullopt;
    return RangeOf(begin, end);
  }

  uint64_t OnSent(const StreamRange& range) {
    const uint64_t sent_before = sent_end;
    Change(range, {kUnsent, kLost}, kInFlight);
    if (range.is_fin && fin != kAcked) fin = kInFlight;
    sent_end = std::max(sent_end, range.end_bytes());
    return sent_end - sent_before;
  }

  uint64_t OnAcked(const StreamRange& range) {
    if (range.is_fin) fin = kAcked;
    const uint64_t count = Change(range, {kInFlight, kLost}, kAcked);
    acked_count += count;
    while (acked_prefix < sent_end && states_[acked_prefix] == kAcked) ++acked_prefix;
    return count;
  }

  uint64_t OnLost(const StreamRange& range) {
    if (range.is_fin && fin == kInFlight) fin = kLost;
    return Change(range, {kInFlight}, kLost);
  }

  uint64_t sent_end = 0;
  uint64_t acked_prefix = 0;
  uint64_t acked_count = 0;
  uint64_t lost_count = 0;
  bool is_finished = false;
  State fin = kUnsent;

 private:
  bool CanSend(uint64_t begin, uint64_t at, const SendBuffer::Limits& limits) const {
    if (at < sent_end) return states_[at] == kLost && states_[begin] == kLost;
    return at < limits.max_end_offset;
  }

  uint64_t FirstOf(State state) const {
    if (states_.empty()) return 0;
    const void* found = std::memchr(states_.data() + acked_prefix, state, sent_end - acked_prefix);
    if (found == nullptr) return written_end();
    return static_cast<uint64_t>(static_cast<const uint8_t*>(found) - states_.data());
  }

  StreamRange RangeOf(uint64_t begin, uint64_t end) const {
    return {begin, end - begin, is_finished && end == written_end() && fin != kAcked};
  }

  uint64_t Change(const StreamRange& range, std::initializer_list<State> from, State to) {
    uint64_t count = 0;
    for (uint64_t i = range.offset_bytes; i < range.end_bytes(); ++i) {
      if (std::ranges::find(from, states_[i]) == from.end()) continue;
      if (states_[i] == kLost) --lost_count;
      if (to == kLost) ++lost_count;
      states_[i] = to;
      ++count;
    }
    return count;
  }

  std::vector<uint8_t> states_;
};

class Run {
 public:
  explicit Run(std::span<const uint8_t> input) : input_(input) {}

  size_t Execute() {
    size_t operation_count = 0;
    while (!input_.empty()) {
      Step();
      ++operation_count;
      buffer_.CheckInvariants();
      Compare();
    }
    return operation_count;
  }

 private:
  // A piece of memory that was handed over.
  struct Owned {
    uint64_t end;
    std::shared_ptr<const std::vector<uint8_t>> bytes;
  };

  void Step() {
    const uint8_t operation = input_.Next();
    switch (operation % 16) {
      case 0:
      case 1:
        return AppendCopy();
      case 2:
        return AppendCord(operation / 16);
      case 3:
        if (operation >= 0xe0 && input_.Next() % 4 == 0) End();
        return;
      case 4:
        return Send(buffer_.OldestUnacked(input_.NextSize()));
      case 5:
      case 6:
        return OnLost(operation / 16);
      case 7:
      case 8:
      case 9:
        return OnAcked(operation / 16);
      default:
        return SendNext(operation / 16);
    }
  }

  bool CanAppend(size_t size) const {
    return !is_reset_ && !model_.is_finished &&
           model_.written_end() - model_.acked_prefix + size <= kWindowBytes;
  }

  std::vector<uint8_t> NextBytes(size_t position, size_t size) const {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = StreamByteAt(position + i);
    return bytes;
  }

  void AppendCopy() {
    const size_t size = input_.NextSize();
    if (!CanAppend(size)) return;
    buffer_.Append(NextBytes(model_.written_end(), size), pool_);
    model_.Append(size);
  }

  void AppendCord(size_t chunk_count) {
    absl::Cord cord;
    uint64_t end = model_.written_end();
    for (size_t i = 0; i < chunk_count; ++i) {
      const size_t size = input_.NextSize();
      if (size == 0 || !CanAppend(end - model_.written_end() + size)) break;
      auto bytes = std::make_shared<const std::vector<uint8_t>>(NextBytes(end, size));
      end += size;
      if (size >= kMinOwnedChunkBytes) owned_.push_back({end, bytes});
      const absl::string_view text(reinterpret_cast<const char*>(bytes->data()), size);
      cord.Append(absl::MakeCordFromExternal(text, [bytes] {}));
    }
    if (end == model_.written_end()) return;
    buffer_.Append(cord, pool_);
    model_.Append(end - model_.written_end());
  }

  void End() {
    if (is_reset_) return;
    if (input_.Next() % 8 == 0) {
      buffer_.Reset(pool_);
      is_reset_ = true;
    } else if (!model_.is_finished) {
      buffer_.Finish();
      model_.is_finished = true;
    }
  }

  void SendNext(uint8_t flavour) {
    SendBuffer::Limits limits{input_.NextSize(), ~uint64_t{0}};
    if (flavour == 0) limits.max_end_offset = model_.sent_end + input_.NextSize();
    if (flavour == 1) limits.max_end_offset = model_.sent_end / 2;
    const std::optional<StreamRange> range = buffer_.Next(limits);
    if (is_reset_) {
      GODWIT_CHECK(!range.has_value());
      return;
    }
    GODWIT_CHECK(range == model_.Next(limits));
    const SendBuffer::Limits one_byte{1, limits.max_end_offset};
    GODWIT_CHECK_EQ(buffer_.HasPending(limits.max_end_offset), model_.Next(one_byte).has_value());
    Send(range);
  }

  void Send(const std::optional<StreamRange>& range) {
    if (is_reset_) GODWIT_CHECK(!range.has_value());
    if (!range.has_value()) return;
    CheckBytes(*range);
    GODWIT_CHECK_EQ(buffer_.OnSent(*range), model_.OnSent(*range));
    sent_.push_back(*range);
  }

  void CheckBytes(const StreamRange& range) const {
    std::vector<uint8_t> copy(range.length_bytes);
    buffer_.CopyTo(range.offset_bytes, copy);
    GODWIT_CHECK(copy == NextBytes(range.offset_bytes, copy.size()));
    StreamRange rest = range;
    while (rest.length_bytes != 0) {
      const std::span<const uint8_t> view = buffer_.View(rest);
      GODWIT_CHECK(!view.empty());
      GODWIT_CHECK_LE(view.size(), rest.length_bytes);
      const size_t position = rest.offset_bytes - range.offset_bytes;
      GODWIT_CHECK_EQ(std::memcmp(view.data(), &copy[position], view.size()), 0);
      rest.offset_bytes += view.size();
      rest.length_bytes -= view.size();
    }
  }

  // Any packet may have any fate, and a second one later.
  std::optional<StreamRange> PickSent(bool is_old) {
    if (sent_.empty()) return std::nullopt;
    const size_t back = input_.Next() % std::min<size_t>(sent_.size(), is_old ? 256 : 24);
    return sent_[sent_.size() - 1 - back];
  }

  void OnAcked(uint8_t flavour) {
    if (flavour >= 14) {
      // An ACK for all that is out.
      for (const StreamRange& range : std::exchange(sent_, {})) OnAcked(range);
    } else if (const auto range = PickSent(flavour < 7)) {
      OnAcked(*range);
    }
  }
  void OnAcked(const StreamRange& range) {
    const uint64_t count = buffer_.OnAcked(range, pool_);
    GODWIT_CHECK_EQ(count, is_reset_ ? 0 : model_.OnAcked(range));
  }

  void OnLost(uint8_t flavour) {
    const std::optional<StreamRange> range = PickSent(flavour < 7);
    if (!range.has_value()) return;
    const uint64_t count = buffer_.OnLost(*range);
    GODWIT_CHECK_EQ(count, is_reset_ ? 0 : model_.OnLost(*range));
  }

  void Compare() const {
    GODWIT_CHECK_EQ(buffer_.sent_end(), model_.sent_end);
    for (const Owned& owned : owned_) {
      const bool is_needed = !is_reset_ && owned.end > model_.acked_prefix;
      GODWIT_CHECK_EQ(owned.bytes.use_count() > 1, is_needed);
    }
    if (is_reset_) {
      GODWIT_CHECK_EQ(buffer_.unacked_bytes(), 0);
      GODWIT_CHECK(!buffer_.HasPending(~uint64_t{0}));
      GODWIT_CHECK(!buffer_.is_all_acked());
      return;
    }
    GODWIT_CHECK_EQ(buffer_.written_end(), model_.written_end());
    GODWIT_CHECK_EQ(buffer_.unsent_bytes(), model_.written_end() - model_.sent_end);
    GODWIT_CHECK_EQ(buffer_.lost_bytes(), model_.lost_count);
    GODWIT_CHECK_EQ(buffer_.unacked_bytes(), model_.written_end() - model_.acked_count);
    GODWIT_CHECK_EQ(buffer_.is_all_acked(),
                    model_.fin == kAcked && model_.acked_count == model_.written_end());
    GODWIT_CHECK(buffer_.OldestUnacked(1000) == model_.OldestUnacked(1000));
  }

  OperationBytes input_;
  SendBlockPool pool_{4};
  SendBuffer buffer_;
  NaiveBuffer model_;
  bool is_reset_ = false;
  std::vector<StreamRange> sent_;
  std::vector<Owned> owned_;
};

}  // namespace

size_t RunSendBufferOperations(std::span<const uint8_t> input) { return Run(input).Execute(); }

}  // namespace godwit
