// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/zero_rtt_parameters.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "tests/transport/wire/random_transport_parameters.h"
#include "transport/wire/byte_writer.h"

namespace godwit {
namespace {

using T = TransportParameters;

constexpr uint64_t T::*kLimits[] = {
    &T::active_connection_id_limit,
    &T::initial_max_data,
    &T::initial_max_stream_data_bidi_local,
    &T::initial_max_stream_data_bidi_remote,
    &T::initial_max_stream_data_uni,
    &T::initial_max_streams_bidi,
    &T::initial_max_streams_uni,
};

// Nothing has its default.
T EveryParameter() {
  T parameters;
  uint64_t number = 2000;
  for (uint64_t T::*const limit : kLimits) parameters.*limit = ++number;
  parameters.max_idle_timeout = Duration::Seconds(30);
  parameters.max_udp_payload_size = 1472;
  parameters.disable_active_migration = true;
  parameters.max_datagram_frame_size = 1300;
  parameters.grease_quic_bit = true;
  parameters.ack_delay_exponent = 5;
  parameters.max_ack_delay = Duration::Milliseconds(7);
  parameters.min_ack_delay = Duration::Milliseconds(1);
  parameters.version_information = VersionInformation{1, {1}};
  parameters.initial_source_connection_id = ConnectionId();
  parameters.original_destination_connection_id = ConnectionId();
  parameters.retry_source_connection_id = ConnectionId();
  parameters.stateless_reset_token.emplace();
  parameters.preferred_address.emplace();
  return parameters;
}

TEST(ZeroRttParametersTest, WhatSpeaksOfOneConnectionIsForgotten) {
  T expected = EveryParameter();
  expected.ack_delay_exponent = 3;
  expected.max_ack_delay = Duration::Milliseconds(25);
  expected.grease_quic_bit = false;  // RFC 9287 §3.1
  expected.min_ack_delay.reset();
  expected.version_information.reset();
  expected.initial_source_connection_id.reset();
  expected.original_destination_connection_id.reset();
  expected.retry_source_connection_id.reset();
  expected.stateless_reset_token.reset();
  expected.preferred_address.reset();

  EXPECT_EQ(RememberedForZeroRtt(EveryParameter()), expected);
}

TEST(ZeroRttParametersTest, WhatIsRememberedSurvivesTheSessionTicket) {
  SeededRandom random(30);

  for (int i = 0; i < 10'000; ++i) {
    const T remembered =
        RememberedForZeroRtt(RandomTransportParameters(Perspective::kServer, random));
    std::vector<uint8_t> ticket(EncodedSize(remembered));
    ByteWriter writer(ticket);
    T restored;

    WriteTransportParameters(remembered, Perspective::kServer, {}, writer);
    const Result result = ParseTransportParameters(ticket, Perspective::kServer, &restored);

    ASSERT_TRUE(result.ok()) << i;
    ASSERT_EQ(restored, remembered) << i;
    ASSERT_EQ(RememberedForZeroRtt(restored), restored) << i;
  }
}

TEST(ZeroRttParametersTest, EqualAndGreaterLimitsAreFine) {
  const T remembered = RememberedForZeroRtt(EveryParameter());
  T current = EveryParameter();
  EXPECT_TRUE(CheckZeroRttParameters({.remembered = remembered, .current = current}).ok());

  for (uint64_t T::*const limit : kLimits) ++(current.*limit);
  ++current.max_datagram_frame_size;
  EXPECT_TRUE(CheckZeroRttParameters({.remembered = remembered, .current = current}).ok());
}

TEST(ZeroRttParametersTest, EachReducedLimitIsFound) {
  const T remembered = RememberedForZeroRtt(EveryParameter());

  for (uint64_t T::*const limit : kLimits) {
    T current = EveryParameter();
    --(current.*limit);
    EXPECT_EQ(CheckZeroRttParameters({.remembered = remembered, .current = current}),
              kZeroRttLimitReduced);
  }
}

TEST(ZeroRttParametersTest, AReducedDatagramSizeIsFound) {
  const T remembered = RememberedForZeroRtt(EveryParameter());
  T current = EveryParameter();

  current.max_datagram_frame_size = 0;

  EXPECT_EQ(CheckZeroRttParameters({.remembered = remembered, .current = current}),
            kZeroRttDatagramSizeReduced);
}

TEST(ZeroRttParametersTest, WhatNoZeroRttDataCanViolateMayBecomeSmaller) {
  const T remembered = RememberedForZeroRtt(EveryParameter());
  T current = EveryParameter();

  current.max_idle_timeout = Duration::Seconds(1);
  current.max_udp_payload_size = 1200;
  current.ack_delay_exponent = 0;
  current.min_ack_delay.reset();

  EXPECT_TRUE(CheckZeroRttParameters({.remembered = remembered, .current = current}).ok());
}

}  // namespace
}  // namespace godwit
