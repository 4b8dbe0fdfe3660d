// SPDX-License-Identifier: Apache-2.0
//
// Which first packets open a connection at an endpoint, and what comes of those that do not.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/endpoint/endpoint_hosts.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {
namespace {

using Kind = ConnectionEvent::Kind;

class EndpointAcceptTest : public testing::Test {
 protected:
  void StartServer(const EndpointConfig& config, ConnectionIdGenerator* connection_ids = nullptr,
                   TlsServerFactory* tls_servers = nullptr) {
    server_ = std::make_unique<EndpointHost>(EndpointHost::Options{.role = HostRole::kServer,
                                                                   .address = "192.0.2.9:443",
                                                                   .config = config,
                                                                   .connection_ids = connection_ids,
                                                                   .tls_servers = tls_servers,
                                                                   .seed = 2});
    network_.Add(server_.get());
  }
  EndpointHost& AddClient(const std::string& address) {
    clients_.push_back(std::make_unique<EndpointHost>(
        EndpointHost::Options{.address = address, .seed = 10 + clients_.size()}));
    network_.Add(clients_.back().get());
    return *clients_.back();
  }

  // What a new client sends first.
  std::vector<SentDatagram> FirstFlight(EndpointHost& client) {
    EXPECT_TRUE(client.endpoint()
                    .Connect({.four_tuple = {.local = client.address(), .peer = server_->address()},
                              .server_name = "server",
                              .resumption_ticket = {}},
                             network_.now())
                    .ok());
    client.Drain(network_.now());
    return client.TakeSent();
  }

  const EndpointStats& stats() { return server_->endpoint().stats(); }

