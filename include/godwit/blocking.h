// SPDX-License-Identifier: Apache-2.0
//
// Straight-line code over QUIC, for programs with threads: every call returns when it is done.
// The network runs on threads that BlockingClient and BlockingListener bring along.
//
//   auto client = godwit::BlockingClient::Create(config);
//   auto connection = client->Dial("example.org", 4433);
//   auto stream = connection->OpenStream(godwit::StreamDirection::kBidirectional);
//   absl::Status status = stream->Write("hello");
//   status.Update(stream->Finish());
//   for (;;) {
//     absl::StatusOr<size_t> bytes = stream->Read(buffer);
//     if (!bytes.ok() || *bytes == 0) break;
//     ...
//   }
//
// Calls that wait take a timeout: how long from the call on. Zero does not wait; the default waits
// for as long as it takes.
//
// What errors mean, in every call that waits:
//   DeadlineExceeded  the timeout is over; nothing was lost, the call can be made again.
//   Cancelled         the connection is closed (close_reason() says why), or the client or listener
//                     that it came from is gone, before the call or while it waited.
//   Aborted           the peer gave the stream up: see reset_code() and stopped_code().
//   NotFound          the handle names nothing.
//   FailedPrecondition, InvalidArgument, ResourceExhausted: a mistake of the caller's; in words.
//
// Connections and streams are handles: copies name the same one, and stay safe when it is closed or
// its owner gone. With its last handle a stream is given up: it is reset with code 0 if it was not
// finished, and the peer is asked to send no more. With the last handle of it and its streams a
// connection is given up: it is closed with code 0, a few seconds after the peer has received all
// that was finished (it may still be reading). Who wants an end at once calls Close().
//
// Threads: every call from any; on one stream one thread may read while another writes.
#ifndef GODWIT_INCLUDE_BLOCKING_H_
#define GODWIT_INCLUDE_BLOCKING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/client.h"
#include "godwit/close_reason.h"
#include "godwit/connection_ref.h"
#include "godwit/server.h"
#include "godwit/socket_address.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"

namespace godwit {

struct BlockingClientState;
struct BlockingConnectionGrip;
struct BlockingListenerState;
struct BlockingStreamGrip;

class BlockingStream {
 public:
  BlockingStream() = default;  // Names nothing.
  explicit BlockingStream(std::shared_ptr<const BlockingStreamGrip> grip)
      : grip_(std::move(grip)) {}

  // None if it names nothing.
  [[nodiscard]] std::optional<StreamId> id() const;

  // Waits for at least one byte and takes as many as there are, up to the size of `into`, which is
  // not empty. 0: the end of the stream, also when asked again.
  absl::StatusOr<size_t> Read(std::span<uint8_t> into, Duration timeout = Duration::Infinite());
  // Takes all of `data`, waiting for the peer where it must; it is sent soon after. With an error,
  // `written_bytes` (if not null) says how many bytes from the front were taken nevertheless.
  absl::Status Write(std::span<const uint8_t> data, Duration timeout = Duration::Infinite(),
                     size_t* written_bytes = nullptr);
  absl::Status Write(std::string_view data, Duration timeout = Duration::Infinite(),
                     size_t* written_bytes = nullptr);
  // What was written is all. Does not wait; OK also when it was said before.
  absl::Status Finish();
  // After Finish(): waits until the peer has received all of it. Its application may not have read
  // it yet, and cannot after a Close().
  absl::Status WaitUntilDelivered(Duration timeout = Duration::Infinite());
  // Gives up sending; what has not arrived may never do so. `error_code` is the application's,
  // below 2^62.
  absl::Status Reset(uint64_t error_code);
  // Gives up reading, and asks the peer to give up sending.
  absl::Status StopSending(uint64_t error_code);

  // The peer's codes, once it has given up sending (Read() is Aborted) or reading (Write() is).
  [[nodiscard]] std::optional<uint64_t> reset_code() const;
  [[nodiscard]] std::optional<uint64_t> stopped_code() const;

 private:
  std::shared_ptr<const BlockingStreamGrip> grip_;
};

class BlockingConnection {
 public:
  BlockingConnection() = default;  // Names nothing.
  explicit BlockingConnection(std::shared_ptr<const BlockingConnectionGrip> grip)
      : grip_(std::move(grip)) {}

  // Waits while the peer allows no more streams.
  absl::StatusOr<BlockingStream> OpenStream(StreamDirection direction,
                                            Duration timeout = Duration::Infinite());
  // The next one that the peer has opened; its id says in which direction.
  absl::StatusOr<BlockingStream> AcceptStream(Duration timeout = Duration::Infinite());

  // Does not wait: ResourceExhausted if too many wait to be sent. Like all datagrams it may get
  // lost.
  absl::Status SendDatagram(std::span<const uint8_t> payload);
  absl::Status SendDatagram(std::string_view payload);
  // What SendDatagram() takes at most; it changes with the path. 0: the peer takes none.
  [[nodiscard]] uint64_t max_datagram_payload_bytes() const;
  absl::StatusOr<std::vector<uint8_t>> ReceiveDatagram(Duration timeout = Duration::Infinite());

  // Ends all streams at once, without waiting, and discards what is on its way, or not read by the
  // peer's application; that application gets code (below 2^62) and
  // reason (UTF-8). OK also if it is closed already.
  absl::Status Close(uint64_t error_code, std::string_view reason);
  // None while it is open, or when its client or listener ended before it was closed.
  [[nodiscard]] std::optional<CloseReason> close_reason() const;
  // As of the end of the handshake.
  [[nodiscard]] ConnectionInfo info() const;

 private:
  std::shared_ptr<const BlockingConnectionGrip> grip_;
};

// Opens connections. Its end closes them all at once, and wakes who waits.
class BlockingClient {
 public:
  // Errors name the field, its value and what is allowed.
  [[nodiscard]] static absl::StatusOr<BlockingClient> Create(const ClientConfig& config);
  ~BlockingClient();
  BlockingClient(BlockingClient&&) noexcept;
  BlockingClient& operator=(BlockingClient&&) noexcept;

  // As Client::Dial(): a name or a numeric address; the handshake is complete when it returns.
  // With DeadlineExceeded the attempt has ended.
  absl::StatusOr<BlockingConnection> Dial(std::string host, uint16_t port,
                                          Duration timeout = Duration::Infinite());

 private:
  explicit BlockingClient(std::unique_ptr<BlockingClientState> state);

  std::unique_ptr<BlockingClientState> state_;
};

// Accepts connections. Its end is Shutdown(Duration::Zero()), and wakes who waits.
class BlockingListener {
 public:
  // Opens the sockets and starts the threads. Errors name the field, its value and what is allowed.
  [[nodiscard]] static absl::StatusOr<BlockingListener> Listen(const ServerConfig& config);
  ~BlockingListener();
  BlockingListener(BlockingListener&&) noexcept;
  BlockingListener& operator=(BlockingListener&&) noexcept;

  // The next connection whose handshake is complete. 1,024 may wait; more are closed. Cancelled
  // once Shutdown() was called.
  absl::StatusOr<BlockingConnection> Accept(Duration timeout = Duration::Infinite());
  // Accepts no more, gives connections until `drain` to end by themselves and closes the others.
  // Returns when all is over.
  void Shutdown(Duration drain);

  // With the port that the kernel chose.
  [[nodiscard]] SocketAddress local_address() const;

 private:
  explicit BlockingListener(std::shared_ptr<BlockingListenerState> state);

  std::shared_ptr<BlockingListenerState> state_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_BLOCKING_H_
