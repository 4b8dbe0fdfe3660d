// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_schedule.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

const EVP_MD* HashOf(CipherSuite suite) {
  return suite == CipherSuite::kAes256GcmSha384 ? EVP_sha384() : EVP_sha256();
}

}  // namespace

TrafficSecret::TrafficSecret(CipherSuite suite, std::span<const uint8_t> secret)
    : secret_(secret), suite_(suite) {
  GODWIT_CHECK_EQ(secret.size(), HashLength(suite));
}

void HkdfExpandLabel(CipherSuite suite, std::span<const uint8_t> secret, std::string_view label,
                     std::span<uint8_t> out) {
  // RFC 8446 §7.1: length of the output, label and context, the last two each with its own length.
  constexpr std::string_view kPrefix = "tls13 ";
  constexpr size_t kMaxLabel = 255;
  GODWIT_CHECK_LE(label.size(), kMaxLabel - kPrefix.size());
  std::array<uint8_t, 2 + 1 + kMaxLabel + 1> info;
  info[0] = static_cast<uint8_t>(out.size() >> 8);
  info[1] = static_cast<uint8_t>(out.size());
  info[2] = static_cast<uint8_t>(kPrefix.size() + label.size());
  auto end = std::copy(kPrefix.begin(), kPrefix.end(), info.begin() + 3);
  end = std::copy(label.begin(), label.end(), end);
  *end++ = 0;

  // It fails only for an output of more than 255 hashes.
  GODWIT_CHECK(HKDF_expand(out.data(), out.size(), HashOf(suite), secret.data(), secret.size(),
                           info.data(), static_cast<size_t>(end - info.begin())) == 1);
}

InitialSecrets DeriveInitialSecrets(std::span<const uint8_t> client_connection_id,
                                    const VersionLabels& labels) {
  // RFC 9001 §5.2: whatever suite TLS will choose, Initial packets are protected with this one.
  constexpr CipherSuite kSuite = CipherSuite::kAes128GcmSha256;
  constexpr size_t kLength = HashLength(kSuite);
  SecretBytes<EVP_MAX_MD_SIZE> common(EVP_MAX_MD_SIZE);
  size_t common_length = 0;
  GODWIT_CHECK(HKDF_extract(common.bytes().data(), &common_length, HashOf(kSuite),
                            client_connection_id.data(), client_connection_id.size(),
                            labels.initial_salt.data(), labels.initial_salt.size()) == 1);
  GODWIT_CHECK_EQ(common_length, kLength);

  const auto derive = [&common](std::string_view label) {
    SecretBytes<kLength> secret(kLength);
    HkdfExpandLabel(kSuite, common.bytes().first(kLength), label, secret.bytes());
    return TrafficSecret(kSuite, secret.bytes());
  };
  return {.client = derive("client in"), .server = derive("server in")};
}

PacketKey DerivePacketKey(const TrafficSecret& secret, const VersionLabels& labels) {
  const CipherSuite suite = secret.suite();
  PacketKey result{.suite = suite,
                   .key = SecretBytes<32>(KeyLength(suite)),
                   .iv = SecretBytes<kAeadNonceLength>(kAeadNonceLength)};
  HkdfExpandLabel(suite, secret.bytes(), labels.key, result.key.bytes());
  HkdfExpandLabel(suite, secret.bytes(), labels.iv, result.iv.bytes());
  return result;
}

HeaderKey DeriveHeaderKey(const TrafficSecret& secret, const VersionLabels& labels) {
  const CipherSuite suite = secret.suite();
  HeaderKey result{.suite = suite, .key = SecretBytes<32>(KeyLength(suite))};
  HkdfExpandLabel(suite, secret.bytes(), labels.header_protection, result.key.bytes());
  return result;
}

TrafficSecret NextGeneration(const TrafficSecret& secret, const VersionLabels& labels) {
  SecretBytes<TrafficSecret::kMaxLength> next(HashLength(secret.suite()));
  // RFC 9001 §6.1: one generation follows from the last alone.
  HkdfExpandLabel(secret.suite(), secret.bytes(), labels.key_update, next.bytes());
  return TrafficSecret(secret.suite(), next.bytes());
}

}  // namespace godwit
