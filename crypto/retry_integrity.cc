// SPDX-License-Identifier: Apache-2.0
#include "crypto/retry_integrity.h"

#include "base/check.h"
#include "base/packet_number.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

PacketKey RetryKey(const VersionLabels& labels) {
  return {.suite = CipherSuite::kAes128GcmSha256,
          .key = SecretBytes<32>(labels.retry_key),
          .iv = SecretBytes<kAeadNonceLength>(labels.retry_nonce)};
}

}  // namespace

RetryIntegrity::RetryIntegrity(const VersionLabels& labels) : key_(RetryKey(labels)) {}

RetryIntegrity::Tag RetryIntegrity::Compute(std::span<const uint8_t> pseudo_packet) const {
  // RFC 9001 §5.8: the tag over no plain text. The nonce is fixed: that of packet number 0.
  const auto nonce = key_.NonceFor(PacketNumber(0));
  Tag tag;
  size_t tag_length = 0;
  GODWIT_CHECK(EVP_AEAD_CTX_seal(key_.context(), tag.data(), &tag_length, tag.size(), nonce.data(),
                                 nonce.size(), nullptr, 0, pseudo_packet.data(),
                                 pseudo_packet.size()) == 1);
  GODWIT_CHECK_EQ(tag_length, tag.size());
  return tag;
}

bool RetryIntegrity::Verify(std::span<const uint8_t> pseudo_packet,
                            std::span<const uint8_t> tag) const {
  const Tag expected = Compute(pseudo_packet);
  return tag.size() == expected.size() &&
         CRYPTO_memcmp(tag.data(), expected.data(), expected.size()) == 0;
}

}  // namespace godwit
