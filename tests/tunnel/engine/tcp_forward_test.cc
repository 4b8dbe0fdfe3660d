// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"

namespace godwit::tunnel {
namespace {

TunnelClientConfig ForwardingTo(const SocketAddress& target) {
  TunnelClientConfig config = TestClientConfig();
  config.local_forwards = {ForwardTo(target)};
  return config;
}

TEST(TcpForwardTest, EachEndOfSendingIsCarriedByItself) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));

  TestStream application = TestStream::Connect(tunnel.forward(0));
  application.Send("request");
  application.FinishSending();
  TestStream served = target.Accept();
  StreamEnd request_end = StreamEnd::kTimeout;
  const std::string request = served.ReadAll(&request_end);
  served.Send("response");
  served.FinishSending();
  StreamEnd response_end = StreamEnd::kTimeout;
  const std::string response = application.ReadAll(&response_end);

  EXPECT_EQ(request, "request");
  EXPECT_EQ(request_end, StreamEnd::kFin);
  EXPECT_EQ(response, "response");
  EXPECT_EQ(response_end, StreamEnd::kFin);
}

TEST(TcpForwardTest, FlowsThatHaveEndedAreForgotten) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));

  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  application.Close();
  EXPECT_EQ(served.WaitForEnd(), StreamEnd::kFin);
  served.Close();

  const auto has_none = [](const TunnelStatus& status) {
    return status.flows_opened == 1 && status.peers.at(0).tcp_flows == 0;
  };
  EXPECT_TRUE(tunnel.WaitForClient(has_none));
  EXPECT_TRUE(tunnel.WaitForServer(has_none));
}

TEST(TcpForwardTest, ResetOfTheApplicationReachesTheTarget) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));

  TestStream application = TestStream::Connect(tunnel.forward(0));
  application.Send("x");
  TestStream served = target.Accept();
  EXPECT_EQ(served.Read(1), "x");
  application.Reset();

  EXPECT_EQ(served.WaitForEnd(), StreamEnd::kReset);
}

TEST(TcpForwardTest, ResetOfTheTargetReachesTheApplication) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));

  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  served.Send("x");
  EXPECT_EQ(application.Read(1), "x");
  served.Reset();

  EXPECT_EQ(application.WaitForEnd(), StreamEnd::kReset);
}

TEST(TcpForwardTest, TargetThatRefusesIsAReset) {
  TestListener target;
  const SocketAddress address = target.address();
  target.Close();
  TestTunnel tunnel(ForwardingTo(address));

  TestStream application = TestStream::Connect(tunnel.forward(0));

  EXPECT_EQ(application.WaitForEnd(), StreamEnd::kReset);
  EXPECT_TRUE(tunnel.HasLogged("refused"));
}

TEST(TcpForwardTest, TargetThatIsNotAllowedIsAResetAndTheLineToAddIsTold) {
  TestListener target;
  TunnelServerConfig server = TestServerConfig();
  server.allowed_targets = {};
  TestTunnel tunnel(ForwardingTo(target.address()), server);

  TestStream application = TestStream::Connect(tunnel.forward(0));

  EXPECT_EQ(application.WaitForEnd(), StreamEnd::kReset);
  EXPECT_TRUE(tunnel.HasLogged("--allow-target " + target.address().ToString()));
}

TEST(TcpForwardTest, WhatNobodyReadsIsNotTakenIn) {
  constexpr size_t kFarTooMuch = size_t{64} << 20;
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));
  const std::string piece = Pattern(1'000'003, 1);
  std::string bytes;
  while (bytes.size() < kFarTooMuch) bytes += piece;

  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  const size_t taken = application.SendWithoutReader(bytes);
  // A flow that stands still keeps no other from moving.
  TestStream other = TestStream::Connect(tunnel.forward(0));
  TestStream other_served = target.Accept();
  other.Send("moves");
  const std::string moved = other_served.Read(5);
  std::thread rest([&] {
    application.Send(std::string_view(bytes).substr(taken));
    application.FinishSending();
  });
  StreamEnd end = StreamEnd::kTimeout;
  const std::string received = served.ReadAll(&end);
  rest.join();

  EXPECT_LT(taken, kFarTooMuch / 2);
  EXPECT_EQ(moved, "moves");
  EXPECT_EQ(end, StreamEnd::kFin);
  EXPECT_TRUE(received == bytes);
}

TEST(TcpForwardTest, SlowReaderGetsEveryByte) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));
  const std::string bytes = Pattern(size_t{1} << 20, 2);

  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  std::thread sender([&] {
    served.Send(bytes);
    served.FinishSending();
  });
  std::string received;
  while (received.size() < bytes.size()) {
    const std::string part = application.Read(1'000);
    if (part.empty()) break;
    received += part;
    std::this_thread::yield();
  }
  sender.join();

  EXPECT_TRUE(received == bytes);
}

