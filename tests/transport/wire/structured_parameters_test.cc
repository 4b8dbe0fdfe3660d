// SPDX-License-Identifier: Apache-2.0
//
// The transport parameters that have fields of their own: preferred_address, RFC 9000 §18.2, and
// version_information, RFC 9368 §3, §4.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "tests/transport/wire/hex_bytes.h"
#include "tests/transport/wire/parameter_block.h"
#include "transport/wire/transport_parameters.h"
#include "transport/wire/version_information.h"

namespace godwit {
namespace {

constexpr std::string_view kToken = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kIpv4 = "c0000201 01bb";
constexpr std::string_view kIpv6 = "20010db8000000000000000000000001 01bb";
constexpr std::string_view kNoIpv4 = "00000000 0000";
constexpr std::string_view kNoIpv6 = "00000000000000000000000000000000 0000";

Result Parse(const ParameterBlock& block, Perspective sender, TransportParameters* parameters) {
  return ParseTransportParameters(block.block(), sender, parameters);
}

struct PreferredFields {
  std::string_view ipv4 = kIpv4;
  std::string_view ipv6 = kIpv6;
  uint8_t id_size = 4;
  size_t id_bytes = 4;
};

std::vector<uint8_t> Encoded(const PreferredFields& fields) {
  std::vector<uint8_t> value = HexBytes(std::string(fields.ipv4) + std::string(fields.ipv6));
  value.push_back(fields.id_size);
  value.insert(value.end(), fields.id_bytes, 0xb1);
  const std::vector<uint8_t> token = HexBytes(kToken);
  value.insert(value.end(), token.begin(), token.end());
  return value;
}

Result ErrorOfPreferred(const std::vector<uint8_t>& value) {
  TransportParameters parameters;
  return Parse(ParameterBlock().Bytes(0x0d, value), Perspective::kServer, &parameters);
}

PreferredAddress ParsedPreferred(const PreferredFields& fields) {
  TransportParameters parameters;
  const Result result =
      Parse(ParameterBlock().Bytes(0x0d, Encoded(fields)), Perspective::kServer, &parameters);
  EXPECT_TRUE(result.ok());
  return parameters.preferred_address.value();
}

TEST(PreferredAddressTest, AZeroAddressMeansThatTheFamilyIsNotOffered) {
  const PreferredAddress only_ipv6 = ParsedPreferred({.ipv4 = kNoIpv4});
  const PreferredAddress only_ipv4 = ParsedPreferred({.ipv6 = kNoIpv6});

  EXPECT_FALSE(only_ipv6.ipv4);
  EXPECT_EQ(only_ipv6.ipv6, SocketAddress::Parse("[2001:db8::1]:443"));
  EXPECT_EQ(only_ipv4.ipv4, SocketAddress::Parse("192.0.2.1:443"));
  EXPECT_FALSE(only_ipv4.ipv6);
}

TEST(PreferredAddressTest, AnAddressOrAPortThatNobodyCanSendToCountsAsNotOffered) {
  EXPECT_FALSE(ParsedPreferred({.ipv4 = "00000000 01bb"}).ipv4);
  EXPECT_FALSE(ParsedPreferred({.ipv4 = "c0000201 0000"}).ipv4);
  EXPECT_FALSE(ParsedPreferred({.ipv6 = "00000000000000000000000000000000 01bb"}).ipv6);
  EXPECT_FALSE(ParsedPreferred({.ipv6 = "20010db8000000000000000000000001 0000"}).ipv6);
}

TEST(PreferredAddressTest, ConnectionIdHasOneToTwentyBytes) {
  for (size_t size = 1; size <= 20; ++size) {
    const PreferredAddress preferred =
        ParsedPreferred({.id_size = static_cast<uint8_t>(size), .id_bytes = size});

    EXPECT_EQ(preferred.connection_id,
              ConnectionId::FromBytes(std::vector<uint8_t>(size, 0xb1)).value());
  }
  for (const size_t size : {0, 21, 255}) {
    EXPECT_EQ(ErrorOfPreferred(Encoded({.id_size = static_cast<uint8_t>(size), .id_bytes = size})),
              kPreferredAddressConnectionIdInvalid)
        << size;
  }
}

TEST(PreferredAddressTest, AnyOtherLengthIsMalformed) {
  std::vector<uint8_t> value = Encoded({});
  value.push_back(0);
  EXPECT_EQ(ErrorOfPreferred(value), kPreferredAddressMalformed);

  for (value = Encoded({}); !value.empty();) {
    value.pop_back();
    EXPECT_EQ(ErrorOfPreferred(value), kPreferredAddressMalformed) << value.size();
  }
}

TEST(PreferredAddressTest, AConnectionIdLengthThatDisagreesWithTheValueIsMalformed) {
  EXPECT_EQ(ErrorOfPreferred(Encoded({.id_size = 3})), kPreferredAddressMalformed);
  EXPECT_EQ(ErrorOfPreferred(Encoded({.id_size = 5})), kPreferredAddressMalformed);
  EXPECT_EQ(ErrorOfPreferred(Encoded({.id_size = 20})), kPreferredAddressMalformed);
}

TEST(PreferredAddressTest, AServerWithAnEmptyConnectionIdHasNone) {
  TransportParameters parameters;
  ParameterBlock empty_before = ParameterBlock().Hex(0x0f, "").Bytes(0x0d, Encoded({}));
  ParameterBlock empty_after = ParameterBlock().Bytes(0x0d, Encoded({})).Hex(0x0f, "");

  EXPECT_EQ(Parse(empty_before, Perspective::kServer, &parameters),
            kPreferredAddressWithoutConnectionIds);
  EXPECT_EQ(Parse(empty_after, Perspective::kServer, &parameters),
            kPreferredAddressWithoutConnectionIds);
}

Result ErrorOfVersions(std::string_view value, Perspective sender) {
  TransportParameters parameters;
  return Parse(ParameterBlock().Hex(0x11, value), sender, &parameters);
}

TEST(VersionInformationTest, LengthIsAPositiveMultipleOfFour) {
  const std::vector<uint8_t> versions = HexBytes("00000001 00000001 6b3343cf");

  for (size_t size = 0; size <= versions.size(); ++size) {
    std::vector<uint8_t> value = versions;
    value.resize(size);
    TransportParameters parameters;

    const Result result =
        Parse(ParameterBlock().Bytes(0x11, value), Perspective::kServer, &parameters);

    const bool is_whole = size != 0 && size % 4 == 0;
    EXPECT_EQ(result, is_whole ? Result::Ok() : Result(kVersionInformationLengthInvalid)) << size;
  }
}

TEST(VersionInformationTest, VersionZeroIsRefusedWhereverItStands) {
  for (const Perspective sender : {Perspective::kClient, Perspective::kServer}) {
    EXPECT_EQ(ErrorOfVersions("00000000", sender), kVersionInformationVersionZero);
    EXPECT_EQ(ErrorOfVersions("00000000 00000001", sender), kVersionInformationVersionZero);
    EXPECT_EQ(ErrorOfVersions("00000001 00000001 00000000", sender),
              kVersionInformationVersionZero);
    EXPECT_EQ(ErrorOfVersions("00000001 00000000 00000001", sender),
              kVersionInformationVersionZero);
  }
}

TEST(VersionInformationTest, OnlyAClientMustListTheVersionItChose) {
  for (const std::string_view value : {"00000001", "00000001 6b3343cf"}) {
    EXPECT_EQ(ErrorOfVersions(value, Perspective::kClient),
              kVersionInformationChosenVersionUnlisted);
    EXPECT_TRUE(ErrorOfVersions(value, Perspective::kServer).ok());
  }
  EXPECT_TRUE(ErrorOfVersions("00000001 6b3343cf 00000001", Perspective::kClient).ok());
}

// As on the wire, with versions below 256.
std::vector<uint8_t> VersionsOf(uint8_t chosen, const std::vector<uint8_t>& available) {
  std::vector<uint8_t> value = {0, 0, 0, chosen};
  for (const uint8_t version : available) value.insert(value.end(), {0, 0, 0, version});
  return value;
}

// `count` versions from 100 on.
std::vector<uint8_t> VersionsFrom100(size_t count) {
  std::vector<uint8_t> versions;
  for (size_t i = 0; i < count; ++i) versions.push_back(static_cast<uint8_t>(100 + i));
  return versions;
}

std::vector<uint32_t> KeptOf(uint8_t chosen, const std::vector<uint8_t>& available) {
  TransportParameters parameters;
  const Result result = Parse(ParameterBlock().Bytes(0x11, VersionsOf(chosen, available)),
                              Perspective::kClient, &parameters);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(parameters.version_information.value().chosen_version, chosen);
  const auto kept = parameters.version_information->available_versions.versions();
  return std::vector<uint32_t>(kept.begin(), kept.end());
}

TEST(VersionInformationTest, SixteenVersionsAreKept) {
  const std::vector<uint8_t> versions = VersionsFrom100(16);

  EXPECT_EQ(KeptOf(100, versions), std::vector<uint32_t>(versions.begin(), versions.end()));
  EXPECT_EQ(KeptOf(115, versions), std::vector<uint32_t>(versions.begin(), versions.end()));
}

TEST(VersionInformationTest, OfALongListTheFirstSixteenAreKept) {
  const std::vector<uint8_t> first = VersionsFrom100(16);
  const std::vector<uint32_t> expected(first.begin(), first.end());
  std::vector<uint8_t> repeated = VersionsFrom100(100);
  repeated.push_back(115);

  EXPECT_EQ(KeptOf(100, VersionsFrom100(17)), expected);
  EXPECT_EQ(KeptOf(115, VersionsFrom100(100)), expected);
  EXPECT_EQ(KeptOf(115, repeated), expected);
}

TEST(VersionInformationTest, AChosenVersionListedLateTakesTheLastPlace) {
  const std::vector<uint8_t> first = VersionsFrom100(15);
  std::vector<uint32_t> expected(first.begin(), first.end());
  expected.push_back(116);

  EXPECT_EQ(KeptOf(116, VersionsFrom100(17)), expected);
  EXPECT_EQ(KeptOf(116, VersionsFrom100(100)), expected);
}

TEST(VersionInformationTest, VersionsThatAreNotKeptAreCheckedToo) {
  std::vector<uint8_t> with_zero = VersionsFrom100(40);
  with_zero.back() = 0;
  for (const Perspective sender : {Perspective::kClient, Perspective::kServer}) {
    TransportParameters parameters;

    EXPECT_EQ(Parse(ParameterBlock().Bytes(0x11, VersionsOf(100, with_zero)), sender, &parameters),
              kVersionInformationVersionZero);
  }
  TransportParameters parameters;
  EXPECT_EQ(Parse(ParameterBlock().Bytes(0x11, VersionsOf(99, VersionsFrom100(40))),
                  Perspective::kClient, &parameters),
            kVersionInformationChosenVersionUnlisted);
}

TEST(VersionInformationTest, TheLongestListIsRead) {
  std::vector<uint8_t> value;
  while (value.size() < 4092 - 8) value.insert(value.end(), {0, 0, 0, 1});
  TransportParameters parameters;

  const Result result =
      Parse(ParameterBlock().Bytes(0x11, value), Perspective::kClient, &parameters);

  EXPECT_TRUE(result.ok());
  EXPECT_EQ(parameters.version_information->available_versions.size(), VersionList::kMaxSize);
}

TEST(VersionListDeathTest, ASeventeenthVersionOfOursIsABug) {
  VersionList versions;
  for (uint32_t version = 1; version <= VersionList::kMaxSize; ++version) {
    versions.push_back(version);
  }

  EXPECT_DEATH(versions.push_back(17), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
