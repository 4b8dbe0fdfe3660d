// SPDX-License-Identifier: Apache-2.0
#include "crypto/header_protector.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "tests/crypto/rfc9001_packets.h"

namespace godwit {
namespace {

constexpr std::array kSuites = {CipherSuite::kAes128GcmSha256, CipherSuite::kAes256GcmSha384,
                                CipherSuite::kChaCha20Poly1305Sha256};

HeaderKey KeyFromHex(CipherSuite suite, std::string_view hex) {
  return {.suite = suite, .key = SecretBytes<32>(FromHex(hex))};
}

HeaderKey RandomKey(CipherSuite suite, Random& random) {
  HeaderKey key{.suite = suite, .key = SecretBytes<32>(KeyLength(suite))};
  random.Fill(key.key.bytes());
  return key;
}

std::string MaskInHex(const HeaderKey& key, std::string_view sample_in_hex) {
  const std::vector<uint8_t> sample = FromHex(sample_in_hex);
  return ToHex(HeaderProtector(key).MaskFor(std::span(sample).first<kSampleLength>()).bytes);
}

// A packet of random bytes, and where its packet number is.
struct RandomPacket {
  std::vector<uint8_t> bytes;
  size_t packet_number_offset;

  explicit RandomPacket(Random& random)
      : bytes(kMinBytesFromPacketNumber + 1 + random.UniformBelow(60)),
        packet_number_offset(1 + random.UniformBelow(bytes.size() - kMinBytesFromPacketNumber)) {
    random.Fill(bytes);
  }

  HeaderPosition position() { return {bytes, packet_number_offset}; }
  size_t packet_number_size() const { return 1u + (bytes[0] & 3u); }
};

std::vector<RandomPacket> RandomPackets(size_t count, Random& random) {
  std::vector<RandomPacket> packets;
  for (size_t i = 0; i < count; ++i) packets.emplace_back(random);
  return packets;
}

std::vector<HeaderPosition> PositionsOf(std::vector<RandomPacket>& packets) {
  std::vector<HeaderPosition> positions;
  positions.reserve(packets.size());
  for (RandomPacket& packet : packets) positions.push_back(packet.position());
  return positions;
}

// RFC 9001 A.2, A.3, A.5
TEST(HeaderProtectorTest, MasksAreThoseOfTheRfc) {
  EXPECT_EQ(MaskInHex(KeyFromHex(CipherSuite::kAes128GcmSha256, "9f50449e04a0e810283a1e9933adedd2"),
                      "d1b1c98dd7689fb8ec11d242b123dc9b"),
            "437b9aec36");
  EXPECT_EQ(MaskInHex(KeyFromHex(CipherSuite::kAes128GcmSha256, "c206b8d9b9f0f37644430b490eeaa314"),
                      "2cd0991cd25b0aac406a5816b6394100"),
            "2ec0d8356a");
  EXPECT_EQ(
      MaskInHex(KeyFromHex(CipherSuite::kChaCha20Poly1305Sha256,
                           "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"),
                "5e5cd55c41f69080575d7999c25a5bfb"),
      "aefefe7d03");
}

// FIPS 197, C.3: the example of AES-256, of which the RFC has none.
TEST(HeaderProtectorTest, Aes256MaskIsTheStartOfTheBlock) {
  const HeaderKey key =
      KeyFromHex(CipherSuite::kAes256GcmSha384,
                 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

  EXPECT_EQ(MaskInHex(key, "00112233445566778899aabbccddeeff"), "8ea2b7ca51");
}

TEST(HeaderProtectorTest, ProtectCoversTheLowBitsAndThePacketNumberAlone) {
  SeededRandom random(1);
  for (const CipherSuite suite : kSuites) {
    HeaderProtector protector(RandomKey(suite, random));
    for (int i = 0; i < 1000; ++i) {
      RandomPacket packet(random);
      RandomPacket expected = packet;
      const auto sample = std::span<const uint8_t>(packet.bytes)
                              .subspan(packet.packet_number_offset + kSampleOffset)
                              .first<kSampleLength>();
      const auto mask = protector.MaskFor(sample).bytes;
      for (size_t j = 0; j < expected.packet_number_size(); ++j) {
        expected.bytes[expected.packet_number_offset + j] ^= mask[1 + j];
      }
      const bool is_long = (expected.bytes[0] & 0x80) != 0;
      expected.bytes[0] ^= mask[0] & (is_long ? 0x0f : 0x1f);

      protector.Protect(packet.position());

      ASSERT_EQ(packet.bytes, expected.bytes) << ToString(suite) << " packet " << i;
    }
  }
}

TEST(HeaderProtectorTest, UnprotectRestoresEveryHeader) {
  SeededRandom random(2);
  for (const CipherSuite suite : kSuites) {
    HeaderProtector protector(RandomKey(suite, random));
    for (int i = 0; i < 1000; ++i) {
      RandomPacket packet(random);
      const std::vector<uint8_t> bare = packet.bytes;

      protector.Protect(packet.position());
      protector.Unprotect(packet.position());

      ASSERT_EQ(packet.bytes, bare) << ToString(suite) << " packet " << i;
    }
  }
}

// The sizes lie on both sides of the 64 masks that AES makes at once.
TEST(HeaderProtectorTest, ManyAtOnceAreTheSameAsOneByOne) {
  SeededRandom random(3);
  for (const CipherSuite suite : kSuites) {
    HeaderProtector protector(RandomKey(suite, random));
    for (const size_t count : {0u, 1u, 2u, 44u, 63u, 64u, 65u, 130u}) {
      const std::vector<RandomPacket> bare = RandomPackets(count, random);
      std::vector<RandomPacket> at_once = bare;
      std::vector<RandomPacket> one_by_one = bare;

      protector.Protect(PositionsOf(at_once));
      for (RandomPacket& packet : one_by_one) protector.Protect(packet.position());

      for (size_t i = 0; i < count; ++i) ASSERT_EQ(at_once[i].bytes, one_by_one[i].bytes);
      protector.Unprotect(PositionsOf(at_once));
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(at_once[i].bytes, bare[i].bytes);
    }
  }
}

TEST(HeaderProtectorDeathTest, APacketWithoutRoomForTheSampleIsOurMistake) {
  SeededRandom random(4);
  HeaderProtector protector(RandomKey(CipherSuite::kAes128GcmSha256, random));
  std::vector<uint8_t> bytes(1 + kMinBytesFromPacketNumber - 1);

  EXPECT_DEATH(protector.Protect(HeaderPosition{bytes, 1}), "GODWIT_CHECK_GE");
}

// In every number of blocks up to three times the eight that are made at once.

}  // namespace
}  // namespace godwit
