// SPDX-License-Identifier: Apache-2.0
//
// PuppetStage: one connection under test, the puppet on the other side, and what both need: time,
// randomness, pools, an endpoint's small services (connection ids, calls in the right order). Time
// passes only when it is told to, and nothing is sent by itself.
//
// After each step the connection's invariants are checked; the memory of delivered datagrams is
// gone as soon as the connection may not use it any more.
#ifndef GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_STAGE_H_
#define GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_STAGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/limits.h"
#include "base/seeded_random.h"
#include "crypto/deterministic_tls_session.h"
#include "crypto/tls_session.h"
#include "godwit/connection_id.h"
#include "godwit/drop_reason.h"
#include "godwit/ecn.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "tests/transport/connection/puppet_peer.h"
#include "tests/transport/connection/raw_frames.h"
#include "transport/connection/connection.h"
#include "transport/connection/connection_scratch.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

// Limits that no test reaches by accident.
TransportParameters GenerousParameters();

struct StageOptions {
  Perspective subject = Perspective::kServer;
  // `controller` may be left out.
  ConnectionConfig config = {};
  DeterministicTlsConfig subject_tls = {};
  DeterministicTlsConfig puppet_tls = {};
  // Instead of the deterministic ones. They outlive the stage.
  TlsServerFactory* servers = nullptr;
  const TlsClientFactory* clients = nullptr;
  std::string server_name = "server.example";
  // The connection ids of the handshake are added.
  TransportParameters puppet_parameters = GenerousParameters();
  // May spoil them again.
  void (*edit_parameters)(TransportParameters&) = nullptr;
  // Instead of all that.
  std::optional<raw::Bytes> puppet_parameter_block = std::nullopt;
  size_t subject_id_bytes = 8;
  size_t puppet_id_bytes = 8;
  // Whether the connection gets the connection ids that it wants for its peer.
  bool gives_connection_ids = true;
  uint64_t seed = 1;
};

class PuppetStage final : private EventSink {
 public:
  explicit PuppetStage(const StageOptions& options = {});
  ~PuppetStage() override;

  Connection& subject() { return *subject_; }
  PuppetPeer& puppet() { return *puppet_; }
  TlsTime time() const { return now_; }
  Timestamp now() const { return now_.now; }

  // ---- Addresses, as the connection sees them ----

  const FourTuple& first_path() const { return first_path_; }
  // The puppet elsewhere: other ports, or other IP addresses, for other numbers.
  FourTuple PathWithPuppetPort(uint16_t number) const;
  FourTuple PathWithPuppetIp(uint8_t number) const;
  // From where Deliver() and those that use it come.
  void MovePuppet(const FourTuple& path) { path_ = path; }

  // ---- To the connection ----

  void Deliver(raw::Bytes datagram) { DeliverBatch({std::move(datagram)}); }
  void DeliverBatch(std::vector<raw::Bytes> datagrams, EcnMark ecn = EcnMark::kNotEct);
  // Sealed, one packet in one datagram; an Initial packet of a client in one of 1200 bytes.
  void SendPacket(const PuppetPacket& packet);
  void Send(raw::Bytes frames) { SendPacket({.frames = std::move(frames)}); }
  void SendAt(EncryptionLevel level, raw::Bytes frames) {
    SendPacket({.level = level, .frames = std::move(frames)});
  }

  // ---- From the connection ----

  // Everything that it has sent since the last call or wants to send now.
  std::vector<SeenDatagram> Take();
  std::vector<SeenDatagram> Exchange(raw::Bytes frames) {
    Send(std::move(frames));
    return Take();
  }
  // The same, but nobody reads it. Says how many bytes there were.
  uint64_t Discard();
  // All that went there.
  uint64_t bytes_to(const FourTuple& path) const;

  // ---- Both ----

  // Time passes; deadlines are kept.
  void Advance(Duration duration);
  // Time passes, and the connection is not told.
  void Sleep(Duration duration);
  // Flights in both directions until nobody has anything to say.
  void Settle();
  // Settle(), and the connection's handshake is confirmed and all of it acknowledged.
  void CompleteHandshake();
  // The connection sends what it has, and the puppet reads it.
  void Pump();

  // ---- Records ----

  const std::vector<ConnectionEvent>& events() const { return events_; }
  size_t CountEvents(ConnectionEvent::Kind kind) const;
  size_t CountEvents(StreamEvent::Kind kind) const;
  const std::vector<DropReason>& drops() const { return drops_; }
  std::vector<DropReason> TakeDrops() { return std::exchange(drops_, {}); }
  const std::vector<ConnectionId>& given_ids() const { return given_ids_; }
  StatelessResetToken TokenOf(const ConnectionId& id) const;
  // Everything readable of a stream, consumed.
  raw::Bytes ReadAll(StreamId id);

 private:
  // Few, so that a sanitizer sees who uses a block that was given back.
  static constexpr size_t kFreeBlocks = 4;

  void OnPacketDropped(Timestamp /*now*/, DropReason reason, size_t /*bytes*/) override {
    drops_.push_back(reason);
  }
  ConnectionId NewId(size_t size);
  raw::Bytes PuppetParameterBlock(const ConnectionId& source,
                                  const std::optional<ConnectionId>& original_destination) const;
  void StartServer();
  void StartClient();
  void AfterStep();

  StageOptions options_;
  SeededRandom random_;
  StreamPools pools_ = {.send_blocks = SendBlockPool(kFreeBlocks),
                        .receive_blocks = ReceiveBlockPool(kFreeBlocks)};
  ConnectionScratch scratch_;
  DeterministicTlsClients clients_;
  DeterministicTlsServers servers_;
  TlsTime now_;
  FourTuple first_path_;
  FourTuple path_;
  std::unique_ptr<Connection> subject_;
  std::unique_ptr<PuppetPeer> puppet_;
  raw::Bytes transmit_buffer_ = raw::Bytes(kMaxGsoBytes);
  std::vector<SeenDatagram> outbox_;
  std::map<FourTuple, uint64_t> bytes_to_;
  std::vector<ConnectionEvent> events_;
  std::vector<DropReason> drops_;
  std::vector<ConnectionId> given_ids_;
  uint64_t last_id_ = 0;
};

// ---- Looking through what was sent ----

// The first frame of that kind; null if there is none.
template <typename F>
const F* FindFrame(const std::vector<SeenDatagram>& datagrams) {
  for (const SeenDatagram& datagram : datagrams) {
    if (const F* const frame = datagram.template Find<F>()) return frame;
  }
  return nullptr;
}
size_t CountFrames(const std::vector<SeenDatagram>& datagrams, FrameKind kind);
size_t CountPackets(const std::vector<SeenDatagram>& datagrams);
// The data of STREAM frames of `id`, by offset, without gaps from 0 on.
raw::Bytes StreamDataOf(const std::vector<SeenDatagram>& datagrams, StreamId id);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_STAGE_H_
