// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"
#include "tunnel/socks5_codec.h"

namespace godwit::tunnel {
namespace {

constexpr size_t kReplyBytes = 10;  // With an IPv4 address.

TunnelClientConfig WithSocks() {
  TunnelClientConfig config = TestClientConfig();
  config.socks_listeners = {{.host = "127.0.0.1", .port = 0}};
  return config;
}

// A client that offers no authentication and was accepted.
TestStream Greeted(const SocketAddress& socks) {
  TestStream client = TestStream::Connect(socks);
  client.Send(std::string("\x05\x01\x00", 3));
  EXPECT_EQ(client.Read(2), std::string("\x05\x00", 2));
  return client;
}

std::string Request(Socks5Request::Command command, const HostPort& target) {
  std::string bytes = {5, static_cast<char>(command), 0};
  // The header of a UDP packet ends with an address of the same form.
  bytes += EncodeSocks5UdpHeader(target).substr(3);
  return bytes;
}

Socks5Reply ReplyOf(const std::string& bytes) {
  return bytes.size() < 2 ? Socks5Reply::kGeneralFailure : static_cast<Socks5Reply>(bytes[1]);
}

TEST(Socks5Test, ConnectByAddressRelays) {
  TestListener target;
  TestTunnel tunnel(WithSocks());

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kConnect, ToHostPort(target.address())));
  TestStream served = target.Accept();
  const std::string reply = client.Read(kReplyBytes);
  client.Send("ping");
  const std::string ping = served.Read(4);
  served.Send("pong");

  EXPECT_EQ(ReplyOf(reply), Socks5Reply::kSucceeded);
  EXPECT_EQ(ping, "ping");
  EXPECT_EQ(client.Read(4), "pong");
}

TEST(Socks5Test, NamesAreResolvedByTheServer) {
  TestListener target;
  TestTunnel tunnel(WithSocks());

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kConnect,
                      {.host = "localhost", .port = target.address().port()}));
  TestStream served = target.Accept();

  EXPECT_EQ(ReplyOf(client.Read(kReplyBytes)), Socks5Reply::kSucceeded);
  client.Send("x");
  EXPECT_EQ(served.Read(1), "x");
}

TEST(Socks5Test, RequestInPiecesIsUnderstood) {
  TestListener target;
  TestTunnel tunnel(WithSocks());
  const std::string whole =
      std::string("\x05\x01\x00", 3) +
      Request(Socks5Request::Command::kConnect, ToHostPort(target.address())) + "early";

  TestStream client = TestStream::Connect(tunnel.socks(0));
  for (const char byte : whole) client.Send(std::string_view(&byte, 1));
  TestStream served = target.Accept();

  EXPECT_EQ(served.Read(5), "early");
  EXPECT_EQ(ReplyOf(client.Read(2 + kReplyBytes).substr(2)), Socks5Reply::kSucceeded);
}

TEST(Socks5Test, RefusedConnectionHasItsCode) {
  TestListener target;
  const HostPort address = ToHostPort(target.address());
  target.Close();
  TestTunnel tunnel(WithSocks());

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kConnect, address));

  EXPECT_EQ(ReplyOf(client.Read(kReplyBytes)), Socks5Reply::kConnectionRefused);
  EXPECT_EQ(client.WaitForEnd(), StreamEnd::kFin);
}

TEST(Socks5Test, TargetThatIsNotAllowedHasItsCode) {
  TestListener target;
  TunnelServerConfig server = TestServerConfig();
  server.allowed_targets = {"127.0.0.1:1"};
  TestTunnel tunnel(WithSocks(), server);

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kConnect, ToHostPort(target.address())));

  EXPECT_EQ(ReplyOf(client.Read(kReplyBytes)), Socks5Reply::kNotAllowed);
}

TEST(Socks5Test, BindIsNotSupported) {
  TestTunnel tunnel(WithSocks());

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kBind, {.host = "127.0.0.1", .port = 1}));

  EXPECT_EQ(ReplyOf(client.Read(kReplyBytes)), Socks5Reply::kCommandNotSupported);
  EXPECT_EQ(client.WaitForEnd(), StreamEnd::kFin);
}

TEST(Socks5Test, ClientThatInsistsOnAPasswordIsSentAway) {
  TestTunnel tunnel(WithSocks());

  TestStream client = TestStream::Connect(tunnel.socks(0));
  client.Send(std::string("\x05\x01\x02", 3));

  EXPECT_EQ(client.Read(2), "\x05\xff");
  EXPECT_EQ(client.WaitForEnd(), StreamEnd::kFin);
}

TEST(Socks5Test, UdpAssociateCarriesPacketsUntilItsConnectionEnds) {
  TestUdpSocket target;
  TestUdpSocket application;
  TestTunnel tunnel(WithSocks());

  TestStream client = Greeted(tunnel.socks(0));
  client.Send(Request(Socks5Request::Command::kUdpAssociate, {.host = "0.0.0.0", .port = 0}));
  const std::string reply = client.Read(kReplyBytes);
  ASSERT_EQ(ReplyOf(reply), Socks5Reply::kSucceeded);
  const auto port =
      static_cast<uint16_t>(static_cast<uint8_t>(reply[8]) << 8 | static_cast<uint8_t>(reply[9]));
  const SocketAddress relay = *SocketAddress::ParseIp("127.0.0.1", port);
  const std::string header = EncodeSocks5UdpHeader(ToHostPort(target.address()));
  application.SendTo(header + "question", relay);
  SocketAddress from;
  const std::string question = target.Receive(&from);
  target.SendTo("answer", from);
  const std::string answer = application.Receive(nullptr);
  client.Close();

  EXPECT_EQ(question, "question");
  EXPECT_EQ(answer, header + "answer");
  EXPECT_TRUE(tunnel.WaitForServer(
      [](const TunnelStatus& status) { return status.peers.at(0).udp_flows == 0; }));
}

}  // namespace
}  // namespace godwit::tunnel
