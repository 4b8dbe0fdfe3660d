// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "tests/transport/wire/hex_bytes.h"
#include "tests/transport/wire/parameter_block.h"
#include "tests/transport/wire/random_transport_parameters.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {
namespace {

// A buffer of just the size that was announced: a byte more dies, a byte less fails.
std::vector<uint8_t> Written(const TransportParameters& parameters, Perspective sender,
                             const TransportParameterEncoding& encoding = {}) {
  std::vector<uint8_t> block(EncodedSize(parameters, encoding));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, sender, encoding, writer);
  EXPECT_EQ(writer.space_left(), 0u);
  return block;
}

std::vector<uint64_t> IdsOf(const std::vector<uint8_t>& block) {
  std::vector<uint64_t> ids;
  ByteReader reader(block);
  uint64_t id = 0;
  std::span<const uint8_t> value;
  while (reader.ReadVarint(&id) && reader.ReadVarintPrefixedBytes(&value)) ids.push_back(id);
  EXPECT_TRUE(reader.is_at_end());
  return ids;
}

TransportParameters Sample() {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Seconds(30);
  parameters.initial_max_data = 1'000'000;
  parameters.initial_max_streams_bidi = 100;
  parameters.disable_active_migration = true;
  parameters.initial_source_connection_id = ConnectionId::FromBytes(HexBytes("c1c2c3"));
  return parameters;
}

TEST(TransportParametersWritingTest, EncodingIsTheOneOfTheRfcs) {
  TransportParameters parameters = Sample();
  parameters.min_ack_delay = Duration::Milliseconds(1);
  parameters.grease_quic_bit = true;
  parameters.version_information = VersionInformation{1, {1, 0x6b3343cf}};
  parameters.preferred_address = PreferredAddress{
      SocketAddress::Parse("192.0.2.1:443"), SocketAddress::Parse("[2001:db8::1]:444"),
      ConnectionId::FromBytes(HexBytes("b1b2")).value(), StatelessResetToken()};

  const std::vector<uint8_t> block = Written(parameters, Perspective::kServer);

  std::map<uint64_t, std::vector<uint8_t>> values;
  ByteReader reader(block);
  uint64_t id = 0;
  std::span<const uint8_t> value;
  while (reader.ReadVarint(&id) && reader.ReadVarintPrefixedBytes(&value)) {
    values[id] = {value.begin(), value.end()};
  }
  const std::map<uint64_t, std::vector<uint8_t>> expected = {
      {0x01, HexBytes("80007530")},
      {0x04, HexBytes("800f4240")},
      {0x08, HexBytes("4064")},
      {0x0c, {}},
      {0x0d, HexBytes("c0000201 01bb 20010db8000000000000000000000001 01bc 02 b1b2 "
                      "00000000000000000000000000000000")},
      {0x0f, HexBytes("c1c2c3")},
      {0x11, HexBytes("00000001 00000001 6b3343cf")},
      {0x2ab2, {}},
      {0xff04de1b, HexBytes("43e8")},
  };
  EXPECT_EQ(values, expected);
}

TEST(TransportParametersWritingTest, AFamilyThatIsNotOfferedIsAllZero) {
  TransportParameters parameters;
  parameters.preferred_address.emplace().connection_id =
      ConnectionId::FromBytes(HexBytes("b1")).value();

  const std::vector<uint8_t> block = Written(parameters, Perspective::kServer);

  EXPECT_EQ(block, HexBytes("0d2a 00000000 0000 00000000000000000000000000000000 0000 01b1 "
                            "00000000000000000000000000000000"));
}

TEST(TransportParametersWritingTest, DefaultsAreLeftOut) {
  TransportParameters parameters;
  EXPECT_EQ(EncodedSize(parameters), 0u);

  parameters.initial_source_connection_id = ConnectionId();
  EXPECT_EQ(Written(parameters, Perspective::kClient), HexBytes("0f00"));
}

