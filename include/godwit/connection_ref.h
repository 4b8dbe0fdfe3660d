// SPDX-License-Identifier: Apache-2.0
//
// ConnectionRef: one connection, as an application sees it: streams, datagrams, its end, its
// numbers. RFC 9000 §2, RFC 9221.
//
// A small value that names a connection; copies name the same one. It does not keep the connection
// or the engine alive, and stays harmless when they are gone: every call then fails with NotFound.
// Nothing is sent inside of a call, and no event comes: both follow when the engine is asked, which
// godwit's own loops do by themselves.
//
// Threads: used on the thread of the engine alone (checked in debug builds where that is the loop
// of a Client or of a Server's shard); copied and destroyed on any.
#ifndef GODWIT_INCLUDE_CONNECTION_REF_H_
#define GODWIT_INCLUDE_CONNECTION_REF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

#include "godwit/close_reason.h"
#include "godwit/connection_handle.h"
#include "godwit/connection_stats.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "godwit/public_key_hash.h"
#include "godwit/stream_id.h"
#include "godwit/stream_priority.h"
#include "godwit/stream_read_state.h"

namespace godwit {

struct EngineLink;

// Who is at the other end and how one talks to it. What TLS says is known from the event
// kHandshakeComplete on.
struct ConnectionInfo {
  Perspective perspective = Perspective::kClient;
  FourTuple four_tuple;
  bool is_handshake_complete = false;
  bool is_session_resumed = false;
  std::string application_protocol;  // ALPN.
  std::string server_name;           // That the client asked for.
  std::string cipher_suite;
  std::string key_exchange_group;
  // Of the peer's certificate; none if it has shown none.
  std::optional<PublicKeyHash> peer_public_key_hash;
};

struct StreamReadResult {
  size_t bytes = 0;
  bool is_end = false;  // These were the last of the stream.
};

class ConnectionRef {
 public:
  ConnectionRef() = default;  // Names nothing.
  ConnectionRef(std::shared_ptr<const EngineLink> engine, ConnectionHandle handle)
      : engine_(std::move(engine)), handle_(handle) {}

  [[nodiscard]] ConnectionHandle handle() const { return handle_; }
  // The connection exists and has not begun to close.
  [[nodiscard]] bool is_open() const;

  // ---- Streams. Errors say what to do; nothing changes with one. ----

  // ResourceExhausted if the peer's limit is reached: the event kStreamsAvailable follows.
  absl::StatusOr<StreamId> OpenStream(StreamDirection direction);

  // How many bytes were taken, from the front. If fewer than given, the event kWritable follows
  // when there is room for more: StreamConfig::max_send_buffer_bytes. The first two copy; a Cord is
  // kept without copying large pieces.
  absl::StatusOr<uint64_t> Write(StreamId stream, std::span<const uint8_t> data);
  absl::StatusOr<uint64_t> Write(StreamId stream, std::string_view data);
  absl::StatusOr<uint64_t> Write(StreamId stream, const absl::Cord& data);
  // What was written is all.
  absl::Status Finish(StreamId stream);
  // Gives up sending; what has not arrived may never do so. `error_code` is the application's,
  // below 2^62.
  absl::Status Reset(StreamId stream, uint64_t error_code);
  // Gives up reading, and asks the peer to give up sending.
  absl::Status StopSending(StreamId stream, uint64_t error_code);
  absl::Status SetPriority(StreamId stream, StreamPriority priority);

  // Reading without a copy: fills `views` with the next readable bytes and says how many views.
  // What is not consumed counts against the flow control window: that is how a slow reader slows
  // its peer down.
  // The views are valid until the next call on any connection of the engine that is not const, but
  // for Write() and SendDatagram(): these copy what they take and leave all views as they are. So
  // views can be passed on one after the other, to any stream of any connection, and what was taken
  // of them consumed after that. A Cord that is to outlive the views must own its bytes. With the
  // end of the application's callback all views end: their memory belongs to the next datagrams.
  absl::StatusOr<size_t> Peek(StreamId stream, std::span<std::span<const uint8_t>> views) const;
  // The first `byte_count` readable bytes are done with.
  absl::Status Consume(StreamId stream, uint64_t byte_count);
  // Peek, copy and consume. 0 bytes: none are there yet, or the stream is at its end.
  absl::StatusOr<StreamReadResult> Read(StreamId stream, std::span<uint8_t> into);
  // NotFound also after a stream whose end was read.
  absl::StatusOr<StreamReadState> ReadState(StreamId stream) const;

  // ---- Datagrams ----

  // Copies it. The id under which its fate is told (the event kDatagramFeedback).
  absl::StatusOr<uint64_t> SendDatagram(std::span<const uint8_t> payload);
  absl::StatusOr<uint64_t> SendDatagram(std::string_view payload);
  // What SendDatagram() takes at most; it changes with the path. 0: the peer takes none.
  [[nodiscard]] uint64_t max_datagram_payload_bytes() const;
  // The next received one; valid as long as what Peek() shows.
  [[nodiscard]] std::optional<std::span<const uint8_t>> PeekDatagram() const;
  // Does nothing if there is none.
  void PopDatagram();

  // ---- The whole ----

  // Ends all streams at once; the peer's application gets code (below 2^62) and reason (UTF-8).
  // The event kClosed follows. OK also if it is closed already.
  absl::Status Close(uint64_t error_code, std::string_view reason);
  // RFC 9001 §6. Keys are also updated without it before their limits.
  absl::Status UpdateKeys();
  // By the name of one that comes with the library or was registered in the configuration.
  absl::Status SwitchCongestionController(std::string_view name);

  absl::StatusOr<ConnectionStats> Stats() const;
  absl::StatusOr<ConnectionInfo> Info() const;
  // Why it was closed; none while it is open, or when all of it is gone.
  [[nodiscard]] std::optional<CloseReason> close_reason() const;

  friend bool operator==(const ConnectionRef& a, const ConnectionRef& b) {
    return a.engine_ == b.engine_ && a.handle_ == b.handle_;
  }

 private:
  std::shared_ptr<const EngineLink> engine_;
  ConnectionHandle handle_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_REF_H_
