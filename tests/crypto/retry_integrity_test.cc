// SPDX-License-Identifier: Apache-2.0
#include "crypto/retry_integrity.h"

#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "tests/crypto/rfc9001_packets.h"

namespace godwit {
namespace {

// RFC 9001 §5.8, with the packet of A.4.
struct SampleRetry {
  std::vector<uint8_t> packet = FromHex(kRfc9001Retry);
  std::vector<uint8_t> tag{packet.end() - kAeadTagLength, packet.end()};
  std::vector<uint8_t> pseudo_packet;

  SampleRetry() {
    const std::vector<uint8_t> connection_id = FromHex(kRfc9001ConnectionId);
    pseudo_packet.push_back(static_cast<uint8_t>(connection_id.size()));
    pseudo_packet.insert(pseudo_packet.end(), connection_id.begin(), connection_id.end());
    pseudo_packet.insert(pseudo_packet.end(), packet.begin(), packet.end() - kAeadTagLength);
  }
};

TEST(RetryIntegrityTest, TagIsThatOfTheRfc) {
  const SampleRetry retry;

  EXPECT_EQ(ToHex(RetryIntegrity().Compute(retry.pseudo_packet)), ToHex(retry.tag));
  EXPECT_TRUE(RetryIntegrity().Verify(retry.pseudo_packet, retry.tag));
}

TEST(RetryIntegrityTest, EveryFlippedBitIsRefused) {
  const RetryIntegrity integrity;
  const SampleRetry sample;
  for (size_t bit = 0; bit < 8 * sample.pseudo_packet.size(); ++bit) {
    SampleRetry retry = sample;
    retry.pseudo_packet[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);

    EXPECT_FALSE(integrity.Verify(retry.pseudo_packet, retry.tag)) << "bit " << bit;
  }
  for (size_t bit = 0; bit < 8 * sample.tag.size(); ++bit) {
    SampleRetry retry = sample;
    retry.tag[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);

    EXPECT_FALSE(integrity.Verify(retry.pseudo_packet, retry.tag)) << "bit " << bit << " of tag";
  }
}

TEST(RetryIntegrityTest, ATagOfAnotherLengthIsRefused) {
  const SampleRetry retry;
  std::vector<uint8_t> longer = retry.tag;
  longer.push_back(0);

  EXPECT_FALSE(RetryIntegrity().Verify(retry.pseudo_packet, longer));
  EXPECT_FALSE(RetryIntegrity().Verify(retry.pseudo_packet, std::span(retry.tag).first(15)));
  EXPECT_FALSE(RetryIntegrity().Verify(retry.pseudo_packet, {}));
}

TEST(RetryIntegrityTest, AnotherVersionHasAnotherTag) {
  VersionLabels labels = kVersion1Labels;
  labels.retry_key[0] ^= 1;
  const SampleRetry retry;

  EXPECT_FALSE(RetryIntegrity(labels).Verify(retry.pseudo_packet, retry.tag));
}

}  // namespace
}  // namespace godwit
