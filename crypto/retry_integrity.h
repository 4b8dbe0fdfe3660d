// SPDX-License-Identifier: Apache-2.0
//
// RetryIntegrity: the tag at the end of a Retry packet, by which a client knows that the packet was
// not damaged and that its sender saw the client's Initial packet. RFC 9001 §5.8.
//
// The key is public: the tag proves nothing else. Whether a Retry packet is acceptable at all is
// decided elsewhere, and the pseudo-packet is written by transport/wire.
#ifndef GODWIT_CRYPTO_RETRY_INTEGRITY_H_
#define GODWIT_CRYPTO_RETRY_INTEGRITY_H_

#include <array>
#include <cstdint>
#include <span>

#include "crypto/cipher_suite.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"

namespace godwit {

class RetryIntegrity {
 public:
  using Tag = std::array<uint8_t, kAeadTagLength>;

  explicit RetryIntegrity(const VersionLabels& labels = kVersion1Labels);

  // `pseudo_packet`: the length and the bytes of the Destination Connection ID of the Initial
  // packet that the Retry answers, then the Retry packet without its tag.
  Tag Compute(std::span<const uint8_t> pseudo_packet) const;

  // In the same time whatever the difference is. False also if `tag` has not 16 bytes.
  [[nodiscard]] bool Verify(std::span<const uint8_t> pseudo_packet,
                            std::span<const uint8_t> tag) const;

 private:
  AeadKey key_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_RETRY_INTEGRITY_H_
