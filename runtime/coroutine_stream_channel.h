// SPDX-License-Identifier: Apache-2.0
//
// CoroutineStreamChannel: a stream as the handles of coroutine.h have it: what was done and heard
// of its two sides, and who waits for more. It holds no bytes: these stay in the engine until a
// task asks for them, so that flow control holds the peer back.
//
// No call here waits; where there is nothing yet, the caller waits in one of the lists and asks
// again. Their errors are those of coroutine.h.
//
// Threads: the loop's.
//
// Invariants:
//  1. Whatever may change the answer to one who waits in a list wakes the list.
//  2. After End() nothing here refers to the engine.
#ifndef GODWIT_RUNTIME_COROUTINE_STREAM_CHANNEL_H_
#define GODWIT_RUNTIME_COROUTINE_STREAM_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"
#include "runtime/coroutine_scheduler.h"
#include "runtime/coroutine_wait_list.h"
#include "runtime/stream_ends.h"

namespace godwit {

class CoroutineStreamChannel {
 public:
  // `on_done` is called once, when neither side has anything to do any more; not after End().
  CoroutineStreamChannel(ConnectionRef connection, StreamId id, StreamSides sides,
                         std::shared_ptr<CoroutineScheduler> scheduler,
                         std::function<void()> on_done);

  StreamId id() const { return id_; }
  // The peer is to get all that was written.
  bool is_finished() const { return is_finished_; }

  // None: nothing is there yet; wait in readable().
  absl::StatusOr<std::optional<size_t>> Read(std::span<uint8_t> into);
  // How much was taken. If not all: wait in writable().
  absl::StatusOr<uint64_t> Write(std::span<const uint8_t> data);
  absl::StatusOr<uint64_t> Write(const absl::Cord& data);
  // False: it was not yet; wait in writable().
  absl::StatusOr<bool> IsDelivered() const;
  absl::Status Finish();
  absl::Status Reset(uint64_t error_code);
  absl::Status StopSending(uint64_t error_code);
  std::optional<uint64_t> reset_code() const { return ends_.reset_code; }
  std::optional<uint64_t> stopped_code() const { return ends_.stopped_code; }
  // Nobody has a handle any more.
  void Abandon();

  CoroutineWaitList& readable() { return readable_; }
  CoroutineWaitList& writable() { return writable_; }
  // Is set while a task reads, or writes: it has the side for itself.
  bool& has_reader() { return has_reader_; }
  bool& has_writer() { return has_writer_; }

  void OnReadable() { scheduler_->Wake(readable_); }
  void OnReset(uint64_t error_code);
  void OnWritable() { scheduler_->Wake(writable_); }
  void OnStopped(uint64_t error_code);
  void OnDelivered();
  // The connection's end, of which `reason` tells.
  void End(const absl::Status& reason);

 private:
  // Of a call that the connection has refused although nothing was known to be wrong.
  absl::Status WhyRefused(const absl::Status& refusal) const;
  void EndSide(bool& is_done);

  ConnectionRef connection_;
  const StreamId id_;
  const std::shared_ptr<CoroutineScheduler> scheduler_;
  std::function<void()> on_done_;  // Null after the end of it all.
  StreamEnds ends_;

  CoroutineWaitList readable_;
  bool has_reader_ = false;
  bool is_recv_done_;
  bool is_at_end_ = false;

  CoroutineWaitList writable_;  // And to be told that all has arrived.
  bool has_writer_ = false;
  bool is_send_done_;
  bool is_finished_ = false;
  bool is_delivered_ = false;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_COROUTINE_STREAM_CHANNEL_H_
