// SPDX-License-Identifier: Apache-2.0
//
// Kernels with little room and kernels without offloads: what is dropped is counted and sent again,
// and transfers arrive by hash. Small here; large in kernel_limits_long_test, which is the same.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/lab_test.h"

namespace godwit {
namespace {

// The kernel makes the least it has of it: room for a few datagrams.
constexpr uint64_t kTinyBuffer = 4'096;
constexpr uint64_t kBytes = GODWIT_E2E_OVERRUN_BYTES;
// RFC 9002 §7.2: a new connection may send so many at once.
constexpr uint64_t kInitialWindowDatagrams = 10;

TEST(KernelLimitsTest, AServerWhoseReceiveBufferOverflowsGetsItAll) {
  ServerConfig config = HashServerConfig();
  config.socket.receive_buffer_bytes = kTinyBuffer;
  HashServer server(config);
  ClientConfig client_config = HashClientConfig();
  client_config.socket.uses_gso = false;  // A train may be one thing to the buffer.
  HashClient client({.up_bytes = kBytes}, client_config);
  client.Connect(server.server().local_address());
  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();

  // The server does not read while a window of datagrams comes.
  std::promise<void> is_held;
  std::promise<void> go_on;
  server.loop(0).Post([&] {
    is_held.set_value();
    go_on.get_future().wait();
  });
  is_held.get_future().wait();
  const uint64_t sent = client.client().socket_stats().datagrams_sent;
  client.OpenMore(1);
  const bool has_sent = client.RunUntil([&] {
    return client.client().socket_stats().datagrams_sent >= sent + kInitialWindowDatagrams;
  });
  go_on.set_value();

  EXPECT_TRUE(has_sent);
  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_EQ(server.Sum(&ShardSeen::streams_done), 2U);
  EXPECT_GT(server.server().SocketStats().kernel_drops, 0U);
  EXPECT_GT(client.connection().Stats()->packets_lost, 0U);
}

TEST(KernelLimitsTest, AClientWhoseReceiveBufferOverflowsGetsItAll) {
  ServerConfig config = HashServerConfig();
  config.socket.uses_gso = false;
  HashServer server(config);
  ClientConfig client_config = HashClientConfig();
  client_config.socket.receive_buffer_bytes = kTinyBuffer;
  HashClient client({.down_bytes = kBytes}, client_config);
  client.Connect(server.server().local_address());
  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();

  const uint64_t sent = server.server().SocketStats().datagrams_sent;
  client.OpenMore(1);
  client.client().RunOnce(Timestamp::InfinitePast());
  // The client does not read meanwhile. The server goes on sending, if only probes.
  while (server.server().SocketStats().datagrams_sent < sent + kInitialWindowDatagrams) {
    poll(nullptr, 0, 1);
  }

  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_GT(client.client().socket_stats().kernel_drops, 0U);
}

class NoOffloadTest : public LabTest, public testing::WithParamInterface<IpVersion> {
 protected:
  void SetUp() override { MakeLab({}); }

  void ExpectTransfer(HashServer& server, HashClient& client) {
    client.Connect(lab().ServerAddress(GetParam(), server.port()));
    ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
    EXPECT_EQ(client.client().socket_stats().lost.total(), 0U);
    EXPECT_EQ(server.server().SocketStats().lost.total(), 0U);
  }

  static constexpr HashPlan kPlan = {.streams = 3, .up_bytes = 500'000, .down_bytes = 500'000};
};

TEST_P(NoOffloadTest, TheEnvironmentSwitchesSegmentationAndMergingOff) {
  for (const char* const name : {"GODWIT_DISABLE_GSO", "GODWIT_DISABLE_GRO"}) setenv(name, "1", 1);
  const auto server = StartServer(HashServerConfig());
  HashClient client(kPlan);
  for (const char* const name : {"GODWIT_DISABLE_GSO", "GODWIT_DISABLE_GRO"}) unsetenv(name);

  ExpectTransfer(*server, client);

  for (const std::string& text : {client.client().OffloadText(), server->server().OffloadText()}) {
    EXPECT_TRUE(absl::StrContains(text, "GSO: off by environment variable")) << text;
    EXPECT_TRUE(absl::StrContains(text, "GRO: off by environment variable")) << text;
  }
}

void TurnChecksumOffloadOff() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = 0};
  ifreq request = {};
  std::strcpy(request.ifr_name, "link0");
  request.ifr_data = reinterpret_cast<char*>(&value);
  EXPECT_EQ(ioctl(fd, SIOCETHTOOL, &request), 0);
  close(fd);
}

// Kernels before 6.11 refuse trains there with EIO, later ones cut them by themselves.
TEST_P(NoOffloadTest, AnInterfaceWithoutChecksumOffloadLosesNothing) {
  TurnChecksumOffloadOff();
  lab().InServer(TurnChecksumOffloadOff);
  const auto server = StartServer(HashServerConfig());
  HashClient client(kPlan);

  ExpectTransfer(*server, client);

  EXPECT_TRUE(
      absl::StrContains(client.client().OffloadText(), "interface link0: MTU 1500, cuts trains no"))
      << client.client().OffloadText();
}

INSTANTIATE_TEST_SUITE_P(Versions, NoOffloadTest,
                         testing::Values(IpVersion::kIpv4, IpVersion::kIpv6),
                         [](const auto& run) { return NameOf(run.param); });

TEST(BusyPollTest, TheKernelKnowsOfItAndTransfersArrive) {
  constexpr int kMicroseconds = 50;
  UdpSocketConfig config;
  config.local = *SocketAddress::Parse("127.0.0.1:0");
  config.busy_poll = Duration::Microseconds(kMicroseconds);
  {
    auto socket = UdpSocket::Open(config);
    ASSERT_TRUE(socket.ok()) << socket.status();
    const auto notice = socket->PollNotice();
    if (notice.has_value() && absl::StrContains(*notice, "SO_BUSY_POLL")) {
      GTEST_SKIP() << *notice;
    }
    int set = 0;
    socklen_t size = sizeof(set);
    ASSERT_EQ(getsockopt(socket->fd(), SOL_SOCKET, SO_BUSY_POLL, &set, &size), 0);
    EXPECT_EQ(set, kMicroseconds);
  }

  ServerConfig server_config = HashServerConfig();
  server_config.socket = config;
  HashServer server(server_config);
  ClientConfig client_config = HashClientConfig();
  client_config.socket = config;
  HashClient client({.streams = 3, .up_bytes = 300'000, .down_bytes = 300'000}, client_config);
  client.Connect(server.server().local_address());
  EXPECT_TRUE(client.RunUntilDone()) << client.Complaint();

  std::vector<std::string> notices = server.server().TakeNotices();
  for (const std::string& notice : client.client().TakeNotices()) notices.push_back(notice);
  for (const std::string& notice : notices) {
    EXPECT_FALSE(absl::StrContains(notice, "busy polling")) << notice;
  }
}

}  // namespace
}  // namespace godwit
