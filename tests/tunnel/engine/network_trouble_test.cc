// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/runtime/udp_forwarder.h"
#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"
#include "tunnel/server_secrets.h"

namespace godwit::tunnel {
namespace {

// A tunnel through a NAT, with one TCP connection in it.
class NetworkTroubleTest : public testing::Test {
 protected:
  NetworkTroubleTest() {
    // A port for the server that the forwarder can know before.
    TunnelServerConfig server = TestServerConfig();
    server.listen.port = TestUdpSocket().address().port();
    nat_.emplace(*SocketAddress::ParseIp("127.0.0.1", server.listen.port));
    TunnelClientConfig client = TestClientConfig();
    client.server.port = nat_->address().port();
    client.common.keep_alive = Duration::Milliseconds(300);
    client.local_forwards = {ForwardTo(target_.address())};
    tunnel_.emplace(client, server);
    application_.emplace(TestStream::Connect(tunnel_->forward(0)));
    served_.emplace(target_.Accept());
    application_->Send("before");
    EXPECT_EQ(served_->Read(6), "before");
  }

  TestListener target_;
  std::optional<UdpForwarder> nat_;
  std::optional<TestTunnel> tunnel_;
  std::optional<TestStream> application_;
  std::optional<TestStream> served_;
};

TEST_F(NetworkTroubleTest, BlackoutDelaysAndLosesNothing) {
  const std::string bytes = Pattern(300'000, 1);

  nat_->Block();
  std::thread sender([&] { application_->Send(bytes); });
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  nat_->Unblock();

  EXPECT_TRUE(served_->Read(bytes.size()) == bytes);
  sender.join();
  EXPECT_EQ(tunnel_->ClientStatus().connections, 1);
}

TEST_F(NetworkTroubleTest, AnotherAddressOfTheClientBreaksNothing) {
  nat_->Rebind();
  application_->Send("after");

  EXPECT_EQ(served_->Read(5), "after");
  EXPECT_TRUE(tunnel_->WaitForServer([](const TunnelStatus& status) {
    return status.peers.size() == 1 && status.peers[0].transport.path_changes == 1;
  }));
}

TEST_F(NetworkTroubleTest, ServerThatVanishedAndCameBackIsNoticedWithoutWaitingForTheTimeout) {
  nat_->Block();
  tunnel_->StopServer();
  tunnel_->StartServer();
  nat_->Unblock();

  // The client has heard nothing; what it sends is answered with a stateless reset.
  EXPECT_EQ(application_->WaitForEnd(), StreamEnd::kReset);
  TestStream again = TestStream::Connect(tunnel_->forward(0));
  again.Send("after");
  EXPECT_EQ(target_.Accept().Read(5), "after");
}

TEST(ServerSecretsTest, SameKeyGivesTheSameSecretsAndAnotherGivesOthers) {
  const auto reset_key = [](const Identity& identity) {
    const ServerSecrets secrets = DeriveServerSecrets(identity.private_key_pem);
    return std::string(secrets.reset_key.bytes().begin(), secrets.reset_key.bytes().end());
  };

  EXPECT_EQ(reset_key(ServerIdentity()), reset_key(ServerIdentity()));
  EXPECT_NE(reset_key(ServerIdentity()), reset_key(ClientIdentity()));
}

}  // namespace
}  // namespace godwit::tunnel
