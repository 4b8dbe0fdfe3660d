// SPDX-License-Identifier: Apache-2.0
//
// Path MTU discovery against real interfaces: it reaches what they carry, and no more; and it comes
// down again when they carry less than before, whether the kernel says so or not.
#include <functional>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/lab_test.h"

namespace godwit {
namespace {

constexpr uint64_t kPieceBytes = 200'000;  // Of each stream.

ClientConfig ClientConfigFor(uint64_t max_mtu) {
  ClientConfig config = HashClientConfig();
  config.endpoint.connection.mtu.max_mtu = max_mtu;
  return config;
}

ServerConfig ServerConfigFor(uint64_t max_mtu) {
  ServerConfig config = HashServerConfig();
  config.endpoint.connection.mtu.max_mtu = max_mtu;
  return config;
}

uint64_t MaxDatagramBytes(const HashClient& client) {
  return client.connection().Stats()->max_datagram_bytes;
}

// Sends until it is so: probes go out with other traffic alone.
bool SendUntil(HashClient& client, const std::function<bool()>& condition) {
  return client.RunUntil([&] {
    if (client.is_done() && !condition()) client.OpenMore(1);
    return condition();
  });
}

struct Case {
  IpVersion version;
  uint64_t interface_mtu;
  uint64_t datagram_bytes;
};

class MtuTest : public LabTest, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override { MakeLab({.mtu_bytes = GetParam().interface_mtu}); }
};

TEST_P(MtuTest, DiscoveryReachesWhatTheInterfacesCarry) {
  constexpr uint64_t kMaxMtu = 8'972;
  const auto server = StartServer(ServerConfigFor(kMaxMtu));
  HashClient client({.up_bytes = kPieceBytes, .down_bytes = kPieceBytes}, ClientConfigFor(kMaxMtu));
  client.Connect(lab().ServerAddress(GetParam().version, server->port()));

  const auto is_found = [&] { return MaxDatagramBytes(client) == GetParam().datagram_bytes; };
  EXPECT_TRUE(SendUntil(client, is_found)) << MaxDatagramBytes(client) << client.Complaint();
  // It stays there, and what goes out in such datagrams arrives.
  client.OpenMore(5);
  EXPECT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_EQ(MaxDatagramBytes(client), GetParam().datagram_bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Interfaces, MtuTest,
    testing::Values(Case{IpVersion::kIpv4, 1'280, 1'252}, Case{IpVersion::kIpv6, 1'280, 1'232},
                    Case{IpVersion::kIpv4, 1'500, 1'472}, Case{IpVersion::kIpv6, 1'500, 1'452},
                    Case{IpVersion::kIpv4, 9'000, 8'972}, Case{IpVersion::kIpv6, 9'000, 8'952}),
    [](const auto& run) {
      return absl::StrCat(NameOf(run.param.version), "Mtu", run.param.interface_mtu);
    });

class ShrinkingMtuTest : public LabTest, public testing::WithParamInterface<IpVersion> {
 protected:
  void SetUp() override { MakeLab({}); }

  uint64_t bytes_of_1280() const { return GetParam() == IpVersion::kIpv4 ? 1'252 : 1'232; }
};

TEST_P(ShrinkingMtuTest, ASmallerInterfaceInMidTransferIsNoticed) {
  const auto server = StartServer(ServerConfigFor(1'452));
  HashClient client({.up_bytes = 2'000'000, .down_bytes = 2'000'000}, ClientConfigFor(1'452));
  client.Connect(lab().ServerAddress(GetParam(), server->port()));
  ASSERT_TRUE(SendUntil(client, [&] {
    return MaxDatagramBytes(client) == 1'452 && client.received_bytes() > 100'000;
  })) << client.Complaint();

  ASSERT_TRUE(lab().IpInClient("link set link0 mtu 1280\n").ok());
  ASSERT_TRUE(lab().IpInServer("link set link0 mtu 1280\n").ok());
  client.OpenMore(1);

  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_LE(MaxDatagramBytes(client), bytes_of_1280());
}

// The client's kernel sends them and the far end drops them, without a word to anybody.
TEST_P(ShrinkingMtuTest, ABlackHoleInMidTransferIsNoticed) {
  ServerConfig server_config = ServerConfigFor(1'452);
  server_config.socket.uses_gso = false;
  const auto server = StartServer(server_config);
  ClientConfig config = ClientConfigFor(1'452);
  // A train would get through, as veth does not look at what it will be cut into.
  config.socket.uses_gso = false;
  HashClient client({.up_bytes = 2'000'000, .down_bytes = 100'000}, config);
  client.Connect(lab().ServerAddress(GetParam(), server->port()));
  ASSERT_TRUE(SendUntil(client, [&] {
    return MaxDatagramBytes(client) == 1'452 && client.received_bytes() > 50'000;
  })) << client.Complaint();

  ASSERT_TRUE(lab().IpInServer("link set link0 mtu 1280\n").ok());
  client.OpenMore(1);

  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_LE(MaxDatagramBytes(client), bytes_of_1280());
  EXPECT_EQ(client.client().socket_stats().lost.total(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Versions, ShrinkingMtuTest,
                         testing::Values(IpVersion::kIpv4, IpVersion::kIpv6),
                         [](const auto& run) { return NameOf(run.param); });

}  // namespace
}  // namespace godwit