TEST(TransportParametersWritingTest, DurationsAreRoundedUpToTheUnitsOfTheWire) {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Nanoseconds(1);
  parameters.max_ack_delay = Duration::Nanoseconds(30'000'001);
  parameters.min_ack_delay = Duration::Nanoseconds(5'001);

  const std::vector<uint8_t> block = Written(parameters, Perspective::kClient);

  EXPECT_EQ(block, ParameterBlock().Number(0x01, 1).Number(0x0b, 31).Number(0xff04de1b, 6).block());
}

TEST(TransportParametersWritingTest, AReservedParameterHasTheGivenValueAndAReservedId) {
  const std::vector<uint8_t> value = HexBytes("0badcafe");
  SeededRandom random(1);
  std::set<uint64_t> ids;

  for (int i = 0; i < 1000; ++i) {
    const uint64_t bits = random.NextUint64() >> random.UniformBelow(64);
    const std::vector<uint8_t> block =
        Written({}, Perspective::kClient, {.reserved = ReservedTransportParameter{bits, value}});

    ASSERT_EQ(IdsOf(block).size(), 1u);
    EXPECT_EQ(IdsOf(block)[0] % 31, 27u);
    EXPECT_TRUE(std::equal(value.rbegin(), value.rend(), block.rbegin()));
    ids.insert(IdsOf(block)[0]);
  }
  EXPECT_GT(ids.size(), 900u);
  EXPECT_EQ(Written({}, Perspective::kClient, {.reserved = ReservedTransportParameter{}}),
            HexBytes("1b00"));
  EXPECT_EQ(
      EncodedSize({}, {.reserved = ReservedTransportParameter{(kMaxVarint - 27) / 31, value}}),
      13u);
}

TEST(TransportParametersWritingTest, OrderDependsOnTheSeedAlone) {
  const TransportParameters parameters = Sample();
  const std::vector<uint8_t> unordered = Written(parameters, Perspective::kClient);
  std::vector<uint64_t> sorted_ids = IdsOf(unordered);
  std::sort(sorted_ids.begin(), sorted_ids.end());
  std::set<std::vector<uint64_t>> orders;

  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const std::vector<uint8_t> block =
        Written(parameters, Perspective::kClient, {.order_seed = seed});

    EXPECT_EQ(block, Written(parameters, Perspective::kClient, {.order_seed = seed}));
    std::vector<uint64_t> ids = IdsOf(block);
    orders.insert(ids);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, sorted_ids);
  }
  // All permutations of five parameters.
  EXPECT_EQ(orders.size(), 120u);
}

TEST(TransportParametersWritingTest, AnInfiniteIdleTimeoutIsTheGreatestNumber) {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Infinite();

  const std::vector<uint8_t> block = Written(parameters, Perspective::kClient);

  EXPECT_EQ(block, ParameterBlock().Number(0x01, kMaxVarint).block());
}

TEST(TransportParametersWritingTest, EveryParameterAtItsLongestTakesLessThan500Bytes) {
  const ConnectionId longest_id = ConnectionId::FromBytes(std::vector<uint8_t>(20)).value();
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Infinite();
  parameters.max_udp_payload_size = kMaxVarint;
  parameters.initial_max_data = kMaxVarint;
  parameters.initial_max_stream_data_bidi_local = kMaxVarint;
  parameters.initial_max_stream_data_bidi_remote = kMaxVarint;
  parameters.initial_max_stream_data_uni = kMaxVarint;
  parameters.initial_max_streams_bidi = kMaxStreams;
  parameters.initial_max_streams_uni = kMaxStreams;
  parameters.ack_delay_exponent = 20;
  parameters.max_ack_delay = Duration::Milliseconds(16383);
  parameters.disable_active_migration = true;
  parameters.active_connection_id_limit = kMaxVarint;
  parameters.initial_source_connection_id = longest_id;
  parameters.original_destination_connection_id = longest_id;
  parameters.retry_source_connection_id = longest_id;
  parameters.stateless_reset_token.emplace();
  parameters.preferred_address.emplace().connection_id = longest_id;
  parameters.max_datagram_frame_size = kMaxVarint;
  parameters.grease_quic_bit = true;
  parameters.min_ack_delay = parameters.max_ack_delay;
  parameters.version_information = VersionInformation{1, {1, 2, 3, 4, 5, 6, 7, 8}};
  const std::vector<uint8_t> value(16);
  const TransportParameterEncoding encoding = {
      .reserved = ReservedTransportParameter{(kMaxVarint - 27) / 31, value}, .order_seed = 1};

  const std::vector<uint8_t> block = Written(parameters, Perspective::kServer, encoding);

  EXPECT_EQ(IdsOf(block).size(), 22u);
  EXPECT_LT(block.size(), 500u);
}

