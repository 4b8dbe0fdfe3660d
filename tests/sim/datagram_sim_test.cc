// SPDX-License-Identifier: Apache-2.0
//
// DATAGRAM frames: sent once, told what became of them, never in the way of streams. RFC 9221.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

PairConfig Config(const DatagramPlan& plan) {
  PairConfig config;
  config.client.app.datagrams = plan;
  return config;
}

// Runs until all are sent, and a second more.
testing::AssertionResult RunAll(EndpointPair& pair, Duration limit) {
  const testing::AssertionResult result = pair.RunToSettled(limit);
  return result ? pair.simulation().RunFor(Duration::Seconds(1)) : result;
}

TEST(DatagramSimTest, AllArriveOnACleanPath) {
  EndpointPair pair(Config({.count = 500, .interval = Duration::Milliseconds(5)}));

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(4)));

  EXPECT_EQ(pair.simulation().ledger().datagrams_read(), 500u);
  EXPECT_EQ(pair.client_record().datagrams_sent, 500u);
  EXPECT_EQ(pair.client_record().datagrams_acked, 500u);
  EXPECT_EQ(pair.client_record().datagrams_lost, 0u);
  EXPECT_TRUE(pair.Close());
}

TEST(DatagramSimTest, TheFateOfEachIsTold) {
  PairConfig config = Config({.count = 1'000, .bytes = 100, .interval = Duration::Milliseconds(5)});
  config.up.loss = Chance::Percent(10);
  EndpointPair pair(config);

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(10)));

  const ConnectionRecord& record = pair.client_record();
  EXPECT_EQ(record.datagrams_acked + record.datagrams_lost, 1'000u);
  EXPECT_EQ(record.datagrams_acked, pair.simulation().ledger().datagrams_read());
  EXPECT_NEAR(static_cast<double>(record.datagrams_lost), 100.0, 40.0);
  EXPECT_TRUE(pair.Close());
}

TEST(DatagramSimTest, BothEndsSendThemThroughEverythingBad) {
  PairConfig config = Config({.count = 1'000, .bytes = 100, .interval = Duration::Milliseconds(5)});
  config.server.app.datagrams = config.client.app.datagrams;
  LinkConfig bad = Broadband();
  bad.loss = Chance::Percent(3);
  bad.duplicate = Chance::Percent(10);
  bad.corrupt = Chance::Percent(3);
  bad.reorder = Chance::Percent(10);
  config.Link(bad);
  EndpointPair pair(config);

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(10)));

  EXPECT_GT(pair.simulation().ledger().datagrams_read(), 1'700u);
  EXPECT_TRUE(pair.Close());
}

TEST(DatagramSimTest, AFloodIsBounded) {
  // 80 Mbit/s into a link of 10.
  PairConfig config =
      Config({.count = 20'000, .at_a_time = 10, .interval = Duration::Milliseconds(1)});
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.up.queue_bytes = 100'000;
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(5)));
  const uint64_t held = pair.client_connection()->held_bytes();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  EXPECT_LE(held, 2u << 20);
  EXPECT_GT(pair.client_record().datagrams_dropped, 10'000u);
  EXPECT_GT(pair.simulation().ledger().datagrams_read(), 2'000u);
  EXPECT_TRUE(pair.Close());
}

TEST(DatagramSimTest, AFloodDoesNotStarveAStream) {
  PairConfig config =
      Config({.count = 20'000, .at_a_time = 10, .interval = Duration::Milliseconds(1)});
  config.client.app.streams = Bulk(200'000);
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.up.queue_bytes = 100'000;
  EndpointPair pair(config);
  pair.Connect();

  // While datagrams alone would take more than all of the link.
  const auto is_read = [&] { return pair.simulation().ledger().read_bytes() == 200'000; };
  EXPECT_TRUE(pair.simulation().RunUntil(is_read, Duration::Milliseconds(1'900)));
}

TEST(DatagramSimTest, AStreamDoesNotStarveDatagrams) {
  PairConfig config = Config({.count = 300, .bytes = 200, .interval = Duration::Milliseconds(10)});
  config.client.app.streams = Bulk(5'000'000);
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.up.queue_bytes = 50'000;
  EndpointPair pair(config);
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(3'300)));

  EXPECT_GT(pair.simulation().ledger().datagrams_read(), 270u);
}

TEST(DatagramSimTest, OnesOfEverySizeThatIsAllowed) {
  PairConfig config = Config({.count = 200, .bytes = 65'000});
  config.client.endpoint.connection.mtu.max_mtu = 1'452;
  EndpointPair pair(config);

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(4)));

  EXPECT_EQ(pair.simulation().ledger().datagrams_read(), 200u);
  EXPECT_TRUE(pair.Close());
}

// Their frames have a length of four bytes.
TEST(DatagramSimTest, OnesThatFillTheDatagramsOfALoopback) {
  PairConfig config = Config({.count = 200, .bytes = 65'500});
  // The window must grow before a datagram of that size fits into it.
  config.client.app.streams = Bulk(5'000'000);
  config.client.endpoint.connection.mtu.max_mtu = 65'487;
  config.server.endpoint.connection.mtu.max_mtu = 65'487;
  config.Link({});
  EndpointPair pair(config);

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(4)));

  EXPECT_GT(pair.client_connection()->max_datagram_payload_bytes(), 65'000u);
  EXPECT_EQ(pair.simulation().ledger().datagrams_read(), 200u);
  EXPECT_EQ(pair.client_record().datagrams_acked, 200u);
  EXPECT_TRUE(pair.Close());
}

TEST(DatagramSimTest, APeerThatTakesNoneIsRespected) {
  PairConfig config = Config({.count = 10});
  config.server.endpoint.connection.max_datagram_frame_size = 0;
  EndpointPair pair(config);

  ASSERT_TRUE(RunAll(pair, Duration::Seconds(2)));

  EXPECT_EQ(pair.client_connection()->max_datagram_payload_bytes(), 0u);
  EXPECT_EQ(pair.simulation().trace().CountOf("DATAGRAM"), 0u);
  EXPECT_TRUE(pair.Close());
}

}  // namespace
}  // namespace godwit
