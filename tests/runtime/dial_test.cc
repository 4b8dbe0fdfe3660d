// SPDX-License-Identifier: Apache-2.0
//
// From a name to a connection, or to words that say why not.
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

UdpSocket OpenSilentSocket() {
  UdpSocketConfig config;
  config.local = *SocketAddress::Parse("127.0.0.1:0");
  return *UdpSocket::Open(config);
}

struct Dialed {
  explicit Dialed(const ClientConfig& config) : client(*Client::Create(config, &handler)) {}

  absl::Status Dial(const std::string& host, uint16_t port) {
    std::optional<absl::Status> result;
    client->Dial(host, port, [&](absl::StatusOr<ConnectionRef> connection) {
      EXPECT_FALSE(result.has_value()) << "called twice";
      EXPECT_FALSE(handler.is_connected());  // OnConnected() comes after it.
      result = connection.status();
    });
    EXPECT_FALSE(result.has_value()) << "called inside of Dial()";
    if (!RunUntil(*client, [&] { return result.has_value(); })) {
      return absl::DeadlineExceededError("the test waits no longer");
    }
    return *result;
  }

  EchoClient handler = {1, 10'000};
  std::unique_ptr<Client> client;
};

void ExpectSays(const absl::Status& status, std::initializer_list<const char*> words) {
  EXPECT_FALSE(status.ok());
  for (const char* const word : words) {
    EXPECT_TRUE(absl::StrContains(status.message(), word)) << status << " lacks " << word;
  }
}

// The server's certificate is for "localhost", 127.0.0.1 and ::1, and is checked.
ClientConfig VerifyingConfig() {
  ClientConfig config = EchoClientConfig();
  config.tls.server_verification = PeerVerification::Authorities({LastingCertificatePem()});
  return config;
}

TEST(DialTest, ANumericAddressIsDialed) {
  EchoServer server;
  Dialed dialed(VerifyingConfig());

  const absl::Status status = dialed.Dial("127.0.0.1", server.address().port());

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(RunUntil(*dialed.client, [&] { return dialed.handler.is_done(); }));
}

TEST(DialTest, ANumericIpv6AddressIsDialed) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "no ::1 on this machine";
  ServerConfig config = EchoServerConfig();
  config.socket.local = *SocketAddress::Parse("[::1]:0");
  EchoServer server(config);
  Dialed dialed(VerifyingConfig());

  const absl::Status status = dialed.Dial("::1", server.address().port());

  EXPECT_TRUE(status.ok()) << status;
}

TEST(DialTest, ANameIsDialed) {
  // On both families, if there are two: the name may have an address of each.
  ServerConfig config = EchoServerConfig();
  if (HasIpv6Loopback()) config.socket.local = *SocketAddress::Parse("[::]:0");
  EchoServer server(config);
  Dialed dialed(VerifyingConfig());

  const absl::Status status = dialed.Dial("localhost", server.address().port());

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(RunUntil(*dialed.client, [&] { return dialed.handler.is_done(); }));
}

TEST(DialTest, ANameOfWhichOneAddressIsSilentIsDialed) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "no ::1 on this machine";
  EchoServer server;
  UdpSocketConfig silent_config;
  silent_config.local = SocketAddress::ParseIp("::1", server.address().port()).value();
  const auto silent = UdpSocket::Open(silent_config);
  if (!silent.ok()) GTEST_SKIP() << "the port is in use on ::1";
  ClientConfig config = VerifyingConfig();
  config.connection_attempt_delay = Duration::Milliseconds(20);
  Dialed dialed(config);

  const absl::Status status = dialed.Dial("localhost", server.address().port());

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(RunUntil(*dialed.client, [&] { return dialed.handler.is_done(); }));
}

