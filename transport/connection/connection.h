// SPDX-License-Identifier: Apache-2.0
//
// Connection: the face of one QUIC connection, client or server. Datagrams and times go in;
// datagrams, a deadline and events come out. It holds the parts and hands every call to the path
// that does it: receive_path.h, send_path.h, timeout_path.h. No protocol logic is here.
//
// It opens no socket, reads no clock, and has one thread at a time. The endpoint that owns it
// routes datagrams to it, gives it connection ids and asks it for what is to be sent.
//
// Order of use by the endpoint: OnDatagrams(), then PollEvent() until there is nothing, then
// KeepBorrowed() before the datagrams' memory is used again, then PollTransmit() until it is empty,
// then next_deadline(). After every call of the application: PollTransmit() again.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "crypto/tls_session.h"
#include "godwit/congestion_controller.h"
#include "godwit/connection_config.h"
#include "godwit/connection_event.h"
#include "godwit/connection_id.h"
#include "godwit/connection_stats.h"
#include "godwit/datagram.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/connection/connection_environment.h"
#include "transport/lifecycle/close_state.h"
#include "transport/streams/stream_map.h"

namespace godwit {

struct ConnectionParts;
struct ConnectionStart;

// How a client's connection starts.
struct ConnectParams {
  FourTuple four_tuple;
  ConnectionId local_cid;            // May be empty.
  ConnectionId initial_destination;  // Random, 8 bytes at least: RFC 9000 §7.2.
  std::string_view server_name;      // See TlsClientSessionOptions.
  std::span<const uint8_t> resumption_ticket = {};
};

// How a server's connection starts, from the client's first Initial packet.
struct AcceptParams {
  FourTuple four_tuple;
  ConnectionId local_cid;  // Ours, not empty.
  StatelessResetToken local_cid_token;
  ConnectionId original_destination;  // Of the first Initial packet.
  ConnectionId peer_cid;              // Its source connection id.
};

class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Connect(const ConnectionConfig& config,
                                                             const ConnectParams& params,
                                                             const TlsClientFactory& tls,
                                                             const ConnectionEnvironment& env,
                                                             TlsTime now);
  static absl::StatusOr<std::unique_ptr<Connection>> Accept(const ConnectionConfig& config,
                                                            const AcceptParams& params,
                                                            TlsServerFactory& tls,
                                                            const ConnectionEnvironment& env,
                                                            TlsTime now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // ---- The endpoint's side ----

  // One batch; the bytes are changed, and stay in use until KeepBorrowed().
  void OnDatagrams(std::span<const ReceivedDatagram> datagrams, TlsTime now);
  void KeepBorrowed();
  // The next train, written to `buffer` (at least one datagram's size), empty if there is nothing
  // to send now.
  Transmit PollTransmit(std::span<uint8_t> buffer, Timestamp now);
  Timestamp next_deadline() const;
  void OnTimeout(TlsTime now);
  // The kernel refused a datagram of that size (EMSGSIZE).
  void OnDatagramTooLarge(uint64_t bytes, Timestamp now);

  // How many connection ids the peer may be given.
  size_t wanted_connection_ids() const;
  void AddConnectionId(const ConnectionId& id, const StatelessResetToken& token);
  // An id of ours that need not be routed any more.
  std::optional<ConnectionId> PollRetiredConnectionId(Timestamp now);
  // Ours that were not polled as retired. One, which is empty, where ids are.
  size_t connection_id_count() const;
  const ConnectionId& connection_id(size_t index) const;
  // Whether `token`, the end of a datagram that nobody could read, resets this connection. If so
  // the connection is closed.
  bool OnPossibleStatelessReset(const StatelessResetToken& token, Timestamp now);

  // Bytes that it holds for its peer or its application, for the endpoint's budget; and what the
  // endpoint says of it: whether flow-control windows may grow.
  uint64_t held_bytes() const;
  void SetMayGrowWindows(bool may_grow);

  // ---- The application's side. Streams: see stream_map.h for errors. ----

  std::optional<ConnectionEvent> PollEvent();

  absl::StatusOr<StreamId> OpenStream(StreamDirection direction);
  absl::StatusOr<uint64_t> WriteStream(StreamId id, std::span<const uint8_t> data);
  absl::StatusOr<uint64_t> WriteStream(StreamId id, const absl::Cord& data);
  absl::Status FinishStream(StreamId id);
  absl::Status ResetStream(StreamId id, uint64_t error_code);
  absl::Status StopSending(StreamId id, uint64_t error_code);
  absl::Status SetStreamPriority(StreamId id, StreamPriority priority);
  absl::StatusOr<size_t> PeekStream(StreamId id, std::span<std::span<const uint8_t>> views) const;
  absl::Status ConsumeStream(StreamId id, uint64_t byte_count, Timestamp now);
  absl::StatusOr<StreamMap::ReadState> StreamReadState(StreamId id) const;

  // The id under which the datagram's fate is told.
  absl::StatusOr<uint64_t> SendDatagram(std::span<const uint8_t> data);
  // 0: the peer takes none.
  uint64_t max_datagram_payload_bytes() const;
  std::optional<std::span<const uint8_t>> PeekDatagram() const;
  void PopDatagram();

  void Close(uint64_t error_code, std::string_view reason, Timestamp now);
  absl::Status UpdateKeys(Timestamp now);
  void RotateConnectionIds();
  void SwitchCongestionController(const CongestionControllerFactory& factory, Timestamp now);

  // ---- What is known ----

  Perspective perspective() const;
  bool is_handshake_complete() const;
  bool is_handshake_confirmed() const;
  CloseState::Phase close_phase() const;
  const std::optional<CloseReason>& close_reason() const;
  const FourTuple& four_tuple() const;
  const TlsSession& tls() const;
  // blocked_times: up to the last change of what blocks; all others are of now.
  ConnectionStats Stats() const;
  // blocked_times too.
  ConnectionStats StatsAt(Timestamp now) const;

  void CheckInvariants() const;

 private:
  explicit Connection(std::unique_ptr<ConnectionParts> parts);
  static std::unique_ptr<Connection> Start(const ConnectionConfig& config,
                                           const ConnectionEnvironment& env,
                                           const ConnectionStart& start,
                                           std::unique_ptr<TlsSession> session);
  absl::Status CheckUsable() const;
  // After every call in which it may have been closed.
  void StopTallyIfClosed(Timestamp now);

  std::unique_ptr<ConnectionParts> parts_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_H_
