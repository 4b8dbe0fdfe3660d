// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/transport_parameters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "tests/transport/wire/hex_bytes.h"
#include "tests/transport/wire/parameter_block.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

constexpr std::string_view kToken = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kPreferredIpv4 = "c0000201 01bb";
constexpr std::string_view kPreferredIpv6 = "20010db8000000000000000000000001 01bc";
constexpr uint64_t kNumberIds[] = {0x01, 0x03, 0x04, 0x05, 0x06, 0x07,      0x08,
                                   0x09, 0x0a, 0x0b, 0x0e, 0x20, 0xff04de1b};

Result Parse(std::span<const uint8_t> block, Perspective sender, TransportParameters* parameters) {
  // Of the block's own size, so that sanitizers see every read beyond it.
  const std::vector<uint8_t> exact(block.begin(), block.end());
  return ParseTransportParameters(exact, sender, parameters);
}

Result ErrorOf(const ParameterBlock& block, Perspective sender = Perspective::kServer) {
  TransportParameters parameters;
  return Parse(block.block(), sender, &parameters);
}

TransportParameters Parsed(const ParameterBlock& block, Perspective sender = Perspective::kServer) {
  TransportParameters parameters;
  const Result result = Parse(block.block(), sender, &parameters);
  EXPECT_TRUE(result.ok()) << result.error().reason;
  return parameters;
}

ConnectionId Id(std::string_view hex) { return ConnectionId::FromBytes(HexBytes(hex)).value(); }

StatelessResetToken Token() {
  return StatelessResetToken(std::span<const uint8_t>(HexBytes(kToken)).first<16>());
}

std::vector<uint8_t> Preferred(std::string_view id_size, std::string_view id) {
  std::string hex;
  for (const std::string_view part : {kPreferredIpv4, kPreferredIpv6, id_size, id, kToken}) {
    hex += part;
  }
  return HexBytes(hex);
}

