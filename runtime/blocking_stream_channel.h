// SPDX-License-Identifier: Apache-2.0
//
// BlockingStreamChannel: what lies between the threads that read and write a stream and the loop
// that has it: a bounded buffer in each direction and the news of its end. What is read is copied
// out of the engine once, up to kReadAheadBytes ahead of the reader, and what no reader fetches
// stays there, so that flow control holds the peer back. What is written is copied once.
//
// Threads: the first group from any; Attach(), the On...() and End() on the loop's, or when it has
// ended.
//
// Invariants:
//  1. Whatever makes a waiting call's condition true wakes it, under the same lock.
//  2. Bytes of one direction pass through one buffer, in order; after an end nothing follows.
//  3. The engine is asked on the loop's thread alone, and not after the connection's end.
#ifndef GODWIT_RUNTIME_BLOCKING_STREAM_CHANNEL_H_
#define GODWIT_RUNTIME_BLOCKING_STREAM_CHANNEL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"
#include "runtime/blocking_deadline.h"
#include "runtime/blocking_door.h"
#include "runtime/stream_ends.h"

namespace godwit {

class BlockingStreamChannel : public std::enable_shared_from_this<BlockingStreamChannel> {
 public:
  BlockingStreamChannel(StreamId id, StreamSides sides, std::shared_ptr<BlockingDoor> door);

  StreamId id() const { return id_; }

  // ---- Any thread; see blocking.h ----

  absl::StatusOr<size_t> Read(std::span<uint8_t> into, const BlockingDeadline& deadline);
  // Counts what it has taken.
  absl::Status Write(std::span<const uint8_t> data, const BlockingDeadline& deadline,
                     size_t* written_bytes);
  absl::Status Finish();
  absl::Status WaitUntilDelivered(const BlockingDeadline& deadline);
  absl::Status Reset(uint64_t error_code);
  absl::Status StopSending(uint64_t error_code);
  std::optional<uint64_t> reset_code() const;
  std::optional<uint64_t> stopped_code() const;
  // Nobody has a handle any more.
  void Abandon();

  // ---- The loop's thread ----

  // `on_done` is called once, when neither side has anything to do any more; not after End().
  void Attach(ConnectionRef connection, std::function<void()> on_done);
  // Nothing is read ahead until ReadAhead(): so the peer's streams that wait to be accepted keep to
  // the limits of flow control.
  void HoldReading() { is_reading_held_ = true; }
  void ReadAhead();
  void OnReadable();
  void OnReset(uint64_t error_code);
  void OnWritable();
  void OnStopped(uint64_t error_code);
  void OnDelivered();
  // The connection's end, of which `reason` tells.
  void End(const absl::Status& reason);

 private:
  static constexpr size_t kReadAheadBytes = size_t{256} << 10;
  static constexpr size_t kWriteAheadBytes = size_t{512} << 10;
  static constexpr size_t kWriteChunkBytes = size_t{64} << 10;

  void PostFlush(std::unique_lock<std::mutex>& lock);
  // Copies up to `room` readable bytes to the inbox; true if the stream's end is reached.
  bool FillInbox();
  void Flush();
  void ResetNow(uint64_t error_code);
  void StopNow(uint64_t error_code);
  void EndSide(bool& is_done);
  // Under the lock.
  bool HasNews() const { return !ends_.WhyNotReadable().ok() || !inbox_.empty() || is_at_end_; }

  const StreamId id_;
  const std::shared_ptr<BlockingDoor> door_;

  // Of the loop's thread.
  ConnectionRef connection_;
  std::function<void()> on_done_;
  bool is_attached_ = false;
  bool is_reading_held_ = false;
  bool is_recv_done_;
  bool is_send_done_;

  // Guarded from here on.
  mutable std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;  // Also of WaitUntilDelivered().
  StreamEnds ends_;

  std::vector<uint8_t> inbox_;  // The loop appends.
  bool is_inbox_full_ = false;  // There is more: who empties it has to say so.
  bool is_at_end_ = false;      // Nothing comes after the inbox.
  // Of the one thread that has set is_reading_: used outside of the lock.
  bool is_reading_ = false;
  std::vector<uint8_t> fetched_;
  size_t fetched_offset_ = 0;

  absl::Cord unsent_;
  bool is_flush_posted_ = false;
  bool is_finish_wanted_ = false;
  bool is_finished_ = false;  // The engine knows.
  bool is_delivered_ = false;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_STREAM_CHANNEL_H_
