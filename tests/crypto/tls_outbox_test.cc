// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_outbox.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "crypto/tls_session.h"

namespace godwit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr EncryptionLevel kInitial = EncryptionLevel::kInitial;
constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

TrafficSecret SecretOf(uint8_t fill) {
  std::array<uint8_t, 32> bytes;
  bytes.fill(fill);
  return TrafficSecret(CipherSuite::kAes128GcmSha256, bytes);
}

TEST(TlsOutboxTest, LevelsAreSeparateStreams) {
  TlsOutbox outbox;
  outbox.AppendCryptoData(kInitial, std::array<uint8_t, 2>{1, 2});
  outbox.AppendCryptoData(kOneRtt, std::array<uint8_t, 1>{9});
  outbox.AppendCryptoData(kInitial, std::array<uint8_t, 1>{3});

  EXPECT_THAT(outbox.PendingCryptoData(kInitial), ElementsAre(1, 2, 3));
  EXPECT_THAT(outbox.PendingCryptoData(kOneRtt), ElementsAre(9));
  EXPECT_THAT(outbox.PendingCryptoData(EncryptionLevel::kHandshake), IsEmpty());
}

TEST(TlsOutboxTest, ConsumedBytesGoAndNewOnesFollow) {
  TlsOutbox outbox;
  outbox.AppendCryptoData(kInitial, std::array<uint8_t, 3>{1, 2, 3});

  outbox.ConsumeCryptoData(kInitial, 2);
  outbox.AppendCryptoData(kInitial, std::array<uint8_t, 1>{4});
  EXPECT_THAT(outbox.PendingCryptoData(kInitial), ElementsAre(3, 4));
  outbox.ConsumeCryptoData(kInitial, 2);
  EXPECT_THAT(outbox.PendingCryptoData(kInitial), IsEmpty());
  outbox.AppendCryptoData(kInitial, std::array<uint8_t, 1>{5});

  EXPECT_THAT(outbox.PendingCryptoData(kInitial), ElementsAre(5));
}

TEST(TlsOutboxTest, SecretsComeOnceInTheirOrder) {
  TlsOutbox outbox;
  outbox.PushSecret(kOneRtt, SecretDirection::kSend, SecretOf(1));
  outbox.PushSecret(kInitial, SecretDirection::kRecv, SecretOf(2));

  const std::optional<TlsSecret> first = outbox.PollSecret();
  outbox.PushSecret(kOneRtt, SecretDirection::kRecv, SecretOf(3));
  const std::optional<TlsSecret> second = outbox.PollSecret();
  const std::optional<TlsSecret> third = outbox.PollSecret();

  EXPECT_FALSE(outbox.PollSecret().has_value());
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->level, kOneRtt);
  EXPECT_EQ(first->direction, SecretDirection::kSend);
  EXPECT_EQ(first->secret.bytes()[0], 1);
  EXPECT_EQ(second->level, kInitial);
  EXPECT_EQ(second->secret.bytes()[0], 2);
  EXPECT_EQ(third->secret.bytes()[0], 3);
}

TEST(TlsOutboxDeathTest, ConsumingMoreThanThereIsIsOurMistake) {
  TlsOutbox outbox;

  EXPECT_DEATH(outbox.ConsumeCryptoData(kInitial, 1), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
