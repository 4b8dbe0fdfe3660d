// SPDX-License-Identifier: Apache-2.0
//
// A client's machine gets another address, again and again, in the middle of transfers: all arrive,
// by hash, and every connection stays on the shard of the server that it began on, because the
// kernel steers by connection id; and if that does not, because shards hand over. Small here; large
// in moving_client_long_test, which is the same.
#include <memory>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/lab_test.h"

namespace godwit {
namespace {

constexpr uint64_t kStreamBytes = GODWIT_E2E_STREAM_BYTES;  // In each direction.
constexpr size_t kShards = 4;
constexpr uint64_t kConnections = 12;
constexpr uint64_t kMoves = 3;

enum class Move { kNewAddressFirst, kOldAddressFirst };

class MovingClientTest : public LabTest {
 protected:
  void SetUp() override {
    MakeLab({});
    if (!has_lab()) return;
    ServerConfig config = HashServerConfig();
    config.shards = kShards;
    server_ = StartServer(config);
  }

  absl::Status MoveClient(Move move) {
    return move == Move::kNewAddressFirst ? lab().MoveClient() : lab().MoveClientWithGap();
  }

  // Connections that transfer while their client moves.
  void TransferOnTheMove(IpVersion version, Move move);

  std::unique_ptr<HashServer> server_;
};

// Every connection that a shard has accepted has moved so often, and nobody else's has.
bool HaveAllMoved(const HashServer& server, uint64_t times) {
  for (size_t i = 0; i < kShards; ++i) {
    if (server.shard(i).path_changes < server.shard(i).connected * times) return false;
  }
  return true;
}

void MovingClientTest::TransferOnTheMove(IpVersion version, Move move) {
  HashClient client({.streams = 2, .up_bytes = kStreamBytes, .down_bytes = kStreamBytes});
  for (uint64_t i = 0; i < kConnections; ++i) {
    client.Connect(lab().ServerAddress(version, server_->port()));
  }

  for (uint64_t i = 1; i <= kMoves; ++i) {
    const uint64_t some = client.received_bytes() + 3 * kStreamBytes;
    ASSERT_TRUE(client.RunUntil([&] {
      return client.connected() == kConnections && client.received_bytes() >= some;
    })) << client.Complaint();
    ASSERT_TRUE(MoveClient(move).ok());
    // Who has nothing to say waits for what the server sends to the old address.
    client.OpenMore(2);
    ASSERT_TRUE(client.RunUntil([&] { return HaveAllMoved(*server_, i); })) << client.Complaint();
  }
  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();

  EXPECT_EQ(server_->Sum(&ShardSeen::connected), kConnections);
  EXPECT_EQ(server_->Sum(&ShardSeen::closed), 0U);
  EXPECT_EQ(client.connection().Info()->four_tuple.peer.port(), server_->port());
  size_t busy_shards = 0;
  for (size_t i = 0; i < kShards; ++i) {
    const ShardSeen& shard = server_->shard(i);
    EXPECT_EQ(shard.streams_done, shard.connected * 2 * (1 + kMoves)) << "shard " << i;
    if (shard.connected > 0) {
      ++busy_shards;
    } else {
      EXPECT_EQ(shard.reads + shard.path_changes, 0U) << "shard " << i;
    }
  }
  // All on one shard of four by chance: 4^-11.
  EXPECT_GT(busy_shards, 1U);
}

class EachMoveTest : public MovingClientTest,
                     public testing::WithParamInterface<std::tuple<IpVersion, Move>> {};

TEST_P(EachMoveTest, ConnectionsStayOnTheirShardsAndArriveWhole) {
  TransferOnTheMove(std::get<0>(GetParam()), std::get<1>(GetParam()));

  // A veth does not merge what is on its way (GRO): each train is of one connection.
  EXPECT_EQ(server_->server().Stats().datagrams_handed_over, 0U);
}

INSTANTIATE_TEST_SUITE_P(Moves, EachMoveTest,
                         testing::Combine(testing::Values(IpVersion::kIpv4, IpVersion::kIpv6),
                                          testing::Values(Move::kNewAddressFirst,
                                                          Move::kOldAddressFirst)),
                         [](const auto& run) {
                           const bool new_first = std::get<1>(run.param) == Move::kNewAddressFirst;
                           return absl::StrCat(NameOf(std::get<0>(run.param)),
                                               new_first ? "NewAddressFirst" : "OldAddressFirst");
                         });

TEST_F(MovingClientTest, ShardsHandOverWhatTheKernelDoesNotSteer) {
  ASSERT_TRUE(server_->StopKernelSteering());

  TransferOnTheMove(IpVersion::kIpv4, Move::kNewAddressFirst);

  // The client has one socket, so one shard gets all. None of it another's by chance: 4^-12.
  EXPECT_GT(server_->server().Stats().datagrams_handed_over, 0U);
}

class SilentClientTest : public LabTest {
 protected:
  void SetUp() override { MakeLab({}); }
};

// It has nothing to send, and once nothing comes, nothing to acknowledge either: then it is its
// keep-alive that tells the server of the new address.
TEST_F(SilentClientTest, ADownloadGoesOnAtTheNewAddress) {
  const auto server = StartServer(HashServerConfig());
  ClientConfig config = HashClientConfig();
  config.endpoint.connection.idle.keep_alive_interval = Duration::Milliseconds(100);
  HashClient client({.down_bytes = 5'000'000}, config);
  client.Connect(lab().ServerAddress(IpVersion::kIpv4, server->port()));
  ASSERT_TRUE(client.RunUntil([&] { return client.received_bytes() > 1'000'000; }))
      << client.Complaint();

  ASSERT_TRUE(lab().MoveClient().ok());

  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();
  EXPECT_EQ(server->Sum(&ShardSeen::path_changes), 1U);
}

}  // namespace
}  // namespace godwit
