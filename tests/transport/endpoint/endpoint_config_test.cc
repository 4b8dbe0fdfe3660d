// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/endpoint_config.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

#include "congestion/builtin_controllers.h"

namespace godwit {
namespace {

std::string ErrorOf(const EndpointConfig& config) {
  return std::string(ValidateEndpointConfig(config).message());
}

TEST(EndpointConfigTest, DefaultsAreValid) {
  EXPECT_TRUE(ValidateEndpointConfig({}).ok()) << ErrorOf({});
}

TEST(EndpointConfigTest, DefaultMemoryBudgetIsAGibibyte) {
  EXPECT_EQ(EndpointConfig().memory_budget_bytes, 1'073'741'824);
}

TEST(EndpointConfigTest, ErrorSaysFieldValueAndRange) {
  EndpointConfig config;
  config.max_half_open = 0;

  EXPECT_EQ(ErrorOf(config), "max_half_open is 0; allowed: 1 to 16777216");
  EXPECT_EQ(ValidateEndpointConfig(config).code(), absl::StatusCode::kInvalidArgument);
}

TEST(EndpointConfigTest, LimitsOfTheEndpointAreChecked) {
  EndpointConfig connections;
  connections.max_connections = 16'777'217;
  EndpointConfig rate;
  rate.max_accepts_per_second_per_source = 0;
  EndpointConfig budget;
  budget.memory_budget_bytes = 1'000;
  EndpointConfig replies;
  replies.stateless_replies_per_second = 1'000'001;

  EXPECT_EQ(ErrorOf(connections), "max_connections is 16777217; allowed: 1 to 16777216");
  EXPECT_EQ(ErrorOf(rate), "max_accepts_per_second_per_source is 0; allowed: 1 to 1000000");
  EXPECT_EQ(ErrorOf(budget), "memory_budget_bytes is 1000; allowed: 1048576 to 1125899906842624");
  EXPECT_EQ(ErrorOf(replies), "stateless_replies_per_second is 1000001; allowed: 0 to 1000000");
}

TEST(EndpointConfigTest, WhatIsLessThanAMicrosecondIsSaidInNanoseconds) {
  EndpointConfig config;
  config.connection.max_ack_delay = Duration::Nanoseconds(-1);

  EXPECT_EQ(ErrorOf(config), "connection.max_ack_delay is -1 ns; allowed: 0 us to 16383000 us");
}

TEST(EndpointConfigTest, NoStatelessRepliesAreAllowed) {
  EndpointConfig config;
  config.stateless_replies_per_second = 0;

  EXPECT_TRUE(ValidateEndpointConfig(config).ok());
}

TEST(EndpointConfigTest, UnknownControllerIsNamedTogetherWithTheKnownOnes) {
  EndpointConfig config;
  config.congestion_controller = "cubicle";

  EXPECT_EQ(ErrorOf(config),
            "congestion_controller is \"cubicle\"; allowed: \"cubic\", \"new_reno\" and the names "
            "that were registered in congestion_controllers");
}

TEST(EndpointConfigTest, RegisteredControllerCanBeNamed) {
  EndpointConfig config;
  const CongestionControllerFactory* const factory =
      FindCongestionControllerFactory(config.congestion_controllers, kNewReno);
  ASSERT_TRUE(config.congestion_controllers.Register("mine", factory).ok());
  config.congestion_controller = "mine";

  EXPECT_TRUE(ValidateEndpointConfig(config).ok()) << ErrorOf(config);
}

TEST(EndpointConfigTest, InitialWindowIsWithinTheMaximumOne) {
  EndpointConfig config;
  config.connection.streams.max_connection_window_bytes = 100'000;
  config.connection.streams.max_stream_window_bytes = 100'000;
  config.connection.streams.initial_max_stream_data_bidi_local = 100'000;
  config.connection.streams.initial_max_stream_data_bidi_remote = 100'000;
  config.connection.streams.initial_max_stream_data_uni = 100'000;

  EXPECT_EQ(ErrorOf(config),
            "connection.streams.initial_max_data is 1048576; allowed: 0 to 100000");
}

TEST(EndpointConfigTest, StreamCountsAreThoseOfTheProtocol) {
  EndpointConfig config;
  config.connection.streams.max_streams_bidi = (uint64_t{1} << 60) + 1;

  EXPECT_EQ(ErrorOf(config),
            "connection.streams.max_streams_bidi is 1152921504606846977; allowed: 0 to "
            "1152921504606846976");
}

TEST(EndpointConfigTest, DatagramSizesAreThoseOfThePath) {
  EndpointConfig small;
  small.connection.mtu.min_mtu = 1'199;
  EndpointConfig reversed;
  reversed.connection.mtu.min_mtu = 1'400;
  reversed.connection.mtu.max_mtu = 1'300;
  EndpointConfig large;
  large.connection.mtu.max_mtu = 65'508;

  EXPECT_EQ(ErrorOf(small), "connection.mtu.min_mtu is 1199; allowed: 1200 to 1452");
  EXPECT_EQ(ErrorOf(reversed), "connection.mtu.min_mtu is 1400; allowed: 1200 to 1300");
  EXPECT_EQ(ErrorOf(large), "connection.mtu.max_mtu is 65508; allowed: 1200 to 65507");
}

TEST(EndpointConfigTest, TimesAreSaidInMicroseconds) {
  EndpointConfig handshake;
  handshake.connection.handshake_timeout = Duration::Zero();
  EndpointConfig ack_delay;
  ack_delay.connection.max_ack_delay = Duration::Milliseconds(16'384);
  EndpointConfig ceiling;
  ceiling.connection.pto_ceiling = Duration::Infinite();

  EXPECT_EQ(ErrorOf(handshake),
            "connection.handshake_timeout is 0 us; allowed: 1 us to 86400000000 us");
  EXPECT_EQ(ErrorOf(ack_delay),
            "connection.max_ack_delay is 16384000 us; allowed: 0 us to 16383000 us");
  EXPECT_EQ(ErrorOf(ceiling),
            "connection.pto_ceiling is infinite; allowed: 1 us to 86400000000 us");
}

TEST(EndpointConfigTest, IdleTimeoutMayBeInfiniteButNotNegative) {
  EndpointConfig infinite;
  infinite.connection.idle.max_idle_timeout = Duration::Infinite();
  EndpointConfig negative;
  negative.connection.idle.max_idle_timeout = -Duration::Seconds(1);

  EXPECT_TRUE(ValidateEndpointConfig(infinite).ok());
  EXPECT_EQ(ErrorOf(negative),
            "connection.idle.max_idle_timeout is -1000000 us; allowed: 0 us to 86400000000 us");
}

}  // namespace
}  // namespace godwit
