// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"

namespace godwit::tunnel {
namespace {

TunnelClientConfig OfferingTo(const SocketAddress& target, ForwardProtocol protocol) {
  TunnelClientConfig config = TestClientConfig();
  config.remote_forwards = {ForwardTo(target, protocol)};
  return config;
}

// Where the server listens, once it has said so.
SocketAddress BoundAddress(TestTunnel& tunnel) {
  SocketAddress bound;
  EXPECT_TRUE(tunnel.WaitForClient([&bound](const TunnelStatus& status) {
    bound = status.remote_forwards.at(0).bound;
    return status.remote_forwards.at(0).is_answered;
  }));
  return bound;
}

TEST(RemoteForwardTest, WhoConnectsToTheServerIsConnectedFromTheClient) {
  TestListener target;
  TestTunnel tunnel(OfferingTo(target.address(), ForwardProtocol::kTcp));

  TestStream application = TestStream::Connect(BoundAddress(tunnel));
  application.Send("request");
  application.FinishSending();
  TestStream served = target.Accept();
  StreamEnd end = StreamEnd::kTimeout;
  const std::string request = served.ReadAll(&end);
  served.Send("response");

  EXPECT_EQ(request, "request");
  EXPECT_EQ(end, StreamEnd::kFin);
  EXPECT_EQ(application.Read(8), "response");
}

TEST(RemoteForwardTest, UdpGoesThereAndBack) {
  TestUdpSocket target;
  TestUdpSocket application;
  TestTunnel tunnel(OfferingTo(target.address(), ForwardProtocol::kUdp));

  const std::string packet = Pattern(8'192, 1);
  application.SendTo(packet, BoundAddress(tunnel));
  SocketAddress from;
  target.SendTo(target.Receive(&from), from);

  EXPECT_TRUE(application.Receive(nullptr) == packet);
}

TEST(RemoteForwardTest, AddressThatIsNotAllowedIsAnsweredWithTheLineToAdd) {
  TestListener target;
  TunnelServerConfig server = TestServerConfig();
  server.allowed_binds = {};
  TunnelClientConfig client = OfferingTo(target.address(), ForwardProtocol::kTcp);
  client.remote_forwards[0].bind.port = 4'321;
  TestTunnel tunnel(client, server);
  BoundAddress(tunnel);

  const RemoteForwardStatus status = tunnel.ClientStatus().remote_forwards.at(0);

  EXPECT_EQ(status.status, ReplyStatus::kNotAllowed);
  EXPECT_NE(status.text.find("--allow-bind 127.0.0.1:4321"), std::string::npos) << status.text;
}

TEST(RemoteForwardTest, PortInUseIsAnswered) {
  TestListener target;
  TestListener taken;
  TunnelClientConfig client = OfferingTo(target.address(), ForwardProtocol::kTcp);
  client.remote_forwards[0].bind = ToHostPort(taken.address());
  TestTunnel tunnel(client);
  BoundAddress(tunnel);

  EXPECT_EQ(tunnel.ClientStatus().remote_forwards.at(0).status, ReplyStatus::kAddressInUse);
}

TEST(RemoteForwardTest, ListenersEndWithTheirConnectionAndComeBackWithTheNext) {
  TestListener target;
  TestListener reserved;
  const SocketAddress bind = reserved.address();
  reserved.Close();
  TunnelClientConfig client = OfferingTo(target.address(), ForwardProtocol::kTcp);
  client.remote_forwards[0].bind = ToHostPort(bind);
  TestTunnel tunnel(client);
  EXPECT_EQ(BoundAddress(tunnel), bind);

  tunnel.StopServer();
  EXPECT_TRUE(tunnel.WaitUntilUp(false));
  tunnel.StartServer();
  EXPECT_TRUE(tunnel.WaitUntilUp(true));
  EXPECT_EQ(BoundAddress(tunnel), bind);
  TestStream application = TestStream::Connect(bind);
  application.Send("x");
  TestStream served = target.Accept();

  EXPECT_EQ(served.Read(1), "x");
}

TEST(RemoteForwardTest, ClientThatComesBackTakesItsAddressFromItsOldConnection) {
  TestListener target;
  TestListener reserved;
  const SocketAddress bind = reserved.address();
  reserved.Close();
  TunnelClientConfig client = OfferingTo(target.address(), ForwardProtocol::kTcp);
  client.remote_forwards[0].bind = ToHostPort(bind);
  TestTunnel tunnel(client);
  EXPECT_EQ(BoundAddress(tunnel), bind);
  client.server.port = tunnel.server().local_address().port();

  TestTunnel second(client);

  EXPECT_EQ(BoundAddress(second), bind);
}

}  // namespace
}  // namespace godwit::tunnel