  EndpointNetwork network_;
  std::unique_ptr<EndpointHost> server_;
  std::vector<std::unique_ptr<EndpointHost>> clients_;
};

// ---- First packets that are none ----

TEST_F(EndpointAcceptTest, FirstPacketOpensAHalfOpenConnectionOfWhichNobodyHears) {
  StartServer({});

  server_->Receive(FirstFlight(AddClient("192.0.2.1:1000")), network_.now());

  EXPECT_EQ(stats().half_open, 1);
  EXPECT_TRUE(server_->events.empty());
}

TEST_F(EndpointAcceptTest, HandshakeThatNeverEndsIsForgottenUnheard) {
  StartServer({});
  EndpointHost& client = AddClient("192.0.2.1:1000");
  server_->Receive(FirstFlight(client), network_.now());
  network_.Remove(&client);

  network_.RunFor(Duration::Seconds(15));

  EXPECT_TRUE(server_->events.empty());
  EXPECT_EQ(stats().connections, 0);
  EXPECT_EQ(stats().half_open, 0);
  EXPECT_EQ(stats().connections_closed, 1);
}

TEST_F(EndpointAcceptTest, PacketThatIsNotAuthenticOpensNothing) {
  StartServer({});
  std::vector<SentDatagram> flight = FirstFlight(AddClient("192.0.2.1:1000"));
  for (SentDatagram& datagram : flight) datagram.bytes[600] ^= 1;

  server_->Receive(flight, network_.now());

  EXPECT_EQ(stats().connections, 0);
  EXPECT_EQ(stats().connections_accepted, 0);
  EXPECT_EQ(stats().connections_discarded, flight.size());
  EXPECT_EQ(stats().dropped_because(DropReason::kDecryptFailed), flight.size());
  EXPECT_TRUE(server_->TakeSent().empty());
}

TEST_F(EndpointAcceptTest, SmallDatagramOpensNothing) {
  StartServer({});
  std::vector<SentDatagram> flight = FirstFlight(AddClient("192.0.2.1:1000"));
  flight.resize(1);
  flight.front().bytes.resize(1'199);

  server_->Receive(flight, network_.now());

  EXPECT_EQ(stats().dropped_because(DropReason::kInitialTooSmall), 1);
  EXPECT_EQ(stats().connections, 0);
}

TEST_F(EndpointAcceptTest, ShortDestinationIdOpensNothing) {
  StartServer({});
  std::vector<SentDatagram> flight = FirstFlight(AddClient("192.0.2.1:1000"));
  flight.resize(1);
  std::vector<uint8_t>& bytes = flight.front().bytes;
  ASSERT_EQ(bytes[5], 8);  // The size of the id.
  bytes[5] = 7;
  bytes.erase(bytes.begin() + 6);
  bytes.push_back(0);

  server_->Receive(flight, network_.now());

  EXPECT_EQ(stats().dropped_because(DropReason::kInitialConnectionIdTooShort), 1);
}

TEST_F(EndpointAcceptTest, LongIdAndMissingFixedBitAreInvalid) {
  StartServer({});
  std::vector<SentDatagram> flight = FirstFlight(AddClient("192.0.2.1:1000"));
  flight.resize(1, {});
  flight.push_back(flight.front());
  flight[0].bytes[5] = 21;
  flight[1].bytes[0] &= 0xbf;

  server_->Receive(flight, network_.now());

  EXPECT_EQ(stats().dropped_because(DropReason::kInvalidHeader), 2);
}

TEST_F(EndpointAcceptTest, OtherLongPacketsOpenNothing) {
  StartServer({});
  std::vector<SentDatagram> flight = FirstFlight(AddClient("192.0.2.1:1000"));
  flight.resize(1);
  flight.front().bytes[0] |= 0x20;  // Handshake.

  server_->Receive(flight, network_.now());

  EXPECT_EQ(stats().dropped_because(DropReason::kUnknownConnectionId), 1);
  EXPECT_TRUE(server_->TakeSent().empty());
}

TEST_F(EndpointAcceptTest, BytesThatAreNoPacketAreTooShort) {
  StartServer({});
  const FourTuple from = {.local = *SocketAddress::Parse("192.0.2.1:1"),
                          .peer = server_->address()};

  server_->Receive({{from, {}}, {from, {0x40}}, {from, {0xc0, 0, 0}}}, network_.now());

  EXPECT_EQ(stats().dropped_because(DropReason::kTooShort), 3);
}

TEST_F(EndpointAcceptTest, EndpointWithoutServerAcceptsNothing) {
  StartServer({});
  EndpointHost& client = AddClient("192.0.2.1:1000");
  EndpointHost& other = AddClient("192.0.2.2:1000");
  const std::vector<SentDatagram> flight = FirstFlight(client);

  other.Receive(flight, network_.now());

  EXPECT_EQ(other.endpoint().stats().dropped_because(DropReason::kUnknownConnectionId),
            flight.size());
  EXPECT_EQ(other.endpoint().connection_count(), 0);
}

// ---- Limits ----

TEST_F(EndpointAcceptTest, ClientBeyondTheLimitIsToldSo) {
  EndpointConfig config;
  config.max_connections = 1;
  StartServer(config);
  network_.Connect(AddClient("192.0.2.1:1000"), *server_);
  EndpointHost& second = AddClient("192.0.2.2:1000");

  network_.Connect(second, *server_);

  ASSERT_EQ(second.close_reasons.size(), 1);
  EXPECT_EQ(second.close_reasons.front().cause, CloseReason::Cause::kPeerTransportError);
  EXPECT_EQ(second.close_reasons.front().error_code,
            static_cast<uint64_t>(TransportErrorCode::kConnectionRefused));
  EXPECT_GE(stats().refused_because(RefusalReason::kTooManyConnections), 1);
  EXPECT_GE(stats().dropped_because(DropReason::kConnectionRefused), 1);
  EXPECT_EQ(stats().connections, 1);
  EXPECT_GE(stats().refusals_sent, 1);
}

TEST_F(EndpointAcceptTest, ClientForWhomThereIsNoConnectionIdIsToldSo) {
  class OneId final : public ConnectionIdGenerator {
   public:
    size_t size_bytes() const override { return 8; }
    ConnectionId Generate() override { return *ConnectionId::FromBytes(bytes_); }

   private:
    const std::array<uint8_t, 8> bytes_ = {1, 2, 3, 4, 5, 6, 7, 8};
  };
  OneId ids;
  StartServer({}, &ids);
  network_.Connect(AddClient("192.0.2.1:1000"), *server_);
  EndpointHost& second = AddClient("192.0.2.2:1000");

  network_.Connect(second, *server_);

  EXPECT_GE(stats().refused_because(RefusalReason::kNoConnectionId), 1);
  EXPECT_EQ(stats().connections_accepted, 1);
  EXPECT_EQ(second.close_reasons.size(), 1);
  server_.reset();
}

TEST_F(EndpointAcceptTest, ClientForWhomThereIsNoTlsSessionIsToldSo) {
  class NoSessions final : public TlsServerFactory {
   public:
    absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
        const TlsServerSessionOptions& /*options*/) override {
      return absl::ResourceExhaustedError("no memory");
    }
  };
  NoSessions sessions;
  StartServer({}, nullptr, &sessions);
  EndpointHost& client = AddClient("192.0.2.1:1000");

  network_.Connect(client, *server_);

  EXPECT_GE(stats().refused_because(RefusalReason::kTlsFailed), 1);
  EXPECT_EQ(stats().connections_accepted, 0);
  EXPECT_EQ(client.close_reasons.size(), 1);
  server_.reset();
}

TEST_F(EndpointAcceptTest, StoppedEndpointRefusesAndServesWhatItHas) {
  StartServer({});
  EndpointHost& first = AddClient("192.0.2.1:1000");
  const ConnectionHandle handle = network_.Connect(first, *server_);
  EndpointHost& second = AddClient("192.0.2.2:1000");

  server_->endpoint().StopAccepting();
  network_.Connect(second, *server_);
  first.endpoint().Find(handle)->Close(5, "", network_.now());
  network_.RunUntilQuiet();

  EXPECT_GE(stats().refused_because(RefusalReason::kStopped), 1);
  EXPECT_EQ(second.close_reasons.size(), 1);
  EXPECT_EQ(server_->CountEvents(Kind::kClosed), 1);
}

TEST_F(EndpointAcceptTest, ClientThatFindsTooManyHalfOpenComesInLater) {
  EndpointConfig config;
  config.max_half_open = 1;
  config.connection.handshake_timeout = Duration::Seconds(1);
  StartServer(config);
  EndpointHost& silent = AddClient("192.0.2.1:1000");
  server_->Receive(FirstFlight(silent), network_.now());
  network_.Remove(&silent);
  EndpointHost& patient = AddClient("192.0.2.2:1000");

  const ConnectionHandle handle = network_.Connect(patient, *server_);
  EXPECT_FALSE(patient.endpoint().Find(handle)->is_handshake_complete());
  EXPECT_GE(stats().refused_because(RefusalReason::kTooManyHalfOpen), 1);
  EXPECT_EQ(stats().refusals_sent, 0);

  network_.RunFor(Duration::Seconds(8));
  EXPECT_TRUE(patient.endpoint().Find(handle)->is_handshake_complete());
}

TEST_F(EndpointAcceptTest, SourceThatComesTooFastWaits) {
  EndpointConfig config;
  config.max_accepts_per_second_per_source = 2;
  StartServer(config);
  std::vector<std::pair<EndpointHost*, ConnectionHandle>> opened;
  for (int i = 1; i <= 4; ++i) {
    EndpointHost& client = AddClient("192.0.2." + std::to_string(i) + ":1000");
    opened.emplace_back(&client, network_.Connect(client, *server_));
  }
  EXPECT_EQ(stats().connections_accepted, 2);
  EXPECT_GE(stats().refused_because(RefusalReason::kSourceRate), 2);

  EndpointHost& elsewhere = AddClient("198.51.100.1:1000");
  network_.Connect(elsewhere, *server_);
  EXPECT_EQ(stats().connections_accepted, 3);

  network_.RunFor(Duration::Seconds(8));
  for (const auto& [client, handle] : opened) {
    EXPECT_TRUE(client->endpoint().Find(handle)->is_handshake_complete());
  }
}

TEST_F(EndpointAcceptTest, RefusedClientsCostNoConnection) {
  EndpointConfig config;
  config.max_connections = 1;
  config.stateless_replies_per_second = 5;
  StartServer(config);
  network_.Connect(AddClient("192.0.2.1:1000"), *server_);
  EndpointHost& flooder = AddClient("192.0.2.2:1000");

  for (int i = 0; i < 20; ++i) server_->Receive(FirstFlight(flooder), network_.now());

  EXPECT_EQ(stats().connections, 1);
  EXPECT_EQ(stats().refusals_sent, 5);
  EXPECT_GE(stats().dropped_because(DropReason::kRateLimited), 15);
}

}  // namespace
}  // namespace godwit