TEST(TransportParametersWritingTest, RandomParametersSurviveTheRoundTrip) {
  SeededRandom random(20);

  for (int i = 0; i < 20'000; ++i) {
    const Perspective sender = i % 2 == 0 ? Perspective::kClient : Perspective::kServer;
    const TransportParameters parameters = RandomTransportParameters(sender, random);
    std::vector<uint8_t> reserved_value(random.UniformBelow(17));
    random.Fill(reserved_value);
    TransportParameterEncoding encoding;
    if (i % 3 != 0) encoding.reserved = {random.NextUint64(), reserved_value};
    if (i % 5 != 0) encoding.order_seed = random.NextUint64();
    TransportParameters parsed;

    const std::vector<uint8_t> block = Written(parameters, sender, encoding);
    const Result result = ParseTransportParameters(block, sender, &parsed);

    ASSERT_TRUE(result.ok()) << i << ": " << result.error().reason;
    ASSERT_EQ(parsed, parameters) << i;
  }
}

TEST(TransportParametersWritingTest, EveryTruncationOfRandomParametersIsSeen) {
  SeededRandom random(21);

  for (int i = 0; i < 200; ++i) {
    const TransportParameters parameters = RandomTransportParameters(Perspective::kServer, random);
    const std::vector<uint8_t> block =
        Written(parameters, Perspective::kServer, {.order_seed = random.NextUint64()});
    for (size_t size = 0; size < block.size(); ++size) {
      TransportParameters parsed;

      const Result result =
          ParseTransportParameters(std::span(block).first(size), Perspective::kServer, &parsed);

      // A cut between two parameters leaves a valid block, unless it parts the two ack delays.
      EXPECT_TRUE(result.ok() || result == kTransportParameterTruncated ||
                  result == kMinAckDelayAboveMaxAckDelay);
      EXPECT_TRUE(result.ok() ? parsed != parameters : parsed == TransportParameters());
    }
  }
}

void Write(const TransportParameters& parameters, Perspective sender) {
  std::vector<uint8_t> buffer(2 * kMaxTransportParameterBytes);
  ByteWriter writer(buffer);
  WriteTransportParameters(parameters, sender, {}, writer);
}

TEST(TransportParametersWritingDeathTest, ParametersThatAPeerWouldRefuseAreOurBug) {
  TransportParameters small_payload;
  small_payload.max_udp_payload_size = 1199;
  TransportParameters of_server;
  of_server.stateless_reset_token.emplace();
  TransportParameters negative;
  negative.max_idle_timeout = Duration::Milliseconds(-1);
  TransportParameters no_varint;
  no_varint.initial_max_data = kMaxVarint + 1;

  EXPECT_DEATH(Write(small_payload, Perspective::kServer), "GODWIT_CHECK");
  EXPECT_DEATH(Write(of_server, Perspective::kClient), "GODWIT_CHECK");
  EXPECT_DEATH(Write(negative, Perspective::kClient), "GODWIT_CHECK");
  EXPECT_DEATH(Write(no_varint, Perspective::kClient), "GODWIT_CHECK");
}

TEST(TransportParametersWritingDeathTest, APreferredAddressThatNobodyCanUseIsOurBug) {
  TransportParameters parameters;
  PreferredAddress& preferred = parameters.preferred_address.emplace();
  preferred.connection_id = ConnectionId::FromBytes(HexBytes("b1")).value();

  preferred.ipv4 = SocketAddress::Parse("192.0.2.1:0");
  EXPECT_DEATH(Write(parameters, Perspective::kServer), "GODWIT_CHECK");
  preferred.ipv4 = SocketAddress::Parse("[2001:db8::1]:443");
  EXPECT_DEATH(Write(parameters, Perspective::kServer), "GODWIT_CHECK");
  preferred.ipv4.reset();
  preferred.ipv6 = SocketAddress::Parse("192.0.2.1:443");
  EXPECT_DEATH(Write(parameters, Perspective::kServer), "GODWIT_CHECK");
}

TEST(TransportParametersWritingDeathTest, ABlockThatNobodyWouldAcceptIsOurBug) {
  // An id of one byte, a length of two and the value.
  const std::vector<uint8_t> value(kMaxTransportParameterBytes - 2);
  const auto reserved = [&value](size_t size) {
    return TransportParameterEncoding{
        .reserved = ReservedTransportParameter{0, std::span(value).first(size)}};
  };
  const TransportParameterEncoding largest = reserved(value.size() - 1);
  const TransportParameterEncoding too_large = reserved(value.size());
  std::vector<uint8_t> buffer(2 * kMaxTransportParameterBytes);
  ByteWriter writer(buffer);

  WriteTransportParameters({}, Perspective::kServer, largest, writer);

  EXPECT_EQ(writer.position(), kMaxTransportParameterBytes);
  EXPECT_DEATH(WriteTransportParameters({}, Perspective::kServer, too_large, writer),
               "kMaxTransportParameterBytes");
}

}  // namespace
}  // namespace godwit
