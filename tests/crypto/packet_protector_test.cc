// SPDX-License-Identifier: Apache-2.0
#include "crypto/packet_protector.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "tests/crypto/rfc9001_packets.h"

namespace godwit {
namespace {

static_assert(std::is_move_constructible_v<PacketSealer> &&
              std::is_move_assignable_v<PacketSealer>);
static_assert(std::is_move_constructible_v<PacketOpener> &&
              std::is_move_assignable_v<PacketOpener>);
static_assert(!std::is_copy_constructible_v<PacketSealer>);
static_assert(!std::is_copy_constructible_v<PacketOpener>);

constexpr std::array kSuites = {CipherSuite::kAes128GcmSha256, CipherSuite::kAes256GcmSha384,
                                CipherSuite::kChaCha20Poly1305Sha256};

TrafficSecret SecretOf(CipherSuite suite, uint8_t seed = 1) {
  return TrafficSecret(suite, std::vector<uint8_t>(HashLength(suite), seed));
}

// One direction of one level, both ends.
struct Keys {
  explicit Keys(const TrafficSecret& secret)
      : sealer(DerivePacketKey(secret)),
        opener(DerivePacketKey(secret)),
        header_protector(DeriveHeaderKey(secret)) {}
  Keys(const TrafficSecret& secret, const AeadLimits& limits)
      : sealer(DerivePacketKey(secret), limits),
        opener(DerivePacketKey(secret), limits),
        header_protector(DeriveHeaderKey(secret)) {}

  PacketSealer sealer;
  PacketOpener opener;
  HeaderProtector header_protector;
  ForgeryCount forgeries;
};

// A packet before it is protected: header, payload, and 16 bytes for the tag.
struct PlainPacket {
  std::vector<uint8_t> bytes;
  size_t header_length;
  uint64_t packet_number;

