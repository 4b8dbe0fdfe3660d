// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/key_manager.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr Duration kPto = Duration::Milliseconds(100);
const Bytes kCid = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
const Bytes kRetryCid = {1, 2, 3, 4, 5, 6, 7, 8};
const Bytes kPayload(40, 0x5a);

constexpr Timestamp At(int64_t milliseconds) {
  return Timestamp::Zero() + Duration::Milliseconds(milliseconds);
}

TrafficSecret SecretOf(uint8_t content) {
  return TrafficSecret(CipherSuite::kAes128GcmSha256, Bytes(32, content));
}

// The secrets of a level, made from `level` and who sends.
void InstallSend(KeyManager& keys, EncryptionLevel level, uint8_t sender) {
  const auto content = static_cast<uint8_t>(16 * sender + static_cast<uint8_t>(level));
  keys.InstallSecret({level, SecretDirection::kSend, SecretOf(content)});
}
void InstallRecv(KeyManager& keys, EncryptionLevel level, uint8_t sender) {
  const auto content = static_cast<uint8_t>(16 * sender + static_cast<uint8_t>(level));
  keys.InstallSecret({level, SecretDirection::kRecv, SecretOf(content)});
}

struct KeyPair {
  KeyManager client{Perspective::kClient, kCid};
  KeyManager server{Perspective::kServer, kCid};

  void Install(EncryptionLevel level) {
    InstallSend(client, level, 1);
    InstallRecv(client, level, 2);
    InstallSend(server, level, 2);
    InstallRecv(server, level, 1);
  }
};

// A packet with kPayload, sealed.
Bytes SealedPacket(KeyManager& keys, EncryptionLevel level, uint64_t number) {
  Bytes packet(200);
  ByteWriter writer(packet);
  const PacketNumber packet_number(number);
  LongHeaderLayout layout{};
  if (level == EncryptionLevel::kOneRtt) {
    EncodeShortHeader({.dcid = kCid,
                       .packet_number = packet_number,
                       .packet_number_size = 2,
                       .key_phase_bit = keys.key_phase()},
                      writer);
  } else {
    layout = EncodeLongHeader(
        {.level = level, .dcid = kCid, .packet_number = packet_number, .packet_number_size = 2},
        writer);
  }
  const size_t header_length = writer.position();
  writer.WriteBytes(kPayload);
  packet.resize(writer.position() + kAeadTagLength);
  if (level != EncryptionLevel::kOneRtt) SetPacketLength(packet, layout);
  const OutgoingPacket outgoing = {packet, header_length, packet_number};
  EXPECT_TRUE(keys.Seal(level, {&outgoing, 1}));
  return packet;
}

// Whether `keys` opens the packet to kPayload.
bool Opens(KeyManager& keys, Bytes packet, Timestamp now = At(0)) {
  DatagramSplitter splitter(packet, PacketRules(kCid.size()));
  DatagramPart part;
  EXPECT_TRUE(splitter.Next(&part));
  ProtectedPacket protected_packet = part.packet();
  const EncryptionLevel level = protected_packet.level();
  const HeaderPosition position = {protected_packet.bytes(),
                                   protected_packet.packet_number_offset()};
  keys.Unprotect(level, {&position, 1});
  const EncryptedPacket encrypted =
      std::move(protected_packet).HeaderProtectionRemoved(std::nullopt);
  const KeyManager::Opened opened = keys.Open(encrypted, now, kPto);
  EXPECT_TRUE(opened.outcome.result.ok());
  keys.CheckInvariants();
  if (!opened.outcome.opened) return false;
  return Bytes(opened.outcome.payload.begin(), opened.outcome.payload.end()) == kPayload;
}

// ---- RFC 9001 §5.2: Initial keys ----

TEST(KeyManagerTest, InitialKeysAreThereFromTheConnectionId) {
  KeyPair pair;

  EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kInitial, 0)));
  EXPECT_TRUE(Opens(pair.client, SealedPacket(pair.server, EncryptionLevel::kInitial, 0)));
}

TEST(KeyManagerTest, InitialKeysDifferByDirection) {
  KeyPair pair;

  EXPECT_FALSE(Opens(pair.client, SealedPacket(pair.client, EncryptionLevel::kInitial, 0)));
}

