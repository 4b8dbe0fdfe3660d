// SPDX-License-Identifier: Apache-2.0
//
// Requests of 512 bytes and responses of 4,000 between two engines in memory, a bidirectional
// stream each, so many of them at once, in virtual time: what bench/latency does, without sockets
// and clocks. It measures nothing by itself: bench/request_instructions.py has valgrind count what
// the turns of the two sides take, which is the same in every run.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/seeded_random.h"
#include "bench/exchange_run.h"
#include "bench/quic_stream.h"
#include "bench/self_signed.h"
#include "godwit/datagram.h"
#include "godwit/engine.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {
namespace {

constexpr Duration kTick = Duration::Microseconds(100);
constexpr size_t kMaxDatagramsAtOnce = 128;  // As runtime/engine_host has it.

SocketAddress LoopbackAddress(uint16_t port) {
  constexpr std::array<uint8_t, 4> kLoopback = {127, 0, 0, 1};
  return SocketAddress::FromIpv4(kLoopback, port);
}

// One engine, and the datagrams that are on their way to it.
struct Side {
  std::unique_ptr<SeededRandom> random;
  std::unique_ptr<Engine> engine;
  FourTuple incoming;
  std::vector<std::vector<uint8_t>> arriving;
  std::vector<std::vector<uint8_t>> arrived;
};

class RequestPair {
 public:
  explicit RequestPair(uint64_t outstanding) : outstanding_(outstanding) {
    const auto certificate = NewSelfSigned(CertificateKind::kEd25519);
    GODWIT_CHECK(certificate.ok());
    EngineConfig config;
    config.endpoint.connection.streams.max_streams_bidi = 20'000;
    config.endpoint.connection.idle.max_idle_timeout = Duration::Seconds(3'600);
    EngineConfig server_config = config;
    server_config.tls_server.emplace();
    server_config.tls_server->certificates = {*certificate};
    server_config.tls_server->application_protocols = {"requests"};
    server_config.tls_server->tickets_per_handshake = 0;
    config.tls_client.emplace();
    config.tls_client->application_protocols = {"requests"};
    config.tls_client->server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
    client_.incoming = {.local = LoopbackAddress(4001), .peer = LoopbackAddress(4433)};
    server_.incoming = {.local = client_.incoming.peer, .peer = client_.incoming.local};
    Start(config, 1, client_);
    Start(server_config, 2, server_);
    connection_ = *client_.engine->Connect(client_.incoming, "", now_);
  }

  // Until so many requests have their response.
  void Run(uint64_t request_count) {
    while (done_ < request_count) {
      now_ = now_ + kTick;
      Arrive(client_);
      ClientTurn();
      for (ClientTransmit(); !transmit_.payload.empty(); ClientTransmit()) Carry(server_);
      Arrive(server_);
      ServerTurn();
      for (ServerTransmit(); !transmit_.payload.empty(); ServerTransmit()) Carry(client_);
    }
  }

  uint64_t done() const { return done_; }

  // What is counted.
  [[gnu::noinline]] void ClientTurn() {
    Turn(client_, [this](const EngineEvent& event) { OnClientEvent(event); });
  }
  [[gnu::noinline]] void ClientTransmit() { transmit_ = client_.engine->PollTransmit(now_); }
  [[gnu::noinline]] void ServerTurn() {
    Turn(server_, [this](const EngineEvent& event) { OnServerEvent(event); });
  }
  [[gnu::noinline]] void ServerTransmit() { transmit_ = server_.engine->PollTransmit(now_); }

 private:
  void Start(const EngineConfig& config, uint64_t seed, Side& side) {
    side.random = std::make_unique<SeededRandom>(seed);
    auto engine = Engine::Create(config, {.random = side.random.get()}, now_,
                                 UnixTime::FromSeconds(1'800'000'000));
    GODWIT_CHECK(engine.ok());
    side.engine = *std::move(engine);
  }

  void Arrive(Side& side) {
    side.arrived = std::exchange(side.arriving, {});
    datagrams_.clear();
    for (std::vector<uint8_t>& bytes : side.arrived) {
      datagrams_.push_back({.payload = bytes, .four_tuple = side.incoming, .received_at = now_});
    }
  }

  template <typename OnEvent>
  void Turn(Side& side, OnEvent on_event) {
    Engine& engine = *side.engine;
    if (engine.NextWakeup() <= now_) engine.OnTimeout(now_);
    std::span<ReceivedDatagram> rest = datagrams_;
    while (!rest.empty()) {
      const size_t count = std::min(rest.size(), kMaxDatagramsAtOnce);
      engine.OnDatagrams(rest.first(count), now_);
      while (const auto event = engine.PollEvent()) on_event(*event);
      rest = rest.subspan(count);
    }
    while (const auto event = engine.PollEvent()) on_event(*event);
  }

  // Stands for the kernel.
  void Carry(Side& to) {
    for (size_t i = 0; i < transmit_.segment_count(); ++i) {
      const std::span<const uint8_t> segment = transmit_.segment(i);
      to.arriving.emplace_back(segment.begin(), segment.end());
    }
  }

  void OnClientEvent(const EngineEvent& event) {
    if (event.event.kind == ConnectionEvent::Kind::kHandshakeComplete) return StartRequests();
    if (event.event.kind != ConnectionEvent::Kind::kStream) return;
    const StreamEvent& stream = event.event.stream;
    ConnectionRef connection = client_.engine->connection(event.connection);
    if (stream.kind == StreamEvent::Kind::kStreamsAvailable) return StartRequests();
    if (stream.kind == StreamEvent::Kind::kReadable ||
        stream.kind == StreamEvent::Kind::kFinished) {
      TakeResponse(connection, stream.id);
    }
  }

  void StartRequests() {
    while (under_way_ < outstanding_) {
      const auto stream = connection_.OpenStream(StreamDirection::kBidirectional);
      if (!stream.ok()) return;
      responses_.Add(*stream);
      ++under_way_;
      GODWIT_CHECK(connection_.Write(*stream, request_).ok());
      GODWIT_CHECK(connection_.Finish(*stream).ok());
    }
  }

  void TakeResponse(ConnectionRef& connection, StreamId stream) {
    uint64_t* const received = responses_.Find(stream);
    if (received == nullptr) return;
    const DrainedBytes drained = DrainStream(connection, stream);
    *received += drained.bytes;
    if (!drained.is_end) return;
    GODWIT_CHECK_EQ(*received, kResponseBytes);
    responses_.Remove(stream);
    --under_way_;
    ++done_;
    StartRequests();
  }

  void OnServerEvent(const EngineEvent& event) {
    if (event.event.kind != ConnectionEvent::Kind::kStream) return;
    const StreamEvent& stream = event.event.stream;
    ConnectionRef connection = server_.engine->connection(event.connection);
    if (stream.kind == StreamEvent::Kind::kOpened) {
      requests_.Add(stream.id);
    } else if (stream.kind == StreamEvent::Kind::kReadable ||
               stream.kind == StreamEvent::Kind::kFinished) {
      Answer(connection, stream.id);
    }
  }

  void Answer(ConnectionRef& connection, StreamId stream) {
    uint64_t* const received = requests_.Find(stream);
    if (received == nullptr) return;
    const DrainedBytes drained = DrainStream(connection, stream);
    *received += drained.bytes;
    if (!drained.is_end) return;
    GODWIT_CHECK_EQ(*received, kRequestBytes);
    requests_.Remove(stream);
    const auto written = connection.Write(stream, response_);
    GODWIT_CHECK(written.ok() && *written == response_.size());
    GODWIT_CHECK(connection.Finish(stream).ok());
  }

  const uint64_t outstanding_;
  const std::vector<uint8_t> request_ = std::vector<uint8_t>(kRequestBytes);
  const std::vector<uint8_t> response_ = std::vector<uint8_t>(kResponseBytes);
  Timestamp now_ = Timestamp() + Duration::Seconds(1);
  Side client_;
  Side server_;
  ConnectionRef connection_;
  Transmit transmit_;
  std::vector<ReceivedDatagram> datagrams_;
  ByStreamIndex<uint64_t> responses_;  // Bytes that have come of each.
  ByStreamIndex<uint64_t> requests_;
  uint64_t under_way_ = 0;
  uint64_t done_ = 0;
};

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  const uint64_t outstanding = argc == 3 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const uint64_t requests = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (outstanding == 0 || requests == 0) {
    std::fprintf(stderr, "usage: %s OUTSTANDING REQUESTS\n", argv[0]);
    return 2;
  }
  godwit::RequestPair pair(outstanding);
  pair.Run(requests);
  std::printf("requests %llu\n", static_cast<unsigned long long>(pair.done()));
}
