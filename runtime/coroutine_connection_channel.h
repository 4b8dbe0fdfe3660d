// SPDX-License-Identifier: Apache-2.0
//
// CoroutineConnectionChannel: a connection as the handles of coroutine.h have it: its streams,
// those that the peer has opened and nobody has accepted yet, who waits for what, and the news of
// its end.
//
// CoroutineConnectionGrip, CoroutineStreamGrip: what handles share: a grip holds a channel, and
// gives it up with the last handle. A stream's grip holds its connection's, so that a connection
// lives as long as one of its streams is in use.
//
// No call here waits; see CoroutineStreamChannel.
//
// Threads: the loop's.
//
// Invariants:
//  1. Whatever may change the answer to one who waits in a list wakes the list.
//  2. After End() nothing here refers to the engine.
#ifndef GODWIT_RUNTIME_COROUTINE_CONNECTION_CHANNEL_H_
#define GODWIT_RUNTIME_COROUTINE_CONNECTION_CHANNEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/close_reason.h"
#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "runtime/coroutine_scheduler.h"
#include "runtime/coroutine_stream_channel.h"
#include "runtime/coroutine_wait_list.h"

namespace godwit {

class CoroutineConnectionChannel : public std::enable_shared_from_this<CoroutineConnectionChannel> {
 public:
  using Stream = std::shared_ptr<CoroutineStreamChannel>;

  CoroutineConnectionChannel(ConnectionRef connection,
                             std::shared_ptr<CoroutineScheduler> scheduler);

  // ---- For handles ----

  // Null: the peer allows no more now; wait in openable().
  absl::StatusOr<Stream> OpenStream(StreamDirection direction);
  // Null: there is none; wait in acceptable().
  absl::StatusOr<Stream> AcceptStream();
  absl::Status SendDatagram(std::span<const uint8_t> payload);
  // None: there is none; wait in receivable().
  absl::StatusOr<std::optional<std::vector<uint8_t>>> ReceiveDatagram();
  absl::Status Close(uint64_t error_code, std::string_view reason);
  std::optional<CloseReason> close_reason() const;
  ConnectionRef ref() const { return connection_; }
  // Nobody has a handle any more.
  void Abandon();

  CoroutineWaitList& openable(StreamDirection direction) {
    return openable_[static_cast<size_t>(direction)];
  }
  CoroutineWaitList& acceptable() { return acceptable_; }
  CoroutineWaitList& receivable() { return receivable_; }

  // ---- Events ----

  void OnStreamOpened(StreamId id);
  // Null if nothing is to be done with it any more.
  Stream FindStream(StreamId id) const;
  void OnStreamsAvailable(StreamDirection direction) { scheduler_->Wake(openable(direction)); }
  void OnDatagram() { scheduler_->Wake(receivable_); }
  void End(const CloseReason& reason);
  // The loop ends before the connection.
  void EndWithLoop();

 private:
  // What the peer's application has not read when CONNECTION_CLOSE comes is lost to it (RFC 9000
  // §10.2).
  static constexpr Duration kLinger = Duration::Seconds(3);

  Stream AddStream(StreamId id);
  void RemoveStream(StreamId id);
  void CloseIfAbandoned();
  void EndWith(const absl::Status& reason, std::optional<CloseReason> close_reason);
  absl::Status WhyRefused(const absl::Status& refusal) const;

  ConnectionRef connection_;
  const std::shared_ptr<CoroutineScheduler> scheduler_;
  const Perspective perspective_;
  absl::Status end_;  // OK while the connection is open.
  std::optional<CloseReason> close_reason_;
  bool is_abandoned_ = false;
  bool is_ending_ = false;     // As nobody has a handle.
  bool has_finished_ = false;  // There was a stream whose end the peer is to get.

  std::unordered_map<uint64_t, Stream> streams_;
  std::deque<Stream> unaccepted_;
  std::array<CoroutineWaitList, 2> openable_;  // By direction.
  CoroutineWaitList acceptable_;
  CoroutineWaitList receivable_;
};

struct CoroutineConnectionGrip {
  explicit CoroutineConnectionGrip(std::shared_ptr<CoroutineConnectionChannel> held)
      : channel(std::move(held)) {}
  ~CoroutineConnectionGrip() { channel->Abandon(); }
  CoroutineConnectionGrip(const CoroutineConnectionGrip&) = delete;
  CoroutineConnectionGrip& operator=(const CoroutineConnectionGrip&) = delete;

  const std::shared_ptr<CoroutineConnectionChannel> channel;
};

struct CoroutineStreamGrip {
  CoroutineStreamGrip(std::shared_ptr<CoroutineStreamChannel> held,
                      std::shared_ptr<const CoroutineConnectionGrip> held_connection)
      : connection(std::move(held_connection)), channel(std::move(held)) {}
  // Before the connection's: what is given up of the stream comes first.
  ~CoroutineStreamGrip() { channel->Abandon(); }
  CoroutineStreamGrip(const CoroutineStreamGrip&) = delete;
  CoroutineStreamGrip& operator=(const CoroutineStreamGrip&) = delete;

  const std::shared_ptr<const CoroutineConnectionGrip> connection;
  const std::shared_ptr<CoroutineStreamChannel> channel;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_COROUTINE_CONNECTION_CHANNEL_H_
