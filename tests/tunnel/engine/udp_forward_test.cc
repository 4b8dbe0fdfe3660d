// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"

namespace godwit::tunnel {
namespace {

TunnelClientConfig ForwardingTo(const SocketAddress& target) {
  TunnelClientConfig config = TestClientConfig();
  config.local_forwards = {ForwardTo(target, ForwardProtocol::kUdp)};
  return config;
}

// One packet there and back; what came back.
std::string Echo(TestUdpSocket& application, TestUdpSocket& target, const SocketAddress& through,
                 const std::string& packet) {
  application.SendTo(packet, through);
  SocketAddress from;
  target.SendTo(target.Receive(&from), from);
  return application.Receive(nullptr);
}

TEST(UdpForwardTest, PacketsGoThereAndBack) {
  TestUdpSocket target;
  TestUdpSocket application;
  TestTunnel tunnel(ForwardingTo(target.address()));

  EXPECT_EQ(Echo(application, target, tunnel.forward(0), "x"), "x");
  const std::string usual = Pattern(1'000, 1);
  EXPECT_TRUE(Echo(application, target, tunnel.forward(0), usual) == usual);
}

TEST(UdpForwardTest, PacketsThatAreTooLargeForThePathArriveWhole) {
  TestUdpSocket target;
  TestUdpSocket application;
  TestTunnel tunnel(ForwardingTo(target.address()));

  for (const size_t size : {size_t{1'500}, size_t{8'192}, size_t{40'000}}) {
    const std::string packet = Pattern(size, size);
    EXPECT_TRUE(Echo(application, target, tunnel.forward(0), packet) == packet) << size;
  }
}

TEST(UdpForwardTest, EachApplicationHasItsOwnFlow) {
  TestUdpSocket target;
  TestUdpSocket first;
  TestUdpSocket second;
  TestTunnel tunnel(ForwardingTo(target.address()));

  first.SendTo("first", tunnel.forward(0));
  SocketAddress from_first;
  EXPECT_EQ(target.Receive(&from_first), "first");
  second.SendTo("second", tunnel.forward(0));
  SocketAddress from_second;
  EXPECT_EQ(target.Receive(&from_second), "second");
  target.SendTo("to first", from_first);
  target.SendTo("to second", from_second);

  EXPECT_NE(from_first, from_second);
  EXPECT_EQ(first.Receive(nullptr), "to first");
  EXPECT_EQ(second.Receive(nullptr), "to second");
  EXPECT_EQ(tunnel.ClientStatus().peers.at(0).udp_flows, 2);
}

TEST(UdpForwardTest, NewConnectionHasNewFlows) {
  TestUdpSocket target;
  TestUdpSocket application;
  TestTunnel tunnel(ForwardingTo(target.address()));
  EXPECT_EQ(Echo(application, target, tunnel.forward(0), "before"), "before");

  tunnel.StopServer();
  EXPECT_TRUE(tunnel.WaitUntilUp(false));
  tunnel.StartServer();
  EXPECT_TRUE(tunnel.WaitUntilUp(true));

  EXPECT_EQ(Echo(application, target, tunnel.forward(0), "after"), "after");
}

}  // namespace
}  // namespace godwit::tunnel
