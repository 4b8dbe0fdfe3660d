// SPDX-License-Identifier: Apache-2.0
//
// From secrets to keys: traffic secrets, the Initial secrets that both ends compute from the
// client's first Destination Connection ID, and the packet protection and header protection keys
// that follow from each. RFC 9001 §5.1, §5.2, §6.1.
//
// What differs between versions of QUIC comes in as VersionLabels. Nothing here decides when a key
// is used, replaced or thrown away, but every object wipes its own copy when it dies.
#ifndef GODWIT_CRYPTO_KEY_SCHEDULE_H_
#define GODWIT_CRYPTO_KEY_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/cipher_suite.h"
#include "crypto/secret_bytes.h"

namespace godwit {

// What a version of QUIC puts into the derivation of keys, so that no two versions share any.
struct VersionLabels {
  std::array<uint8_t, 20> initial_salt;
  std::string_view key;
  std::string_view iv;
  std::string_view header_protection;
  std::string_view key_update;
  std::array<uint8_t, 16> retry_key;
  std::array<uint8_t, kAeadNonceLength> retry_nonce;
};

inline constexpr VersionLabels kVersion1Labels = {
    // RFC 9001 §5.2
    .initial_salt = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
    // RFC 9001 §5.1, §6.1
    .key = "quic key",
    .iv = "quic iv",
    .header_protection = "quic hp",
    .key_update = "quic ku",
    // RFC 9001 §5.8
    .retry_key = {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3,
                  0x68, 0xc8, 0x4e},
    .retry_nonce = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb},
};

// The secret of one encryption level and one direction, as TLS hands it out.
class TrafficSecret {
 public:
  static constexpr size_t kMaxLength = 48;

  // `secret` has HashLength(suite) bytes.
  TrafficSecret(CipherSuite suite, std::span<const uint8_t> secret);

  CipherSuite suite() const { return suite_; }
  std::span<const uint8_t> bytes() const { return secret_.bytes(); }

 private:
  SecretBytes<kMaxLength> secret_;
  CipherSuite suite_;
};

// A key of the AEAD with the vector that its nonces are made from.
struct PacketKey {
  CipherSuite suite;
  SecretBytes<32> key;
  SecretBytes<kAeadNonceLength> iv;
};

struct HeaderKey {
  CipherSuite suite;
  SecretBytes<32> key;
};

struct InitialSecrets {
  TrafficSecret client;
  TrafficSecret server;
};

// HKDF-Expand-Label of RFC 8446 §7.1 with an empty Context and the hash of `suite`. `label` comes
// without its "tls13 " and has at most 249 bytes; `out` has at most 255 hashes.
void HkdfExpandLabel(CipherSuite suite, std::span<const uint8_t> secret, std::string_view label,
                     std::span<uint8_t> out);

// `client_connection_id` is the Destination Connection ID of the client's first Initial packet, or
// of its first one after a Retry.
InitialSecrets DeriveInitialSecrets(std::span<const uint8_t> client_connection_id,
                                    const VersionLabels& labels = kVersion1Labels);

PacketKey DerivePacketKey(const TrafficSecret& secret,
                          const VersionLabels& labels = kVersion1Labels);

// A key update does not change this key: it is made once, from the first secret of its level.
HeaderKey DeriveHeaderKey(const TrafficSecret& secret,
                          const VersionLabels& labels = kVersion1Labels);

// The secret that follows `secret` at the next key update.
TrafficSecret NextGeneration(const TrafficSecret& secret,
                             const VersionLabels& labels = kVersion1Labels);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_KEY_SCHEDULE_H_