// One of each that a client may send.
ParameterBlock EveryClientParameter() {
  return ParameterBlock()
      .Number(0x01, 30'000)
      .Number(0x03, 1472)
      .Number(0x04, 1'000'000)
      .Number(0x05, 100'001)
      .Number(0x06, 100'002)
      .Number(0x07, 100'003)
      .Number(0x08, 100)
      .Number(0x09, 3)
      .Number(0x0a, 10)
      .Number(0x0b, 26)
      .Hex(0x0c, "")
      .Number(0x0e, 8)
      .Hex(0x0f, "c1c2c3")
      .Hex(0x11, "00000001 6b3343cf 00000001 1a2a3a4a")
      .Number(0x20, 65535)
      .Hex(0x2ab2, "")
      .Number(0xff04de1b, 1000);
}

ParameterBlock EveryServerParameter() {
  return EveryClientParameter()
      .Hex(0x00, "a1a2a3a4a5a6a7a8")
      .Hex(0x02, kToken)
      .Bytes(0x0d, Preferred("04", "b1b2b3b4"))
      .Hex(0x10, "");
}

TEST(TransportParametersTest, AnEmptyBlockMeansTheDefaultsOfTheRfcs) {
  const TransportParameters parameters = Parsed(ParameterBlock());

  EXPECT_EQ(parameters.max_idle_timeout, Duration::Zero());
  EXPECT_EQ(parameters.max_udp_payload_size, 65527u);
  EXPECT_EQ(parameters.initial_max_data, 0u);
  EXPECT_EQ(parameters.initial_max_stream_data_bidi_local, 0u);
  EXPECT_EQ(parameters.initial_max_stream_data_bidi_remote, 0u);
  EXPECT_EQ(parameters.initial_max_stream_data_uni, 0u);
  EXPECT_EQ(parameters.initial_max_streams_bidi, 0u);
  EXPECT_EQ(parameters.initial_max_streams_uni, 0u);
  EXPECT_EQ(parameters.ack_delay_exponent, 3u);
  EXPECT_EQ(parameters.max_ack_delay, Duration::Milliseconds(25));
  EXPECT_FALSE(parameters.disable_active_migration);
  EXPECT_EQ(parameters.active_connection_id_limit, 2u);
  EXPECT_FALSE(parameters.initial_source_connection_id);
  EXPECT_FALSE(parameters.original_destination_connection_id);
  EXPECT_FALSE(parameters.retry_source_connection_id);
  EXPECT_FALSE(parameters.stateless_reset_token);
  EXPECT_FALSE(parameters.preferred_address);
  EXPECT_EQ(parameters.max_datagram_frame_size, 0u);
  EXPECT_FALSE(parameters.grease_quic_bit);
  EXPECT_FALSE(parameters.min_ack_delay);
  EXPECT_FALSE(parameters.version_information);
}

TEST(TransportParametersTest, EveryParameterHasItsField) {
  const TransportParameters parameters = Parsed(EveryServerParameter());

  EXPECT_EQ(parameters.max_idle_timeout, Duration::Seconds(30));
  EXPECT_EQ(parameters.max_udp_payload_size, 1472u);
  EXPECT_EQ(parameters.initial_max_data, 1'000'000u);
  EXPECT_EQ(parameters.initial_max_stream_data_bidi_local, 100'001u);
  EXPECT_EQ(parameters.initial_max_stream_data_bidi_remote, 100'002u);
  EXPECT_EQ(parameters.initial_max_stream_data_uni, 100'003u);
  EXPECT_EQ(parameters.initial_max_streams_bidi, 100u);
  EXPECT_EQ(parameters.initial_max_streams_uni, 3u);
  EXPECT_EQ(parameters.ack_delay_exponent, 10u);
  EXPECT_EQ(parameters.max_ack_delay, Duration::Milliseconds(26));
  EXPECT_TRUE(parameters.disable_active_migration);
  EXPECT_EQ(parameters.active_connection_id_limit, 8u);
  EXPECT_EQ(parameters.initial_source_connection_id, Id("c1c2c3"));
  EXPECT_EQ(parameters.original_destination_connection_id, Id("a1a2a3a4a5a6a7a8"));
  EXPECT_EQ(parameters.retry_source_connection_id, ConnectionId());
  EXPECT_EQ(parameters.stateless_reset_token, Token());
  EXPECT_EQ(parameters.preferred_address,
            (PreferredAddress{SocketAddress::Parse("192.0.2.1:443"),
                              SocketAddress::Parse("[2001:db8::1]:444"), Id("b1b2b3b4"), Token()}));
  EXPECT_EQ(parameters.max_datagram_frame_size, 65535u);
  EXPECT_TRUE(parameters.grease_quic_bit);
  EXPECT_EQ(parameters.min_ack_delay, Duration::Milliseconds(1));
  EXPECT_EQ(parameters.version_information,
            (VersionInformation{1, {0x6b3343cf, 0x00000001, 0x1a2a3a4a}}));
}

TEST(TransportParametersTest, NumbersAreAcceptedUpToTheirBoundsAndNoFurther) {
  constexpr uint64_t kMax = (uint64_t{1} << 62) - 1;
  constexpr uint64_t kStreams = uint64_t{1} << 60;
  struct Bounds {
    uint64_t id;
    std::vector<uint64_t> good;
    std::vector<uint64_t> bad;
    Result error;
  };
  const Bounds all[] = {
      {0x01, {0, 1, kMax}, {}, Result::Ok()},
      {0x03, {1200, 65527, 65528, kMax}, {0, 1199}, kMaxUdpPayloadSizeTooSmall},
      {0x04, {0, kMax}, {}, Result::Ok()},
      {0x05, {0, kMax}, {}, Result::Ok()},
      {0x06, {0, kMax}, {}, Result::Ok()},
      {0x07, {0, kMax}, {}, Result::Ok()},
      {0x08, {0, kStreams}, {kStreams + 1, kMax}, kInitialMaxStreamsBidiTooLarge},
      {0x09, {0, kStreams}, {kStreams + 1, kMax}, kInitialMaxStreamsUniTooLarge},
      {0x0a, {0, 20}, {21, 256, kMax}, kAckDelayExponentTooLarge},
      {0x0b, {0, 16383}, {16384, kMax}, kMaxAckDelayTooLarge},
      {0x0e, {2, kMax}, {0, 1}, kActiveConnectionIdLimitTooSmall},
      {0x20, {0, 65535, kMax}, {}, Result::Ok()},
      {0xff04de1b, {0, 25'000}, {25'001, kMax}, kMinAckDelayAboveMaxAckDelay},
  };

  for (const Bounds& bounds : all) {
    for (const Perspective sender : {Perspective::kClient, Perspective::kServer}) {
      for (const uint64_t value : bounds.good) {
        EXPECT_TRUE(ErrorOf(ParameterBlock().Number(bounds.id, value), sender).ok())
            << bounds.id << ": " << value;
      }
      for (const uint64_t value : bounds.bad) {
        EXPECT_EQ(ErrorOf(ParameterBlock().Number(bounds.id, value), sender), bounds.error)
            << bounds.id << ": " << value;
      }
    }
  }
}

TEST(TransportParametersTest, IdleTimeoutsBeyondDurationAreInfinite) {
  const ParameterBlock block = ParameterBlock().Number(0x01, kMaxVarint);

  EXPECT_EQ(Parsed(block).max_idle_timeout, Duration::Infinite());
}

TEST(TransportParametersTest, MinAckDelayIsComparedWithMaxAckDelayInWhateverOrderTheyCome) {
  EXPECT_TRUE(ErrorOf(ParameterBlock().Number(0xff04de1b, 30'000).Number(0x0b, 30)).ok());
  EXPECT_TRUE(ErrorOf(ParameterBlock().Number(0x0b, 30).Number(0xff04de1b, 30'000)).ok());
  EXPECT_EQ(ErrorOf(ParameterBlock().Number(0xff04de1b, 30'001).Number(0x0b, 30)),
            kMinAckDelayAboveMaxAckDelay);
  EXPECT_EQ(ErrorOf(ParameterBlock().Number(0x0b, 30).Number(0xff04de1b, 30'001)),
            kMinAckDelayAboveMaxAckDelay);
}

TEST(TransportParametersTest, NumbersMustFillTheirLength) {
  for (const uint64_t id : kNumberIds) {
    for (const std::string_view value :
         {"", "40", "800000", "c0000000000000", "0500", "405000", "c00000000000050000"}) {
      EXPECT_EQ(ErrorOf(ParameterBlock().Hex(id, value)), kTransportParameterIntegerMalformed)
          << id << ": " << value;
    }
  }
}

TEST(TransportParametersTest, NumbersMayTakeMoreBytesThanTheyNeed) {
  for (const VarintWidth width : {VarintWidth::k2, VarintWidth::k4, VarintWidth::k8}) {
    std::vector<uint8_t> block;
    for (const uint64_t number : {uint64_t{0x08}, ByteCount(width), uint64_t{9}}) {
      const std::vector<uint8_t> bytes = VarintBytes(number, width);
      block.insert(block.end(), bytes.begin(), bytes.end());
    }
    TransportParameters parameters;

    const Result result = Parse(block, Perspective::kClient, &parameters);

    EXPECT_TRUE(result.ok());
    EXPECT_EQ(parameters.initial_max_streams_bidi, 9u);
  }
}

TEST(TransportParametersTest, ABlockCutInsideAParameterIsRefused) {
  const ParameterBlock whole = EveryServerParameter();

  for (size_t size = 0; size <= whole.block().size(); ++size) {
    const std::span<const uint8_t> cut = std::span(whole.block()).first(size);
    const bool is_at_end = size == 0 || std::find(whole.ends().begin(), whole.ends().end(), size) !=
                                            whole.ends().end();
    TransportParameters parameters;
    parameters.initial_max_data = 12345;

    const Result result = Parse(cut, Perspective::kServer, &parameters);

    if (is_at_end) {
      EXPECT_TRUE(result.ok()) << size;
    } else {
      EXPECT_EQ(result, kTransportParameterTruncated) << size;
      EXPECT_EQ(parameters.initial_max_data, 12345u) << size;
    }
  }
}

TEST(TransportParametersTest, ALengthBeyondTheBlockIsRefused) {
  for (const std::string_view block :
       {"0401", "0f3f00", "1bffffffffffffffff", "1bc000000000000001"}) {
    TransportParameters parameters;

    EXPECT_EQ(Parse(HexBytes(block), Perspective::kServer, &parameters),
              kTransportParameterTruncated)
        << block;
  }
}

TEST(TransportParametersTest, EveryDuplicateIsRefused) {
  const ParameterBlock every = EveryServerParameter();
  size_t begin = 0;
  for (const size_t end : every.ends()) {
    std::vector<uint8_t> block = every.block();
    const std::span<const uint8_t> again = std::span(every.block()).subspan(begin, end - begin);
    block.insert(block.end(), again.begin(), again.end());
    TransportParameters parameters;

    EXPECT_EQ(Parse(block, Perspective::kServer, &parameters), kTransportParameterDuplicate)
        << begin;
    EXPECT_EQ(parameters, TransportParameters()) << begin;
    begin = end;
  }
}

TEST(TransportParametersTest, DuplicatesOfUnknownParametersAreRefused) {
  EXPECT_EQ(ErrorOf(ParameterBlock().Hex(0x1234, "01").Number(0x04, 1).Hex(0x1234, "")),
            kTransportParameterDuplicate);
  EXPECT_EQ(ErrorOf(ParameterBlock().Hex(27, "").Hex(27, "")), kTransportParameterDuplicate);
}

TEST(TransportParametersTest, AnotherWidthOfTheIdIsStillADuplicate) {
  TransportParameters parameters;

  EXPECT_EQ(Parse(HexBytes("040105 4004 0105"), Perspective::kServer, &parameters),
            kTransportParameterDuplicate);
}

TEST(TransportParametersTest, UnknownAndReservedParametersAreSkipped) {
  const ParameterBlock block = ParameterBlock()
                                   .Hex(27, "ffff")
                                   .Hex(0x12, "c0")
                                   .Number(0x04, 7)
                                   .Hex(31 * 1000 + 27, "")
                                   .Hex(kMaxVarint, "00");

  TransportParameters expected;
  expected.initial_max_data = 7;
  EXPECT_EQ(Parsed(block, Perspective::kClient), expected);
}

// Ids of which the varint has two bytes and the value none: the most parameters that fit.
ParameterBlock DistinctTinyParameters(size_t size) {
  ParameterBlock block;
  for (uint64_t id = 0x1000; block.block().size() + 3 <= size; ++id) block.Bytes(id, {});
  const size_t rest = size - block.block().size();
  if (rest == 2) block.Hex(27, "");
  return block;
}

TEST(TransportParametersTest, ABlockFullOfTinyParametersIsAccepted) {
  const ParameterBlock block = DistinctTinyParameters(4095);

  EXPECT_EQ(block.block().size(), 4095u);
  EXPECT_EQ(Parsed(block), TransportParameters());
}

TEST(TransportParametersTest, ADuplicateAmongTinyParametersIsFound) {
  ParameterBlock block = DistinctTinyParameters(4092);

  EXPECT_EQ(ErrorOf(block.Bytes(0x1000, {})), kTransportParameterDuplicate);
}

TEST(TransportParametersTest, ABlockOfTheShortestParametersIsRefusedAsDuplicates) {
  TransportParameters parameters;
  std::vector<uint8_t> block(4096);
  for (size_t i = 0; i < block.size(); i += 2) block[i] = 27;

  EXPECT_EQ(Parse(block, Perspective::kClient, &parameters), kTransportParameterDuplicate);
}

TEST(TransportParametersTest, FourKibibytesAreAcceptedAndAByteMoreIsNot) {
  EXPECT_TRUE(ErrorOf(ParameterBlock().Bytes(27, std::vector<uint8_t>(4093))).ok());
  EXPECT_EQ(ErrorOf(ParameterBlock().Bytes(27, std::vector<uint8_t>(4094))),
            kTransportParametersTooLong);
  EXPECT_EQ(ErrorOf(DistinctTinyParameters(16384)), kTransportParametersTooLong);
}

TEST(TransportParametersTest, AClientMustNotSendAServersParameters) {
  const ParameterBlock of_server[] = {
      ParameterBlock().Hex(0x00, "0102"), ParameterBlock().Hex(0x00, ""),
      ParameterBlock().Hex(0x02, kToken), ParameterBlock().Bytes(0x0d, Preferred("01", "b1")),
      ParameterBlock().Hex(0x10, "0102"), ParameterBlock().Hex(0x10, ""),
  };

  for (const ParameterBlock& block : of_server) {
    EXPECT_TRUE(ErrorOf(block, Perspective::kServer).ok());
    EXPECT_EQ(ErrorOf(block, Perspective::kClient), kServerParameterFromClient);
  }
  EXPECT_TRUE(ErrorOf(EveryClientParameter(), Perspective::kClient).ok());
}

TEST(TransportParametersTest, ConnectionIdsHaveUpToTwentyBytes) {
  for (const uint64_t id : {0x00, 0x0f, 0x10}) {
    for (size_t size = 0; size <= 20; ++size) {
      EXPECT_TRUE(ErrorOf(ParameterBlock().Bytes(id, std::vector<uint8_t>(size))).ok()) << size;
    }
    for (const size_t size : {21, 255, 1000}) {
      EXPECT_EQ(ErrorOf(ParameterBlock().Bytes(id, std::vector<uint8_t>(size))),
                kConnectionIdParameterTooLong);
    }
  }
}

TEST(TransportParametersTest, StatelessResetTokensHaveSixteenBytes) {
  for (size_t size = 0; size <= 40; ++size) {
    const Result result = ErrorOf(ParameterBlock().Bytes(0x02, std::vector<uint8_t>(size)));

    EXPECT_EQ(result, size == 16 ? Result::Ok() : Result(kStatelessResetTokenLengthInvalid));
  }
}

TEST(TransportParametersTest, FlagsHaveNoValue) {
  EXPECT_EQ(ErrorOf(ParameterBlock().Hex(0x0c, "01")), kDisableActiveMigrationNotEmpty);
  EXPECT_EQ(ErrorOf(ParameterBlock().Hex(0x2ab2, "01")), kGreaseQuicBitNotEmpty);
}

}  // namespace
}  // namespace godwit
