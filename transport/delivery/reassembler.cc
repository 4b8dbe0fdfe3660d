// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/reassembler.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/result.h"

namespace godwit {

namespace {

constexpr size_t kWordBits = 64;

uint64_t BlockNumber(uint64_t offset_bytes) { return offset_bytes / kReceiveBlockBytes; }
size_t PlaceInBlock(uint64_t offset_bytes) { return offset_bytes % kReceiveBlockBytes; }

// The bits of one word of marks that stand for places from `begin` up to `end`, of which some lie
// in the word.
uint64_t WordMask(size_t word, size_t begin, size_t end) {
  const size_t first = std::max(begin, word * kWordBits) - word * kWordBits;
  const size_t past = std::min(end, (word + 1) * kWordBits) - word * kWordBits;
  return (~uint64_t{0} >> (kWordBits - (past - first))) << first;
}

size_t CountMarks(const ReceiveBlock& block, size_t begin, size_t end) {
  size_t count = 0;
  for (size_t word = begin / kWordBits; word * kWordBits < end; ++word) {
    count += static_cast<size_t>(std::popcount(block.marks[word] & WordMask(word, begin, end)));
  }
  return count;
}

void SetMarks(ReceiveBlock& block, size_t begin, size_t end) {
  for (size_t word = begin / kWordBits; word * kWordBits < end; ++word) {
    block.marks[word] |= WordMask(word, begin, end);
  }
}

bool IsMarked(const ReceiveBlock& block, size_t place) {
  return (block.marks[place / kWordBits] >> (place % kWordBits) & 1) != 0;
}

// The first place from `begin` on that is not marked, or kReceiveBlockBytes.
size_t FirstUnmarked(const ReceiveBlock& block, size_t begin) {
  for (size_t word = begin / kWordBits; word < block.marks.size(); ++word) {
    const size_t first = std::max(begin, word * kWordBits);
    const uint64_t missing = ~block.marks[word] >> (first % kWordBits);
    if (missing != 0) return first + static_cast<size_t>(std::countr_zero(missing));
  }
  return kReceiveBlockBytes;
}

// Copies what is not marked, and compares what is. False if they differ.
bool CopyUnmarked(ReceiveBlock& block, size_t begin, std::span<const uint8_t> data) {
  bool is_same = true;
  for (size_t i = 0; i < data.size(); ++i) {
    uint8_t& place = block.bytes[begin + i];
    if (IsMarked(block, begin + i)) {
      is_same = is_same && place == data[i];
    } else {
      place = data[i];
    }
  }
  return is_same;
}

}  // namespace

Result Reassembler::OnSegment(const ReceivedSegment& segment, ReceiveBlockPool& pool,
                              Arrival& arrival) {
  arrival = Arrival();
  const uint64_t end = segment.offset_bytes + segment.data.size();
  GODWIT_RETURN_IF_ERROR(AcceptEnd(end, segment.is_fin));
  if (end <= in_order_end_ || is_discarding_) return Result::Ok();

  if (segment.offset_bytes <= in_order_end_ && ahead_bytes_ == 0) [[likely]] {
    AppendInOrder(segment.data.subspan(in_order_end_ - segment.offset_bytes), pool, arrival);
    return Result::Ok();
  }
  const uint64_t new_begin = std::max(segment.offset_bytes, in_order_end_);
  const uint64_t ahead_before = ahead_bytes_;
  GODWIT_RETURN_IF_ERROR(
      StoreAhead(new_begin, segment.data.subspan(new_begin - segment.offset_bytes), pool));
  if (ahead_bytes_ == ahead_before) return Result::Ok();

  arrival.kind = Arrival::Kind::kStored;
  const uint64_t end_before = in_order_end_;
  AdvanceOverMarks();
  arrival.newly_readable_bytes = in_order_end_ - end_before;
  return Result::Ok();
}

Result Reassembler::OnFinalSize(uint64_t final_size_bytes) {
  return AcceptEnd(final_size_bytes, true);
}

Result Reassembler::AcceptEnd(uint64_t end_bytes, bool is_fin) {
  // RFC 9000 §4.5: a final size cannot change, data cannot lie beyond it, and it cannot lie below
  // data already received.
  if (final_size_ != kUnknown) {
    if (is_fin && end_bytes != final_size_) [[unlikely]] {
      return kFinalSizeChanged;
    }
    if (end_bytes > final_size_) [[unlikely]] {
      return kStreamDataBeyondFinalSize;
    }
  } else if (is_fin) {
    if (end_bytes < highest_received_) [[unlikely]] {
      return kFinalSizeBelowReceivedData;
    }
    final_size_ = end_bytes;
  }
  highest_received_ = std::max(highest_received_, end_bytes);
  return Result::Ok();
}

void Reassembler::AppendInOrder(std::span<const uint8_t> data, ReceiveBlockPool& pool,
                                Arrival& arrival) {
  const uint64_t offset = in_order_end_;
  in_order_end_ += data.size();
  arrival.newly_readable_bytes = data.size();
  if (borrowed_.size() == kMaxBorrowedViews) [[unlikely]] {
    arrival.kind = Arrival::Kind::kStored;
    StoreInOrder(offset, data, pool);
    return;
  }
  arrival.kind = Arrival::Kind::kInOrder;
  arrival.in_order = data;
  borrowed_.PushBack({offset, data});
}

ReceiveBlock& Reassembler::BlockAt(uint64_t offset_bytes, ReceiveBlockPool& pool) {
  if (blocks_.empty()) first_block_ = BlockNumber(read_offset_);
  const uint64_t index = BlockNumber(offset_bytes) - first_block_;
  while (blocks_.size() <= index) blocks_.PushBack(nullptr);
  std::unique_ptr<ReceiveBlock>& block = blocks_[index];
  if (block == nullptr) {
    block = pool.Take();
    block->marks.fill(0);
    ++block_count_;
  }
  return *block;
}

Result Reassembler::StoreAhead(uint64_t offset_bytes, std::span<const uint8_t> data,
                               ReceiveBlockPool& pool) {
  while (!data.empty()) {
    ReceiveBlock& block = BlockAt(offset_bytes, pool);
    const size_t begin = PlaceInBlock(offset_bytes);
    const size_t size = std::min(data.size(), kReceiveBlockBytes - begin);
    const std::span<const uint8_t> part = data.first(size);
    const size_t known = CountMarks(block, begin, begin + size);
    bool is_same = true;
    if (known == 0) {
      std::memcpy(&block.bytes[begin], part.data(), size);
    } else if (known == size) {
      is_same = std::memcmp(&block.bytes[begin], part.data(), size) == 0;
    } else {
      is_same = CopyUnmarked(block, begin, part);
    }
    SetMarks(block, begin, begin + size);
    ahead_bytes_ += size - known;
    // RFC 9000 §2.2: the data at an offset must not change. Checked where both are at hand.
    if (!is_same) [[unlikely]] {
      AdvanceOverMarks();
      return kStreamDataChanged;
    }
    offset_bytes += size;
    data = data.subspan(size);
  }
  return Result::Ok();
}

void Reassembler::StoreInOrder(uint64_t offset_bytes, std::span<const uint8_t> data,
                               ReceiveBlockPool& pool) {
  while (!data.empty()) {
    ReceiveBlock& block = BlockAt(offset_bytes, pool);
    const size_t begin = PlaceInBlock(offset_bytes);
    const size_t size = std::min(data.size(), kReceiveBlockBytes - begin);
    std::memcpy(&block.bytes[begin], data.data(), size);
    offset_bytes += size;
    data = data.subspan(size);
  }
}

void Reassembler::AdvanceOverMarks() {
  while (ahead_bytes_ != 0) {
    const uint64_t index = BlockNumber(in_order_end_) - first_block_;
    if (index >= blocks_.size() || blocks_[index] == nullptr) return;
    const size_t begin = PlaceInBlock(in_order_end_);
    const size_t run = FirstUnmarked(*blocks_[index], begin) - begin;
    in_order_end_ += run;
    ahead_bytes_ -= run;
    if (begin + run < kReceiveBlockBytes) return;
  }
}

void Reassembler::KeepBorrowed(ReceiveBlockPool& pool) {
  for (; !borrowed_.empty(); borrowed_.PopFront()) {
    StoreInOrder(borrowed_.front().offset_bytes, borrowed_.front().data, pool);
  }
}

size_t Reassembler::Peek(std::span<std::span<const uint8_t>> views) const {
  size_t view_count = 0;
  size_t next_borrowed = 0;
  uint64_t offset = read_offset_;
  while (view_count < views.size() && offset < in_order_end_) {
    uint64_t stored_end = in_order_end_;
    if (next_borrowed < borrowed_.size()) stored_end = borrowed_[next_borrowed].offset_bytes;
    std::span<const uint8_t> view;
    if (offset == stored_end) {
      view = borrowed_[next_borrowed++].data;
    } else {
      const ReceiveBlock& block = *blocks_[BlockNumber(offset) - first_block_];
      const size_t begin = PlaceInBlock(offset);
      const size_t size = std::min<uint64_t>(stored_end - offset, kReceiveBlockBytes - begin);
      view = {&block.bytes[begin], size};
    }
    views[view_count++] = view;
    offset += view.size();
  }
  return view_count;
}

void Reassembler::Consume(uint64_t byte_count, ReceiveBlockPool& pool) {
  GODWIT_CHECK_LE(byte_count, readable_bytes());
  read_offset_ += byte_count;
  while (!borrowed_.empty() && borrowed_.front().offset_bytes < read_offset_) {
    Borrowed& front = borrowed_.front();
    if (front.end_bytes() > read_offset_) {
      front.data = front.data.subspan(read_offset_ - front.offset_bytes);
      front.offset_bytes = read_offset_;
      break;
    }
    borrowed_.PopFront();
  }
  if (buffered_bytes() == 0) {
    DropAllBlocks(pool);
    return;
  }
  while (!blocks_.empty() && first_block_ < BlockNumber(read_offset_)) DropFrontBlock(pool);
}

void Reassembler::Discard(ReceiveBlockPool& pool) {
  is_discarding_ = true;
  borrowed_.Clear();
  read_offset_ = in_order_end_;
  ahead_bytes_ = 0;
  DropAllBlocks(pool);
}

void Reassembler::DropFrontBlock(ReceiveBlockPool& pool) {
  if (blocks_.front() != nullptr) {
    pool.Give(std::move(blocks_.front()));
    --block_count_;
  }
  blocks_.PopFront();
  ++first_block_;
}

void Reassembler::DropAllBlocks(ReceiveBlockPool& pool) {
  while (!blocks_.empty()) DropFrontBlock(pool);
}

void Reassembler::CheckInvariants() const {
  GODWIT_CHECK_LE(read_offset_, in_order_end_);
  GODWIT_CHECK_LE(in_order_end_, highest_received_);
  if (final_size_ != kUnknown) GODWIT_CHECK_LE(highest_received_, final_size_);
  GODWIT_CHECK_LE(borrowed_.size(), kMaxBorrowedViews);
  GODWIT_CHECK_LE(buffered_bytes(), highest_received_ - read_offset_);
  if (buffered_bytes() == 0) GODWIT_CHECK(blocks_.empty());
  if (!blocks_.empty()) GODWIT_CHECK_EQ(first_block_, BlockNumber(read_offset_));

  uint64_t block_count = 0;
  uint64_t ahead_bytes = 0;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i] == nullptr) continue;
    ++block_count;
    const uint64_t block_begin = (first_block_ + i) * kReceiveBlockBytes;
    const uint64_t block_end = block_begin + kReceiveBlockBytes;
    const uint64_t begin = std::max(in_order_end_, block_begin);
    if (begin >= block_end) continue;
    ahead_bytes += CountMarks(*blocks_[i], begin - block_begin, kReceiveBlockBytes);
    if (begin == in_order_end_) GODWIT_CHECK(!IsMarked(*blocks_[i], begin - block_begin));
  }
  GODWIT_CHECK_EQ(block_count, block_count_);
  GODWIT_CHECK_EQ(ahead_bytes, ahead_bytes_);

  uint64_t stored_from = read_offset_;
  const auto check_stored = [&](uint64_t stored_end) {
    for (; stored_from < stored_end;
         stored_from = (BlockNumber(stored_from) + 1) * kReceiveBlockBytes) {
      const uint64_t index = BlockNumber(stored_from) - first_block_;
      GODWIT_CHECK_LT(index, blocks_.size());
      GODWIT_CHECK(blocks_[index] != nullptr);
    }
  };
  for (size_t i = 0; i < borrowed_.size(); ++i) {
    GODWIT_CHECK(!borrowed_[i].data.empty());
    GODWIT_CHECK_LE(i == 0 ? read_offset_ : borrowed_[i - 1].end_bytes(),
                    borrowed_[i].offset_bytes);
    check_stored(borrowed_[i].offset_bytes);
    stored_from = borrowed_[i].end_bytes();
  }
  check_stored(in_order_end_);
}

}  // namespace godwit