TEST(KeyManagerTest, InitialKeysAreThoseOfTheAppendix) {
  // RFC 9001 §A.1: the client's secret.
  const InitialSecrets secrets = DeriveInitialSecrets(kCid);
  KeyManager client(Perspective::kClient, kCid);
  PacketOpener opener(DerivePacketKey(secrets.client));
  HeaderProtector header_protector(DeriveHeaderKey(secrets.client));
  Bytes packet = SealedPacket(client, EncryptionLevel::kInitial, 0);
  // 1 + 4 + 1 + 8 + 1 + 0, no token, Length of 2 bytes.
  constexpr size_t kNumberOffset = 15 + 1 + 2;
  header_protector.Unprotect({packet, kNumberOffset});
  ForgeryCount forgeries;
  const std::span<uint8_t> bytes(packet);

  const OpenOutcome outcome = opener.Open(
      {bytes.first(kNumberOffset + 2), bytes.subspan(kNumberOffset + 2), PacketNumber(0)},
      forgeries);

  EXPECT_TRUE(outcome.opened);
}

TEST(KeyManagerTest, RetryReplacesTheInitialKeys) {
  KeyPair pair;
  KeyManager server_after_retry(Perspective::kServer, kRetryCid);

  pair.client.ReplaceInitialKeys(kRetryCid);

  EXPECT_FALSE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kInitial, 1)));
  EXPECT_TRUE(Opens(server_after_retry, SealedPacket(pair.client, EncryptionLevel::kInitial, 2)));
}

// ---- Secrets of TLS ----

TEST(KeyManagerTest, EachDirectionComesWithItsSecret) {
  for (const EncryptionLevel level :
       {EncryptionLevel::kZeroRtt, EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    KeyManager keys(Perspective::kServer, kCid);
    EXPECT_FALSE(keys.CanSeal(level));
    EXPECT_FALSE(keys.CanOpen(level));

    InstallSend(keys, level, 2);
    EXPECT_TRUE(keys.CanSeal(level));
    EXPECT_FALSE(keys.CanOpen(level));
    InstallRecv(keys, level, 1);
    EXPECT_TRUE(keys.CanOpen(level));
    keys.CheckInvariants();
  }
}

TEST(KeyManagerTest, PacketsOfAllLevelsGoBothWays) {
  KeyPair pair;
  for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    pair.Install(level);
    for (uint64_t number = 0; number < 3; ++number) {
      EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, level, number)));
      EXPECT_TRUE(Opens(pair.client, SealedPacket(pair.server, level, number)));
    }
  }
}

TEST(KeyManagerTest, ZeroRttGoesOneWay) {
  KeyPair pair;
  InstallSend(pair.client, EncryptionLevel::kZeroRtt, 1);
  InstallRecv(pair.server, EncryptionLevel::kZeroRtt, 1);

  EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kZeroRtt, 0)));
  EXPECT_FALSE(pair.client.CanOpen(EncryptionLevel::kZeroRtt));
  EXPECT_FALSE(pair.server.CanSeal(EncryptionLevel::kZeroRtt));
}

// ---- RFC 9001 §4.9: discarding ----

TEST(KeyManagerTest, DiscardedKeysAreGoneForGood) {
  for (const EncryptionLevel level :
       {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt, EncryptionLevel::kHandshake}) {
    KeyPair pair;
    if (level != EncryptionLevel::kInitial) pair.Install(level);
    EXPECT_FALSE(pair.client.is_discarded(level));

    pair.client.Discard(level);
    pair.client.Discard(level);

    EXPECT_TRUE(pair.client.is_discarded(level));
    EXPECT_FALSE(pair.client.CanSeal(level));
    EXPECT_FALSE(pair.client.CanOpen(level));
    pair.client.CheckInvariants();
  }
}

TEST(KeyManagerTest, KeysThatNeverCameCanBeDiscarded) {
  KeyManager keys(Perspective::kServer, kCid);

  keys.Discard(EncryptionLevel::kZeroRtt);

  EXPECT_TRUE(keys.is_discarded(EncryptionLevel::kZeroRtt));
  EXPECT_TRUE(keys.CanOpen(EncryptionLevel::kInitial));
}

