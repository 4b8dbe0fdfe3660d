// SPDX-License-Identifier: Apache-2.0
//
// Packets of whole endpoints that belong to no connection: Version Negotiation and stateless
// resets, sent and received.
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/endpoint/endpoint_hosts.h"
#include "transport/endpoint/endpoint.h"
#include "transport/wire/stateless_packets.h"

namespace godwit {
namespace {

using Kind = ConnectionEvent::Kind;

class EndpointStatelessTest : public testing::Test {
 protected:
  EndpointStatelessTest() {
    SeededRandom random(77);
    reset_key_ = SecretKey::Generate(random);
    StartServer(2);
    network_.Add(&client_);
  }

  // The same server after a crash: it has its keys and nothing else.
  void RestartServer() {
    network_.Remove(server_.get());
    StartServer(3);
  }
  void StartServer(uint64_t seed) {
    server_ =
        std::make_unique<EndpointHost>(EndpointHost::Options{.role = HostRole::kServer,
                                                             .address = "192.0.2.9:443",
                                                             .config = server_config_,
                                                             .stateless_reset_key = reset_key_,
                                                             .seed = seed});
    network_.Add(server_.get());
  }
  // Something to send on that connection.
  void Write(ConnectionHandle handle) {
    Connection* const connection = client_.endpoint().Find(handle);
    const StreamId stream = *connection->OpenStream(StreamDirection::kUnidirectional);
    ASSERT_TRUE(connection->WriteStream(stream, std::vector<uint8_t>(500, 1)).ok());
  }
  FourTuple FromStranger() const {
    return {.local = *SocketAddress::Parse("198.51.100.7:5000"), .peer = server_->address()};
  }
  static std::vector<uint8_t> LongPacket(uint32_t version, size_t size) {
    std::vector<uint8_t> bytes(size, 0);
    bytes[0] = 0xc0;
    for (int i = 0; i < 4; ++i) bytes[1 + i] = static_cast<uint8_t>(version >> (24 - 8 * i));
    bytes[5] = 8;
    bytes[6 + 8] = 3;
    return bytes;
  }
  static std::vector<uint8_t> ShortPacket(size_t size) {
    std::vector<uint8_t> bytes(size, 0x33);
    bytes[0] = 0x40;
    return bytes;
  }