TEST(DialTest, WhatIsCancelledEndsWithoutAWord) {
  const UdpSocket silent = OpenSilentSocket();
  Dialed dialed(EchoClientConfig());
  const auto kept = std::make_shared<int>();
  const Client::DialId id =
      dialed.client->Dial("127.0.0.1", silent.local_address().port(),
                          [kept](absl::StatusOr<ConnectionRef>) { ADD_FAILURE() << "called"; });
  ASSERT_TRUE(
      RunUntil(*dialed.client, [&] { return dialed.client->stats().connections_opened == 1; }));

  dialed.client->CancelDial(id);

  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_TRUE(RunUntil(*dialed.client, [&] { return dialed.client->stats().connections == 0; }));
  EXPECT_EQ(dialed.handler.close_count(), 0U);
  dialed.client->CancelDial(id);
}

TEST(DialTest, ANameThatDoesNotExistIsNamed) {
  Dialed dialed(EchoClientConfig());

  // RFC 6761 §6.4: no name below "invalid" exists.
  const absl::Status status = dialed.Dial("no-such-host.invalid", 443);

  ExpectSays(status, {"no-such-host.invalid"});
}

TEST(DialTest, WhereNobodyAnswersTheHandshakeTimesOut) {
  const UdpSocket silent = OpenSilentSocket();
  ClientConfig config = EchoClientConfig();
  config.endpoint.connection.handshake_timeout = Duration::Milliseconds(200);
  Dialed dialed(config);

  const absl::Status status = dialed.Dial("127.0.0.1", silent.local_address().port());

  EXPECT_TRUE(absl::IsUnavailable(status));
  ExpectSays(status, {"connecting to 127.0.0.1", "handshake timeout"});
  EXPECT_EQ(dialed.handler.close_count(), 0U);
}

TEST(DialTest, WherePortsAreClosedTheHandshakeTimesOut) {
  uint16_t port = 0;
  {
    const UdpSocket closed = OpenSilentSocket();
    port = closed.local_address().port();
  }
  ClientConfig config = EchoClientConfig();
  config.endpoint.connection.handshake_timeout = Duration::Milliseconds(200);
  Dialed dialed(config);

  const absl::Status status = dialed.Dial("127.0.0.1", port);

  ExpectSays(status, {"connecting to 127.0.0.1", "handshake timeout"});
}

TEST(DialTest, ACertificateForAnotherNameIsRefused) {
  ServerConfig config = EchoServerConfig();
  config.socket.local = *SocketAddress::Parse("127.0.0.2:0");
  EchoServer server(config);
  Dialed dialed(VerifyingConfig());

  const absl::Status status = dialed.Dial("127.0.0.2", server.address().port());

  ExpectSays(status, {"connecting to 127.0.0.2", "protocol error"});
  EXPECT_FALSE(dialed.handler.is_connected());
}

TEST(DialTest, AnIpv4SocketReachesNoIpv6Address) {
  ClientConfig config = EchoClientConfig();
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  Dialed dialed(config);

  const absl::Status status = dialed.Dial("::1", 443);

  ExpectSays(status, {"[::1]:443 is IPv6, and the socket is IPv4 only"});
}

TEST(DialTest, AnIpv6SocketReachesNoIpv4Address) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "there is no IPv6 here";
  ClientConfig config = EchoClientConfig();
  config.socket.local = *SocketAddress::Parse("[::1]:0");
  Dialed dialed(config);

  const absl::Status status = dialed.Dial("127.0.0.1", 443);

  ExpectSays(status, {"127.0.0.1:443 is IPv4, and the socket is IPv6 only"});
}

TEST(DialTest, PortZeroIsRefusedAtOnce) {
  Dialed dialed(EchoClientConfig());

  const absl::Status dial = dialed.Dial("127.0.0.1", 0);
  const absl::Status connect =
      dialed.client->Connect(*SocketAddress::Parse("127.0.0.1:0"), "localhost").status();

  ExpectSays(dial, {"the port of 127.0.0.1:0 is 0; allowed: 1 to 65535"});
  EXPECT_EQ(connect, dial);
}

// What comes from there has the other spelling.
TEST(DialTest, AnIpv4AddressThatIsWrittenAsIpv6IsReached) {
  EchoServer server;
  Dialed dialed(EchoClientConfig());

  const absl::Status status = dialed.Dial("::ffff:127.0.0.1", server.address().port());

  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace godwit
