// SPDX-License-Identifier: Apache-2.0
//
// Reassembler: received bytes of a stream, or of the CRYPTO data of a level, put back in order.
// RFC 9000 §2.2 (delivery in order), §4.5 (final size).
//
// Bytes that are next in order are not copied: the reassembler borrows them from the datagram, and
// KeepBorrowed() copies what nobody consumed before the datagram's memory is used again. Others go
// into blocks with a mark for every byte, so that fragments of any size cost no more than their
// window: kReceiveBlockBytes + 1/8 for each block that it spans.
//
// It does not decide how far the peer may send: segments end within a window that the caller has
// checked. Nor does it know of the states of a stream.
//
// Invariants:
// 1. read_offset() <= in_order_end() <= highest_received() <= final_size(), where that is known;
//    the byte at in_order_end() is missing.
// 2. Every byte between read_offset() and in_order_end() is borrowed or in a block.
// 3. With nothing buffered, there is no block.
#ifndef GODWIT_TRANSPORT_DELIVERY_REASSEMBLER_H_
#define GODWIT_TRANSPORT_DELIVERY_REASSEMBLER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/limits.h"
#include "base/result.h"
#include "transport/delivery/block_pool.h"
#include "transport/delivery/ring_vector.h"

namespace godwit {

struct ReceiveBlock {
  std::array<uint8_t, kReceiveBlockBytes> bytes;
  // One bit a byte that came out of order. Means nothing below Reassembler::in_order_end().
  std::array<uint64_t, kReceiveBlockBytes / 64> marks;
};

using ReceiveBlockPool = BlockPool<ReceiveBlock>;

// A STREAM or CRYPTO frame's data.
struct ReceivedSegment {
  uint64_t offset_bytes;
  std::span<const uint8_t> data;
  bool is_fin = false;
};

class Reassembler {
 public:
  // What a segment brought.
  struct Arrival {
    enum class Kind : uint8_t {
      kNothingNew,  // All bytes were known; the final size may be news.
      kInOrder,     // Readable at once: `in_order` is what was new of the segment's data.
      kStored,      // Copied, behind a gap or into one.
    };
    Kind kind = Kind::kNothingNew;
    std::span<const uint8_t> in_order;
    uint64_t newly_readable_bytes = 0;
  };

  Reassembler() = default;
  Reassembler(Reassembler&&) noexcept = default;
  Reassembler& operator=(Reassembler&&) noexcept = default;

  // On kInOrder the segment's memory stays in use until the data is consumed or KeepBorrowed().
  // After an error, `arrival` is unspecified and the connection is to be closed.
  Result OnSegment(const ReceivedSegment& segment, ReceiveBlockPool& pool, Arrival& arrival);

  // The final size as RESET_STREAM says it.
  Result OnFinalSize(uint64_t final_size_bytes);

  // Copies borrowed data. To be called before the memory of the datagrams is used again.
  void KeepBorrowed(ReceiveBlockPool& pool);
  bool has_borrowed() const { return !borrowed_.empty(); }

  // Fills `views` with the next readable bytes, in order, each view contiguous; says how many views
  // it filled. They stay valid until the next call of anything that is not const.
  size_t Peek(std::span<std::span<const uint8_t>> views) const;

  // Readable bytes are done with. At most readable_bytes().
  void Consume(uint64_t byte_count, ReceiveBlockPool& pool);

  // Nobody will read: lets go of all data, and keeps none from now on. Only the rules of the final
  // size stay in force, and highest_received() goes on counting.
  void Discard(ReceiveBlockPool& pool);

  uint64_t read_offset() const { return read_offset_; }
  uint64_t in_order_end() const { return in_order_end_; }
  // The end of the data seen so far, or the final size: what flow control counts.
  uint64_t highest_received() const { return highest_received_; }
  std::optional<uint64_t> final_size() const {
    return final_size_ == kUnknown ? std::nullopt : std::optional<uint64_t>(final_size_);
  }

  uint64_t readable_bytes() const { return in_order_end_ - read_offset_; }
  // Readable or waiting for what is missing in front of them.
  uint64_t buffered_bytes() const { return readable_bytes() + ahead_bytes_; }
  // Memory of the blocks in use.
  uint64_t allocated_bytes() const { return block_count_ * sizeof(ReceiveBlock); }

  // All that the peer sends is here; all of it was consumed. Neither after Discard().
  bool has_all_data() const { return !is_discarding_ && in_order_end_ == final_size_; }
  bool is_consumed() const { return !is_discarding_ && read_offset_ == final_size_; }

  void CheckInvariants() const;

 private:
  // Bytes that are still in their datagram.
  struct Borrowed {
    uint64_t offset_bytes = 0;
    std::span<const uint8_t> data;

    uint64_t end_bytes() const { return offset_bytes + data.size(); }
  };

  static constexpr uint64_t kUnknown = ~uint64_t{0};

  Result AcceptEnd(uint64_t end_bytes, bool is_fin);
  // `data` begins at in_order_end(), and nothing is known behind that.
  void AppendInOrder(std::span<const uint8_t> data, ReceiveBlockPool& pool, Arrival& arrival);
  // Copies `data`, all above in_order_end() or at it, and marks it.
  Result StoreAhead(uint64_t offset_bytes, std::span<const uint8_t> data, ReceiveBlockPool& pool);
  // Copies `data`, all below in_order_end(), which needs no marks.
  void StoreInOrder(uint64_t offset_bytes, std::span<const uint8_t> data, ReceiveBlockPool& pool);
  // Moves in_order_end() over marked bytes.
  void AdvanceOverMarks();
  ReceiveBlock& BlockAt(uint64_t offset_bytes, ReceiveBlockPool& pool);
  void DropFrontBlock(ReceiveBlockPool& pool);
  void DropAllBlocks(ReceiveBlockPool& pool);

  uint64_t read_offset_ = 0;
  uint64_t in_order_end_ = 0;
  uint64_t highest_received_ = 0;
  uint64_t final_size_ = kUnknown;
  uint64_t ahead_bytes_ = 0;  // Marked bytes above in_order_end_.
  uint64_t first_block_ = 0;  // Number in the stream of blocks_[0].
  uint64_t block_count_ = 0;  // Of those in blocks_ that exist.
  bool is_discarding_ = false;
  RingVector<std::unique_ptr<ReceiveBlock>, 2> blocks_;
  RingVector<Borrowed, 2> borrowed_;  // In order.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_REASSEMBLER_H_
