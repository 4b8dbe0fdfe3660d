// SPDX-License-Identifier: Apache-2.0
//
// BlockingConnectionChannel: what lies between the threads that use a connection and the loop that
// has it: streams that the peer has opened and nobody has accepted yet, threads that wait to open
// one, datagrams in both directions (a bounded number of bytes), and the news of its end.
//
// Threads: the first group from any; the others on the loop's, or when it has ended.
//
// Invariants:
//  1. Whatever makes a waiting call's condition true wakes it, under the same lock.
//  2. A stream that was opened for a thread reaches it, or is given up: never both, never neither.
//  3. After End() nothing here refers to the engine.
#ifndef GODWIT_RUNTIME_BLOCKING_CONNECTION_CHANNEL_H_
#define GODWIT_RUNTIME_BLOCKING_CONNECTION_CHANNEL_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/close_reason.h"
#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "runtime/blocking_deadline.h"
#include "runtime/blocking_door.h"
#include "runtime/blocking_stream_channel.h"

namespace godwit {

class BlockingConnectionChannel : public std::enable_shared_from_this<BlockingConnectionChannel> {
 public:
  using Stream = std::shared_ptr<BlockingStreamChannel>;

  BlockingConnectionChannel(ConnectionRef connection, std::shared_ptr<BlockingDoor> door);

  // ---- Any thread; see blocking.h ----

  absl::StatusOr<Stream> OpenStream(StreamDirection direction, const BlockingDeadline& deadline);
  absl::StatusOr<Stream> AcceptStream(const BlockingDeadline& deadline);
  absl::Status SendDatagram(std::span<const uint8_t> payload);
  uint64_t max_datagram_payload_bytes() const;
  absl::StatusOr<std::vector<uint8_t>> ReceiveDatagram(const BlockingDeadline& deadline);
  absl::Status Close(uint64_t error_code, std::string_view reason);
  std::optional<CloseReason> close_reason() const;
  ConnectionInfo info() const { return info_; }
  bool has_ended() const;
  // Nobody has a handle any more.
  void Abandon();

  // ---- The loop's thread ----

  void OnStreamOpened(StreamId id);
  // Null if nothing is to be done with it any more.
  Stream FindStream(StreamId id) const;
  void OnStreamsAvailable(StreamDirection direction);
  void OnDatagram();
  void OnMaxDatagramPayloadChanged();
  void End(const CloseReason& reason);
  // The loop ends before the connection.
  void EndWithLoop();

 private:
  static constexpr size_t kDatagramQueueBytes = size_t{256} << 10;
  static constexpr size_t kDatagramOverheadBytes = 64;  // Also empty ones count.
  // What the peer's application has not read when CONNECTION_CLOSE comes is lost to it (RFC 9000
  // §10.2).
  static constexpr Duration kLinger = Duration::Seconds(3);

  // Guarded by mutex_.
  struct OpenCall {
    bool is_given_up = false;
    std::optional<absl::StatusOr<Stream>> result;
  };

  Stream AddStream(StreamId id);
  void RemoveStream(StreamId id);
  void QueueOpen(StreamDirection direction, std::shared_ptr<OpenCall> call);
  void SendQueuedDatagrams();
  void CloseNow(uint64_t error_code, std::string_view reason);
  void AbandonNow();
  void CloseIfAbandoned();
  void EndWith(const absl::Status& reason, std::optional<CloseReason> close_reason);

  const std::shared_ptr<BlockingDoor> door_;
  const ConnectionInfo info_;

  // Of the loop's thread.
  ConnectionRef connection_;
  bool is_attached_ = true;
  bool is_abandoned_ = false;
  bool is_lingering_ = false;
  std::unordered_map<uint64_t, Stream> streams_;
  std::array<std::deque<std::shared_ptr<OpenCall>>, 2> open_calls_;  // By direction.

  // Guarded from here on.
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  std::condition_variable accepted_;
  std::condition_variable received_;
  absl::Status end_;  // OK while the connection is open.
  std::optional<CloseReason> close_reason_;
  std::deque<Stream> unaccepted_;
  uint64_t max_datagram_payload_bytes_ = 0;
  std::vector<std::vector<uint8_t>> unsent_datagrams_;
  size_t unsent_datagram_bytes_ = 0;
  std::deque<std::vector<uint8_t>> received_datagrams_;
  size_t received_datagram_bytes_ = 0;
  bool is_inbox_full_ = false;  // There are more: who empties it has to say so.
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_CONNECTION_CHANNEL_H_