TEST(TcpForwardTest, FiftyAtOnceAreKeptApart) {
  constexpr size_t kCount = 50;
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));

  std::vector<TestStream> applications;
  for (size_t i = 0; i < kCount; ++i) {
    applications.push_back(TestStream::Connect(tunnel.forward(0)));
    applications.back().Send(Pattern(10'000, i));
    applications.back().FinishSending();
  }
  // An echo for each, in whatever order they come.
  for (size_t i = 0; i < kCount; ++i) {
    TestStream served = target.Accept();
    StreamEnd end = StreamEnd::kTimeout;
    served.Send(served.ReadAll(&end));
  }

  for (size_t i = 0; i < kCount; ++i) {
    StreamEnd end = StreamEnd::kTimeout;
    EXPECT_TRUE(applications[i].ReadAll(&end) == Pattern(10'000, i));
    EXPECT_EQ(end, StreamEnd::kFin);
  }
}

TEST(TcpForwardTest, ServerThatStartsAgainResetsOldConnectionsAndServesNewOnes) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));
  TestStream old_application = TestStream::Connect(tunnel.forward(0));
  TestStream old_served = target.Accept();
  old_application.Send("x");
  EXPECT_EQ(old_served.Read(1), "x");

  tunnel.StopServer();
  EXPECT_EQ(old_application.WaitForEnd(), StreamEnd::kReset);
  EXPECT_EQ(old_served.WaitForEnd(), StreamEnd::kReset);
  // It waits for the tunnel.
  TestStream application = TestStream::Connect(tunnel.forward(0));
  application.Send("again");
  tunnel.StartServer();
  TestStream served = target.Accept();

  EXPECT_EQ(served.Read(5), "again");
}

TEST(TcpForwardTest, ServerThatDrainsLetsOpenConnectionsEnd) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));
  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  application.Send("x");
  EXPECT_EQ(served.Read(1), "x");

  std::thread shutdown([&] { tunnel.server().Shutdown(Duration::Seconds(kPatienceSeconds)); });
  EXPECT_TRUE(tunnel.WaitForServer([](const TunnelStatus& status) { return !status.is_up; }));
  const StreamEnd refused = TestStream::Connect(tunnel.forward(0)).WaitForEnd();
  served.Send("still here");
  const std::string received = application.Read(10);
  application.Close();
  served.Close();
  shutdown.join();

  EXPECT_EQ(refused, StreamEnd::kReset);
  EXPECT_EQ(received, "still here");
  EXPECT_TRUE(tunnel.WaitUntilUp(false));
}

TEST(TcpForwardTest, StatusCountsTheBytesOfApplications) {
  TestListener target;
  TestTunnel tunnel(ForwardingTo(target.address()));
  TestStream application = TestStream::Connect(tunnel.forward(0));
  TestStream served = target.Accept();
  application.Send(Pattern(1'000, 1));
  EXPECT_EQ(served.Read(1'000).size(), 1'000);
  served.Send(Pattern(2'000, 2));
  EXPECT_EQ(application.Read(2'000).size(), 2'000);

  const TunnelStatus client = tunnel.ClientStatus();
  const TunnelStatus server = tunnel.server().Status();

  EXPECT_EQ(client.bytes.bytes_to_peer, 1'000);
  EXPECT_EQ(client.bytes.bytes_from_peer, 2'000);
  EXPECT_EQ(server.bytes.bytes_to_peer, 2'000);
  EXPECT_EQ(server.bytes.bytes_from_peer, 1'000);
  EXPECT_EQ(client.peers.at(0).key, ServerIdentity().fingerprint);
  EXPECT_EQ(server.peers.at(0).key, ClientIdentity().fingerprint);
  EXPECT_GT(client.peers.at(0).max_udp_payload_bytes, 1'000);
}

TEST(TcpForwardTest, PortInUseIsToldAtOnce) {
  TestListener taken;
  TunnelClientConfig config = TestClientConfig();
  config.server.port = 1;
  config.local_forwards = {ForwardTo(taken.address())};
  config.local_forwards[0].bind = ToHostPort(taken.address());

  const auto client = TunnelClient::Create(config, nullptr);

  EXPECT_TRUE(absl::IsAlreadyExists(client.status()));
  EXPECT_EQ(client.status().message(), taken.address().ToString() + ": Address already in use");
}

}  // namespace
}  // namespace godwit::tunnel