  EndpointConfig server_config_;
  std::optional<SecretKey> reset_key_;
  EndpointHost client_{{.address = "192.0.2.1:1000", .seed = 1}};
  std::unique_ptr<EndpointHost> server_;
  EndpointNetwork network_;
};

// ---- Version Negotiation ----

TEST_F(EndpointStatelessTest, UnknownVersionIsAnswered) {
  server_->Receive({{FromStranger(), LongPacket(0xface, 1'200)}}, network_.now());

  const std::vector<SentDatagram> sent = server_->TakeSent();
  ASSERT_EQ(sent.size(), 1);
  EXPECT_TRUE(VersionNegotiationPacket::Parse(sent.front().bytes).has_value());
  EXPECT_EQ(sent.front().four_tuple.peer, FromStranger().local);
  EXPECT_EQ(server_->endpoint().stats().version_negotiations_sent, 1);
  EXPECT_EQ(server_->endpoint().stats().dropped_because(DropReason::kUnknownVersion), 1);
}

TEST_F(EndpointStatelessTest, VersionNegotiationIsNotAnswered) {
  server_->Receive({{FromStranger(), LongPacket(0, 1'200)}}, network_.now());

  EXPECT_TRUE(server_->TakeSent().empty());
}

TEST_F(EndpointStatelessTest, ClientDoesNotNegotiateVersions) {
  client_.Receive(
      {{{.local = FromStranger().local, .peer = client_.address()}, LongPacket(0xface, 1'200)}},
      network_.now());

  EXPECT_TRUE(client_.TakeSent().empty());
}

// ---- Stateless resets sent ----

TEST_F(EndpointStatelessTest, PacketOfNoConnectionGetsASmallerReset) {
  server_->Receive({{FromStranger(), ShortPacket(100)}}, network_.now());

  const std::vector<SentDatagram> sent = server_->TakeSent();
  ASSERT_EQ(sent.size(), 1);
  EXPECT_LT(sent.front().bytes.size(), 100);
  EXPECT_EQ(server_->endpoint().stats().stateless_resets_sent, 1);
}

TEST_F(EndpointStatelessTest, PacketThatIsNotOfQuicGetsNone) {
  std::vector<uint8_t> bytes = ShortPacket(100);
  bytes[0] = 0x00;

  server_->Receive({{FromStranger(), bytes}, {FromStranger(), ShortPacket(22)}}, network_.now());

  EXPECT_TRUE(server_->TakeSent().empty());
}

TEST_F(EndpointStatelessTest, ResetsKeepToTheirRate) {
  for (int i = 0; i < 1'200; ++i) {
    server_->Receive({{FromStranger(), ShortPacket(100)}}, network_.now());
  }

  EXPECT_EQ(server_->TakeSent().size(), 1'000);
  EXPECT_EQ(server_->endpoint().stats().dropped_because(DropReason::kRateLimited), 200);
}

// ---- Stateless resets received ----

TEST_F(EndpointStatelessTest, RestartedServerEndsTheConnectionsOfItsFormerLife) {
  const ConnectionHandle handle = network_.Connect(client_, *server_);
  RestartServer();

  Write(handle);
  network_.RunUntilQuiet();

  ASSERT_EQ(client_.close_reasons.size(), 1);
  EXPECT_EQ(client_.close_reasons.front().cause, CloseReason::Cause::kStatelessReset);
  EXPECT_EQ(client_.endpoint().stats().stateless_resets_received, 1);
  EXPECT_EQ(client_.endpoint().stats().connections, 1);
  network_.RunFor(Duration::Seconds(5));
  EXPECT_EQ(client_.endpoint().stats().connections, 0);
}

TEST_F(EndpointStatelessTest, ResetsAfterTheFirstEndNothingAndAreNotAnswered) {
  const ConnectionHandle handle = network_.Connect(client_, *server_);
  RestartServer();

  for (int i = 0; i < 5; ++i) {
    Write(handle);
    client_.Drain(network_.now());
  }
  network_.RunUntilQuiet();

  EXPECT_GE(server_->endpoint().stats().stateless_resets_sent, 5);
  EXPECT_EQ(client_.close_reasons.size(), 1);
  EXPECT_EQ(client_.endpoint().stats().stateless_resets_received, 1);
  EXPECT_EQ(client_.endpoint().stats().stateless_resets_sent, 0);
}

TEST_F(EndpointStatelessTest, AResetOfAConnectionThatIsClosingIsNotAnswered) {
  const ConnectionHandle handle = network_.Connect(client_, *server_);
  RestartServer();

  client_.endpoint().Find(handle)->Close(0, "", network_.now());
  network_.RunUntilQuiet();

  EXPECT_GE(server_->endpoint().stats().stateless_resets_sent, 1);
  EXPECT_EQ(client_.endpoint().stats().stateless_resets_sent, 0);
  EXPECT_EQ(client_.close_reasons.front().cause, CloseReason::Cause::kApplication);
}

TEST_F(EndpointStatelessTest, OneOfManyConnectionsIsReset) {
  std::vector<ConnectionHandle> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(network_.Connect(client_, *server_));
  RestartServer();

  Write(handles[2]);
  network_.RunUntilQuiet();

  EXPECT_EQ(client_.close_reasons.size(), 1);
  EXPECT_EQ(client_.endpoint().Find(handles[2]), nullptr);
  EXPECT_NE(client_.endpoint().Find(handles[1]), nullptr);
}

TEST_F(EndpointStatelessTest, OneOfMoreConnectionsThanAreAskedAtOnceIsReset) {
  std::vector<ConnectionHandle> handles;
  for (int i = 0; i < 80; ++i) handles.push_back(network_.Connect(client_, *server_));
  network_.RunFor(Duration::Seconds(2));
  RestartServer();

  Write(handles[79]);
  network_.RunFor(Duration::Seconds(20));

  EXPECT_EQ(client_.endpoint().stats().stateless_resets_received, 1);
  EXPECT_EQ(client_.endpoint().Find(handles[79]), nullptr);
}

TEST_F(EndpointStatelessTest, ResetFromAnotherAddressIsIgnored) {
  const ConnectionHandle handle = network_.Connect(client_, *server_);
  RestartServer();
  Write(handle);
  client_.Drain(network_.now());
  server_->Receive(client_.TakeSent(), network_.now());
  std::vector<SentDatagram> resets = server_->TakeSent();
  ASSERT_FALSE(resets.empty());

  for (SentDatagram& reset : resets) reset.four_tuple.local = FromStranger().local;
  client_.Receive(resets, network_.now());

  EXPECT_TRUE(client_.close_reasons.empty());
  EXPECT_NE(client_.endpoint().Find(handle), nullptr);
}

TEST_F(EndpointStatelessTest, ServerWithAnotherKeyResetsNothing) {
  const ConnectionHandle handle = network_.Connect(client_, *server_);
  reset_key_.reset();
  RestartServer();

  Write(handle);
  network_.RunFor(Duration::Seconds(3));

  EXPECT_TRUE(client_.close_reasons.empty());
  EXPECT_GT(server_->endpoint().stats().stateless_resets_sent, 0);
}

}  // namespace
}  // namespace godwit