  OutgoingPacket outgoing() { return {bytes, header_length, PacketNumber(packet_number)}; }
  size_t packet_number_size() const { return 1u + (bytes[0] & 3u); }
  std::vector<uint8_t> payload() const {
    return {bytes.begin() + static_cast<ptrdiff_t>(header_length), bytes.end() - kAeadTagLength};
  }
};

PlainPacket MakePacket(const std::vector<uint8_t>& header, const std::vector<uint8_t>& payload,
                       uint64_t packet_number) {
  PlainPacket packet{
      .bytes = header, .header_length = header.size(), .packet_number = packet_number};
  packet.bytes.insert(packet.bytes.end(), payload.begin(), payload.end());
  packet.bytes.resize(packet.bytes.size() + kAeadTagLength);
  return packet;
}

// A short header with a connection id of 8 bytes and a packet number of 4.
PlainPacket MakeShortPacket(uint32_t packet_number, size_t payload_length) {
  std::vector<uint8_t> header = {0x43, 1, 2, 3, 4, 5, 6, 7, 8};
  for (int shift = 24; shift >= 0; shift -= 8) {
    header.push_back(static_cast<uint8_t>(packet_number >> shift));
  }
  std::vector<uint8_t> payload(payload_length);
  for (size_t i = 0; i < payload_length; ++i) payload[i] = static_cast<uint8_t>(i * 7 + 3);
  return MakePacket(header, payload, packet_number);
}

// Header protection off, packet number expanded, payload opened: all that a receiver does. The
// number is expanded around `expected`. Returns the payload, or nullopt.
std::optional<std::vector<uint8_t>> Receive(Keys& keys, std::vector<uint8_t>& bytes,
                                            size_t packet_number_offset, uint64_t expected) {
  keys.header_protector.Unprotect(HeaderPosition{bytes, packet_number_offset});
  const size_t size = 1u + (bytes[0] & 3u);
  uint64_t number = expected >> (8 * size);
  for (size_t i = 0; i < size; ++i) number = number << 8 | bytes[packet_number_offset + i];
  const std::span<uint8_t> packet(bytes);
  const size_t header_length = packet_number_offset + size;
  const OpenOutcome outcome = keys.opener.Open(
      {packet.first(header_length), packet.subspan(header_length), PacketNumber(number)},
      keys.forgeries);
  EXPECT_TRUE(outcome.result.ok());
  if (!outcome.opened) return std::nullopt;
  return std::vector<uint8_t>(outcome.payload.begin(), outcome.payload.end());
}

std::optional<std::vector<uint8_t>> Receive(Keys& keys, PlainPacket& packet,
                                            size_t packet_number_size) {
  return Receive(keys, packet.bytes, packet.header_length - packet_number_size,
                 packet.packet_number);
}

// RFC 9001 A.2
TEST(PacketProtectorTest, ClientInitialIsThatOfTheRfc) {
  Keys keys(DeriveInitialSecrets(FromHex(kRfc9001ConnectionId)).client);
  std::vector<uint8_t> payload = FromHex(kRfc9001ClientInitialFrame);
  payload.resize(kRfc9001ClientInitialPayloadLength);
  PlainPacket packet = MakePacket(FromHex(kRfc9001ClientInitialHeader), payload, 2);

  ASSERT_TRUE(ProtectPacket(keys.sealer, keys.header_protector, packet.outgoing()));

  EXPECT_EQ(ToHex(packet.bytes), kRfc9001ClientInitial);
  EXPECT_EQ(Receive(keys, packet, 4), payload);
}

// RFC 9001 A.3
TEST(PacketProtectorTest, ServerInitialIsThatOfTheRfc) {
  Keys keys(DeriveInitialSecrets(FromHex(kRfc9001ConnectionId)).server);
  const std::vector<uint8_t> payload = FromHex(kRfc9001ServerInitialPayload);
  PlainPacket packet = MakePacket(FromHex(kRfc9001ServerInitialHeader), payload, 1);

  ASSERT_TRUE(ProtectPacket(keys.sealer, keys.header_protector, packet.outgoing()));

  EXPECT_EQ(ToHex(packet.bytes), kRfc9001ServerInitial);
  EXPECT_EQ(Receive(keys, packet, 2), payload);
}

// RFC 9001 A.5
TEST(PacketProtectorTest, ChaCha20PacketIsThatOfTheRfc) {
  Keys keys(TrafficSecret(CipherSuite::kChaCha20Poly1305Sha256, FromHex(kRfc9001ChaCha20Secret)));
  const std::vector<uint8_t> payload = FromHex(kRfc9001ChaCha20Payload);
  PlainPacket packet = MakePacket(FromHex(kRfc9001ChaCha20Header), payload, 654360564);

  ASSERT_TRUE(ProtectPacket(keys.sealer, keys.header_protector, packet.outgoing()));

  EXPECT_EQ(ToHex(packet.bytes), kRfc9001ChaCha20Packet);
  EXPECT_EQ(Receive(keys, packet, 3), payload);
}

// Headers of both forms with every size of connection id and packet number, payloads of 0 to 9000
// bytes, a part of which may come from elsewhere.
TEST(PacketProtectorTest, RandomPacketsComeBackWhole) {
  SeededRandom random(1);
  std::array<Keys, 3> all_keys = {Keys(SecretOf(kSuites[0])), Keys(SecretOf(kSuites[1])),
                                  Keys(SecretOf(kSuites[2]))};
  uint64_t packet_number = 0;
  for (int i = 0; i < 10000; ++i) {
    Keys& keys = all_keys[random.UniformBelow(3)];
    packet_number += 1 + random.UniformBelow(uint64_t{1} << 40);
    const size_t packet_number_size = 1 + random.UniformBelow(4);
    std::vector<uint8_t> header(1 + random.UniformBelow(48) + packet_number_size);
    random.Fill(header);
    header[0] = static_cast<uint8_t>((header[0] & 0xfc) | (packet_number_size - 1));
    for (size_t j = 0; j < packet_number_size; ++j) {
      header[header.size() - 1 - j] = static_cast<uint8_t>(packet_number >> (8 * j));
    }
    const size_t least_payload = 4 - packet_number_size;
    std::vector<uint8_t> payload(least_payload + random.UniformBelow(9001 - least_payload));
    random.Fill(payload);
    PlainPacket packet = MakePacket(header, payload, packet_number);
    OutgoingPacket outgoing = packet.outgoing();
    const std::vector<uint8_t> tail(
        payload.end() - static_cast<ptrdiff_t>(random.UniformBelow(payload.size() + 1)),
        payload.end());
    if (random.UniformBelow(2) == 0) {
      outgoing.tail = tail;
      std::fill_n(packet.bytes.end() - kAeadTagLength - static_cast<ptrdiff_t>(tail.size()),
                  tail.size(), uint8_t{0xee});
    }

    ASSERT_TRUE(ProtectPacket(keys.sealer, keys.header_protector, outgoing));
    const auto received = Receive(keys, packet, packet_number_size);

    ASSERT_EQ(received, payload) << "packet " << i;
  }
}

TEST(PacketProtectorTest, EveryFlippedBitIsRefused) {
  for (const CipherSuite suite : kSuites) {
    Keys keys(SecretOf(suite));
    PlainPacket sealed = MakeShortPacket(0x01020304, 20);
    const std::vector<uint8_t> payload = sealed.payload();
    ASSERT_TRUE(ProtectPacket(keys.sealer, keys.header_protector, sealed.outgoing()));
    for (size_t bit = 0; bit < 8 * sealed.bytes.size(); ++bit) {
      PlainPacket packet = sealed;
      packet.bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);

      ASSERT_EQ(Receive(keys, packet, 4), std::nullopt) << ToString(suite) << " bit " << bit;
    }
    EXPECT_EQ(keys.forgeries.packets, 8 * sealed.bytes.size());
    EXPECT_EQ(Receive(keys, sealed, 4), payload);
  }
}

TEST(PacketProtectorTest, EveryTruncationIsRefused) {
  for (const CipherSuite suite : kSuites) {
    Keys keys(SecretOf(suite));
    PlainPacket packet = MakeShortPacket(5, 30);
    ASSERT_TRUE(keys.sealer.Seal(packet.outgoing()));
    for (size_t length = packet.header_length; length < packet.bytes.size(); ++length) {
      std::vector<uint8_t> cut(packet.bytes.begin(),
                               packet.bytes.begin() + static_cast<ptrdiff_t>(length));
      const std::span<uint8_t> bytes(cut);

      const OpenOutcome outcome = keys.opener.Open(
          {bytes.first(packet.header_length), bytes.subspan(packet.header_length), PacketNumber(5)},
          keys.forgeries);

      ASSERT_FALSE(outcome.opened) << ToString(suite) << " cut to " << length;
    }
  }
}

TEST(PacketProtectorTest, ADifferentKeyDoesNotOpen) {
  for (const CipherSuite suite : kSuites) {
    Keys keys(SecretOf(suite, 1));
    Keys other_keys(SecretOf(suite, 2));
    PlainPacket packet = MakeShortPacket(5, 100);
    ASSERT_TRUE(keys.sealer.Seal(packet.outgoing()));
    const std::span<uint8_t> bytes(packet.bytes);

    const OpenOutcome outcome = other_keys.opener.Open(
        {bytes.first(packet.header_length), bytes.subspan(packet.header_length), PacketNumber(5)},
        other_keys.forgeries);

    EXPECT_FALSE(outcome.opened);
    EXPECT_TRUE(outcome.payload.empty());
  }
}

// Numbers that differ in the bytes that the header does not show as well.
TEST(PacketProtectorTest, ADifferentPacketNumberDoesNotOpen) {
  for (const CipherSuite suite : kSuites) {
    for (int bit = 0; bit < 62; ++bit) {
      Keys keys(SecretOf(suite));
      PlainPacket packet = MakeShortPacket(5, 100);
      ASSERT_TRUE(keys.sealer.Seal(packet.outgoing()));
      const std::span<uint8_t> bytes(packet.bytes);
      const PacketNumber wrong_number(uint64_t{5} ^ uint64_t{1} << bit);

      const OpenOutcome outcome = keys.opener.Open(
          {bytes.first(packet.header_length), bytes.subspan(packet.header_length), wrong_number},
          keys.forgeries);

      EXPECT_FALSE(outcome.opened) << ToString(suite) << " bit " << bit;
    }
  }
}

// RFC 9000 §10.3.1: the receiver looks for a reset token after it could not open the packet.
TEST(PacketProtectorTest, AFailedOpeningErasesThePayloadButNotItsLastSixteenBytes) {
  for (const CipherSuite suite : kSuites) {
    Keys keys(SecretOf(suite));
    PlainPacket packet = MakeShortPacket(5, 100);
    std::fill(packet.bytes.begin(), packet.bytes.end(), uint8_t{0x55});
    const std::span<uint8_t> bytes(packet.bytes);

    const OpenOutcome outcome =
        keys.opener.Open({bytes.first(13), bytes.subspan(13), PacketNumber(5)}, keys.forgeries);

    EXPECT_FALSE(outcome.opened);
    EXPECT_EQ(std::ranges::count(bytes.subspan(13, 100), 0), 100);
    EXPECT_EQ(std::ranges::count(bytes.last(16), 0x55), 16);
  }
}

// TLS would take what is left there for an error of its own.
TEST(PacketProtectorTest, AFailedOpeningLeavesNothingInTheErrorQueue) {
  ERR_clear_error();
  Keys keys(SecretOf(CipherSuite::kAes128GcmSha256));
  PlainPacket packet = MakeShortPacket(5, 100);
  const std::span<uint8_t> bytes(packet.bytes);

  const OpenOutcome outcome =
      keys.opener.Open({bytes.first(13), bytes.subspan(13), PacketNumber(5)}, keys.forgeries);

  EXPECT_FALSE(outcome.opened);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// Around every length at which the way of sealing changes: multiples of 288.
TEST(PacketProtectorTest, ATailFromElsewhereGivesTheSameBytes) {
  for (const CipherSuite suite : kSuites) {
    Keys in_place_keys(SecretOf(suite));
    Keys tail_keys(SecretOf(suite));
    uint32_t packet_number = 0;
    for (const size_t in_place : {0u, 1u, 8u, 15u, 16u, 17u, 287u, 288u, 289u, 500u, 576u}) {
      for (const size_t tail_length : {4u, 16u, 287u, 288u, 289u, 363u, 364u, 365u, 559u, 560u,
                                       567u, 568u, 575u, 576u, 577u, 1425u, 8850u}) {
        ++packet_number;
        PlainPacket expected = MakeShortPacket(packet_number, in_place + tail_length);
        PlainPacket actual = expected;
        const std::vector<uint8_t> payload = expected.payload();
        const std::vector<uint8_t> tail(payload.begin() + static_cast<ptrdiff_t>(in_place),
                                        payload.end());
        std::vector<uint8_t> tail_source = tail;
        std::fill(actual.bytes.begin() + static_cast<ptrdiff_t>(actual.header_length + in_place),
                  actual.bytes.end(), uint8_t{0xee});
        OutgoingPacket outgoing = actual.outgoing();
        outgoing.tail = tail_source;

        ASSERT_TRUE(in_place_keys.sealer.Seal(expected.outgoing()));
        ASSERT_TRUE(tail_keys.sealer.Seal(outgoing));

        ASSERT_EQ(actual.bytes, expected.bytes)
            << ToString(suite) << ' ' << in_place << '+' << tail_length;
        ASSERT_EQ(tail_source, tail);
      }
    }
  }
}

TEST(PacketProtectorTest, ATrainIsTheSameAsItsPacketsOneByOne) {
  for (const CipherSuite suite : kSuites) {
    Keys train_keys(SecretOf(suite));
    Keys single_keys(SecretOf(suite));
    uint32_t packet_number = 0;
    for (const size_t count : {0u, 1u, 44u, 64u, 65u, 129u}) {
      std::vector<PlainPacket> train;
      for (size_t i = 0; i < count; ++i) {
        train.push_back(MakeShortPacket(packet_number++, 20 + 11 * i));
      }
      std::vector<PlainPacket> singles = train;
      std::vector<OutgoingPacket> outgoing;
      outgoing.reserve(count);
      for (PlainPacket& packet : train) outgoing.push_back(packet.outgoing());

      ASSERT_TRUE(ProtectTrain(train_keys.sealer, train_keys.header_protector, outgoing));
      for (PlainPacket& packet : singles) {
        ASSERT_TRUE(
            ProtectPacket(single_keys.sealer, single_keys.header_protector, packet.outgoing()));
      }

      for (size_t i = 0; i < count; ++i) ASSERT_EQ(train[i].bytes, singles[i].bytes) << i;
    }
  }
}

// RFC 9001 §6.6
TEST(PacketProtectorTest, LimitsAreThoseOfTheRfc) {
  for (const CipherSuite suite : {CipherSuite::kAes128GcmSha256, CipherSuite::kAes256GcmSha384}) {
    EXPECT_EQ(LimitsOf(suite).confidentiality_packets, uint64_t{1} << 23);
    EXPECT_EQ(LimitsOf(suite).integrity_packets, uint64_t{1} << 52);
    EXPECT_EQ(PacketSealer(DerivePacketKey(SecretOf(suite))).remaining_packets(), 1u << 23);
  }
  const AeadLimits chacha20 = LimitsOf(CipherSuite::kChaCha20Poly1305Sha256);
  EXPECT_EQ(chacha20.confidentiality_packets, uint64_t{1} << 62);
  EXPECT_EQ(chacha20.integrity_packets, uint64_t{1} << 36);
}

TEST(PacketProtectorTest, NothingIsSealedBeyondTheConfidentialityLimit) {
  for (const CipherSuite suite : kSuites) {
    Keys keys(SecretOf(suite), {.confidentiality_packets = 3, .integrity_packets = 0});
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(keys.sealer.remaining_packets(), 3 - i);
      EXPECT_TRUE(
          ProtectPacket(keys.sealer, keys.header_protector, MakeShortPacket(i, 20).outgoing()));
    }
    PlainPacket packet = MakeShortPacket(3, 20);
    const std::vector<uint8_t> bytes_before = packet.bytes;

    EXPECT_FALSE(keys.sealer.Seal(packet.outgoing()));
    EXPECT_FALSE(ProtectPacket(keys.sealer, keys.header_protector, packet.outgoing()));

    EXPECT_EQ(packet.bytes, bytes_before);
    EXPECT_EQ(keys.sealer.remaining_packets(), 0u);
  }
}

TEST(PacketProtectorTest, ATrainBeyondTheConfidentialityLimitIsRefusedWhole) {
  Keys keys(SecretOf(CipherSuite::kAes128GcmSha256),
            {.confidentiality_packets = 3, .integrity_packets = 0});
  std::vector<PlainPacket> train;
  for (uint32_t i = 0; i < 4; ++i) train.push_back(MakeShortPacket(i, 20));
  const std::vector<uint8_t> first_before = train[0].bytes;
  std::vector<OutgoingPacket> outgoing;
  outgoing.reserve(train.size());
  for (PlainPacket& packet : train) outgoing.push_back(packet.outgoing());

  const bool four = ProtectTrain(keys.sealer, keys.header_protector, outgoing);

  EXPECT_FALSE(four);
  EXPECT_EQ(train[0].bytes, first_before);
  outgoing.pop_back();
  EXPECT_TRUE(ProtectTrain(keys.sealer, keys.header_protector, outgoing));
}

// RFC 9001 §6.6: the count goes over all keys, and beyond the limit nothing more is processed.
TEST(PacketProtectorTest, NothingIsOpenedBeyondTheIntegrityLimit) {
  const AeadLimits limits{.confidentiality_packets = 10, .integrity_packets = 2};
  Keys keys(SecretOf(CipherSuite::kAes128GcmSha256, 1), limits);
  Keys other_keys(SecretOf(CipherSuite::kAes128GcmSha256, 2), limits);
  ForgeryCount forgeries;
  PlainPacket sealed = MakeShortPacket(0, 20);
  ASSERT_TRUE(keys.sealer.Seal(sealed.outgoing()));
  const auto open = [&](PacketOpener& opener) {
    PlainPacket packet = sealed;
    const std::span<uint8_t> bytes(packet.bytes);
    return opener.Open({bytes.first(13), bytes.subspan(13), PacketNumber(0)}, forgeries);
  };
  PacketOpener third_opener(DerivePacketKey(SecretOf(CipherSuite::kAes128GcmSha256, 3)), limits);

  const OpenOutcome first = open(other_keys.opener);
  const OpenOutcome second = open(third_opener);
  const OpenOutcome authentic_at_limit = open(keys.opener);
  const OpenOutcome third = open(other_keys.opener);
  const OpenOutcome authentic_beyond_limit = open(keys.opener);

  EXPECT_TRUE(first.result.ok());
  EXPECT_TRUE(second.result.ok());
  EXPECT_TRUE(authentic_at_limit.opened);
  EXPECT_FALSE(third.opened);
  EXPECT_EQ(third.result, Result(kIntegrityLimitReached));
  EXPECT_FALSE(authentic_beyond_limit.opened);
  EXPECT_EQ(authentic_beyond_limit.result, Result(kIntegrityLimitReached));
  EXPECT_EQ(forgeries.packets, 3u);
}

TEST(PacketProtectorTest, TheVectorOfADeadSealerIsNotLeftInMemory) {
  const PacketKey key = DerivePacketKey(SecretOf(CipherSuite::kAes128GcmSha256));
  alignas(PacketSealer) std::array<uint8_t, sizeof(PacketSealer)> memory;
  const auto holds_vector = [&] {
    return std::search(memory.begin(), memory.end(), key.iv.bytes().begin(),
                       key.iv.bytes().end()) != memory.end();
  };
  auto* sealer = new (memory.data()) PacketSealer(key);
  const bool held_before = holds_vector();

  sealer->~PacketSealer();

  EXPECT_TRUE(held_before);
  EXPECT_FALSE(holds_vector());
}

// A nonce used twice is the one mistake that AES-GCM does not forgive.
TEST(PacketProtectorDeathTest, APacketNumberIsNotSealedTwice) {
  Keys keys(SecretOf(CipherSuite::kAes128GcmSha256));
  PlainPacket packet = MakeShortPacket(7, 20);
  PlainPacket same_number = packet;
  PlainPacket lower_number = MakeShortPacket(6, 20);
  ASSERT_TRUE(keys.sealer.Seal(packet.outgoing()));

  EXPECT_DEATH(static_cast<void>(keys.sealer.Seal(same_number.outgoing())), "GODWIT_CHECK_GE");
  EXPECT_DEATH(static_cast<void>(keys.sealer.Seal(lower_number.outgoing())), "GODWIT_CHECK_GE");
}

TEST(PacketProtectorDeathTest, APacketWithoutRoomForItsTagIsOurMistake) {
  Keys keys(SecretOf(CipherSuite::kAes128GcmSha256));
  std::vector<uint8_t> bytes(13 + 15);
  bytes[0] = 0x43;

  EXPECT_DEATH(static_cast<void>(keys.sealer.Seal({bytes, 13, PacketNumber(0)})),
               "GODWIT_CHECK_GE");
}

}  // namespace
}  // namespace godwit
