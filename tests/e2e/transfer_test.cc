// SPDX-License-Identifier: Apache-2.0
//
// Both directions of 1, 10 and 1,000 streams arrive whole, over loopback and over a veth pair of
// three MTUs, by IPv4 and IPv6. Small here; a gigabyte in transfer_long_test, which is the same.
#include <memory>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/lab_test.h"

namespace godwit {
namespace {

// Of all streams together, in each direction.
constexpr uint64_t kBytes = GODWIT_E2E_TRANSFER_BYTES;
constexpr uint64_t kIpv4HeaderBytes = 28;  // With UDP's.
constexpr uint64_t kIpv6HeaderBytes = 48;

struct Network {
  const char* name;
  const char* loopback;  // Where the server listens; null: at the end of a veth pair.
  IpVersion version;
  uint64_t mtu_bytes;  // Of loopback: what is made use of.
};

constexpr Network kNetworks[] = {
    {"LoopbackIpv4", "127.0.0.1:0", IpVersion::kIpv4, 9'000},
    {"LoopbackIpv6", "[::1]:0", IpVersion::kIpv6, 9'000},
    {"Veth1280Ipv4", nullptr, IpVersion::kIpv4, 1'280},
    {"Veth1280Ipv6", nullptr, IpVersion::kIpv6, 1'280},
    {"Veth1500Ipv4", nullptr, IpVersion::kIpv4, 1'500},
    {"Veth1500Ipv6", nullptr, IpVersion::kIpv6, 1'500},
    {"Veth9000Ipv4", nullptr, IpVersion::kIpv4, 9'000},
    {"Veth9000Ipv6", nullptr, IpVersion::kIpv6, 9'000},
};

class TransferTest : public LabTest,
                     public testing::WithParamInterface<std::tuple<Network, uint64_t>> {
 protected:
  static const Network& network() { return std::get<0>(GetParam()); }
  static uint64_t streams() { return std::get<1>(GetParam()); }

  // What a datagram can have at most, of UDP payload.
  static uint64_t path_bytes() {
    return network().mtu_bytes -
           (network().version == IpVersion::kIpv4 ? kIpv4HeaderBytes : kIpv6HeaderBytes);
  }

  void SetUp() override {
    if (network().loopback == nullptr) return MakeLab({.mtu_bytes = network().mtu_bytes});
    if (!CanListenOn(*SocketAddress::Parse(network().loopback))) {
      GTEST_SKIP() << network().loopback << " is no address here";
    }
  }

  SocketAddress Start(ServerConfig config) {
    if (has_lab()) {
      server_ = StartServer(config);
      return lab().ServerAddress(network().version, server_->port());
    }
    config.socket.local = *SocketAddress::Parse(network().loopback);
    server_ = std::make_unique<HashServer>(config);
    return server_->server().local_address();
  }

  std::unique_ptr<HashServer> server_;
};

TEST_P(TransferTest, BothDirectionsArriveWhole) {
  const MtuConfig mtu = {.max_mtu = path_bytes()};
  ServerConfig server_config = HashServerConfig();
  server_config.endpoint.connection.streams.max_streams_bidi = 1'000;
  server_config.endpoint.connection.mtu = mtu;
  ClientConfig client_config = HashClientConfig();
  client_config.endpoint.connection.mtu = mtu;
  const SocketAddress address = Start(server_config);
  HashClient client(
      {.streams = streams(), .up_bytes = kBytes / streams(), .down_bytes = kBytes / streams()},
      client_config);

  client.Connect(address);

  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_EQ(server_->Sum(&ShardSeen::streams_done), streams());
  EXPECT_EQ(server_->Sum(&ShardSeen::failures), 0U);
  EXPECT_GE(server_->Sum(&ShardSeen::received_bytes), kBytes);
  EXPECT_GE(client.received_bytes(), kBytes);
}

INSTANTIATE_TEST_SUITE_P(Networks, TransferTest,
                         testing::Combine(testing::ValuesIn(kNetworks),
                                          testing::Values(1, 10, 1'000)),
                         [](const auto& run) {
                           return absl::StrCat(std::get<0>(run.param).name, "Streams",
                                               std::get<1>(run.param));
                         });

}  // namespace
}  // namespace godwit
