// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_schedule.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/crypto/rfc9001_packets.h"

namespace godwit {
namespace {

struct KeysInHex {
  std::string key;
  std::string iv;
  std::string header_key;

  friend bool operator==(const KeysInHex&, const KeysInHex&) = default;
};

KeysInHex KeysOf(const TrafficSecret& secret) {
  const PacketKey packet_key = DerivePacketKey(secret);
  return {.key = ToHex(packet_key.key.bytes()),
          .iv = ToHex(packet_key.iv.bytes()),
          .header_key = ToHex(DeriveHeaderKey(secret).key.bytes())};
}

// RFC 9001 A.1
TEST(KeyScheduleTest, InitialSecretsAreThoseOfTheRfc) {
  const InitialSecrets secrets = DeriveInitialSecrets(FromHex(kRfc9001ConnectionId));

  EXPECT_EQ(secrets.client.suite(), CipherSuite::kAes128GcmSha256);
  EXPECT_EQ(ToHex(secrets.client.bytes()),
            "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
  EXPECT_EQ(ToHex(secrets.server.bytes()),
            "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b");
}

// RFC 9001 A.1
TEST(KeyScheduleTest, InitialKeysAreThoseOfTheRfc) {
  const InitialSecrets secrets = DeriveInitialSecrets(FromHex(kRfc9001ConnectionId));

  EXPECT_EQ(KeysOf(secrets.client), (KeysInHex{.key = "1f369613dd76d5467730efcbe3b1a22d",
                                               .iv = "fa044b2f42a3fd3b46fb255c",
                                               .header_key = "9f50449e04a0e810283a1e9933adedd2"}));
  EXPECT_EQ(KeysOf(secrets.server), (KeysInHex{.key = "cf3a5331653c364c88f0f379b6067e37",
                                               .iv = "0ac1493ca1905853b0bba03e",
                                               .header_key = "c206b8d9b9f0f37644430b490eeaa314"}));
}

// RFC 9001 A.5
TEST(KeyScheduleTest, ChaCha20KeysAreThoseOfTheRfc) {
  const TrafficSecret secret(CipherSuite::kChaCha20Poly1305Sha256, FromHex(kRfc9001ChaCha20Secret));

  EXPECT_EQ(KeysOf(secret),
            (KeysInHex{
                .key = "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
                .iv = "e0459b3474bdd0e44a41c144",
                .header_key = "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"}));
}

// RFC 9001 A.5
TEST(KeyScheduleTest, NextGenerationIsThatOfTheRfc) {
  const TrafficSecret secret(CipherSuite::kChaCha20Poly1305Sha256, FromHex(kRfc9001ChaCha20Secret));

  const TrafficSecret next = NextGeneration(secret);

  EXPECT_EQ(next.suite(), CipherSuite::kChaCha20Poly1305Sha256);
  EXPECT_EQ(ToHex(next.bytes()),
            "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
}

// Values from `openssl kdf` with HKDF-Expand, SHA-384 and the info 0020 0e "tls13 quic key" 00, so
// that an error in the choice of the hash does not go unseen: the RFC has no example with SHA-384.
TEST(KeyScheduleTest, Aes256UsesSha384) {
  std::vector<uint8_t> bytes(48);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  const TrafficSecret secret(CipherSuite::kAes256GcmSha384, bytes);

  EXPECT_EQ(ToHex(DerivePacketKey(secret).key.bytes()),
            "95c517eea81b6469ff8f27a065fd04c1a27b3023591b93e273a9df5f921d1f68");
  EXPECT_EQ(NextGeneration(secret).bytes().size(), 48u);
}

TEST(KeyScheduleTest, AnEmptyConnectionIdHasInitialSecretsToo) {
  const InitialSecrets secrets = DeriveInitialSecrets({});

  EXPECT_NE(ToHex(secrets.client.bytes()), ToHex(secrets.server.bytes()));
}

TEST(KeyScheduleTest, AnotherVersionsLabelsGiveOtherKeys) {
  VersionLabels labels = kVersion1Labels;
  labels.initial_salt[0] ^= 1;
  labels.key = "other key";
  const TrafficSecret secret(CipherSuite::kAes128GcmSha256, std::vector<uint8_t>(32, 7));

  EXPECT_NE(ToHex(DeriveInitialSecrets({}, labels).client.bytes()),
            ToHex(DeriveInitialSecrets({}).client.bytes()));
  EXPECT_NE(ToHex(DerivePacketKey(secret, labels).key.bytes()),
            ToHex(DerivePacketKey(secret).key.bytes()));
}

TEST(KeyScheduleDeathTest, ASecretOfTheWrongLengthIsOurMistake) {
  EXPECT_DEATH(TrafficSecret(CipherSuite::kAes256GcmSha384, std::vector<uint8_t>(32)),
               "GODWIT_CHECK_EQ");
}

TEST(CipherSuiteTest, IdsAreThoseOfTls) {
  EXPECT_EQ(CipherSuiteFromTlsId(0x1301), CipherSuite::kAes128GcmSha256);
  EXPECT_EQ(CipherSuiteFromTlsId(0x1302), CipherSuite::kAes256GcmSha384);
  EXPECT_EQ(CipherSuiteFromTlsId(0x1303), CipherSuite::kChaCha20Poly1305Sha256);
  EXPECT_EQ(CipherSuiteFromTlsId(0x1304), std::nullopt);
  EXPECT_EQ(CipherSuiteFromTlsId(0), std::nullopt);
}

}  // namespace
}  // namespace godwit