TEST(KeyManagerTest, OtherLevelsSurviveADiscard) {
  KeyPair pair;
  pair.Install(EncryptionLevel::kHandshake);
  pair.Install(EncryptionLevel::kOneRtt);

  pair.client.Discard(EncryptionLevel::kInitial);

  EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kHandshake, 0)));
  pair.client.Discard(EncryptionLevel::kHandshake);
  EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kOneRtt, 0)));
}

TEST(KeyManagerDeathTest, OneRttKeysAreNotDiscarded) {
  KeyManager keys(Perspective::kServer, kCid);

  EXPECT_DEATH(keys.Discard(EncryptionLevel::kOneRtt), "kOneRtt");
}

TEST(KeyManagerDeathTest, DiscardedLevelTakesNoSecret) {
  KeyManager keys(Perspective::kServer, kCid);
  keys.Discard(EncryptionLevel::kHandshake);

  EXPECT_DEATH(InstallSend(keys, EncryptionLevel::kHandshake, 2), "is_discarded");
}

// ---- RFC 9001 §6 ----

TEST(KeyManagerTest, ForgeriesOfAllLevelsAreCountedTogether) {
  KeyPair pair;
  pair.Install(EncryptionLevel::kHandshake);
  pair.Install(EncryptionLevel::kOneRtt);
  uint64_t forged = 0;

  for (const EncryptionLevel level :
       {EncryptionLevel::kInitial, EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    Bytes packet = SealedPacket(pair.client, level, 0);
    packet.back() ^= 1;
    EXPECT_FALSE(Opens(pair.server, packet));
    EXPECT_EQ(pair.server.forgery_count(), ++forged);
  }
}

TEST(KeyManagerTest, KeyUpdateIsThatOfOneRtt) {
  KeyPair pair;
  pair.Install(EncryptionLevel::kOneRtt);
  for (KeyManager* keys : {&pair.client, &pair.server}) {
    keys->one_rtt().OnHandshakeConfirmed();
    EXPECT_EQ(keys->next_deadline(), Timestamp::Infinite());
  }
  ASSERT_TRUE(pair.client.PrepareToSeal(1, At(0)).ok());
  ASSERT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kOneRtt, 0)));
  ASSERT_TRUE(pair.client.one_rtt().OnAckReceived(PacketNumber(0), 0, At(10), kPto).ok());

  ASSERT_TRUE(pair.client.one_rtt().InitiateUpdate(At(1000)));

  EXPECT_TRUE(pair.client.key_phase());
  EXPECT_TRUE(Opens(pair.server, SealedPacket(pair.client, EncryptionLevel::kOneRtt, 1), At(1000)));
  EXPECT_TRUE(pair.server.key_phase());
  // The next keys wait to be derived, then the old ones to be thrown away.
  EXPECT_EQ(pair.server.next_deadline(), Timestamp::InfinitePast());
  pair.server.OnTimeout(At(1000));
  EXPECT_EQ(pair.server.next_deadline(), At(1000) + 3 * kPto);
  pair.server.OnTimeout(At(1000) + 3 * kPto);
  EXPECT_EQ(pair.server.next_deadline(), Timestamp::Infinite());
  pair.server.CheckInvariants();
}

// RFC 9001 §6.6. A peer that never lets the handshake end can ask for any number of answers.
TEST(KeyManagerTest, KeysBelowOneRttAreUsedUpWithAReserveToCloseWith) {
  constexpr uint64_t kLimit = 100;
  KeyManager keys(Perspective::kClient, kCid, AeadLimits{kLimit, kLimit});
  InstallSend(keys, EncryptionLevel::kHandshake, 1);
  uint64_t number = 0;

  while (keys.PrepareToSeal(10, At(0)).ok()) {
    SealedPacket(keys, EncryptionLevel::kHandshake, number++);
    ASSERT_LE(number, kLimit);
  }

  EXPECT_EQ(&keys.PrepareToSeal(10, At(0)).error(), &kConfidentialityLimitReached);
  EXPECT_LE(number + 1 + kMaxCloseReplies, kLimit);
  EXPECT_GT(number + 10 + 1 + kMaxCloseReplies, kLimit);
  keys.Discard(EncryptionLevel::kHandshake);
  EXPECT_TRUE(keys.PrepareToSeal(10, At(0)).ok());
}

}  // namespace
}  // namespace godwit
