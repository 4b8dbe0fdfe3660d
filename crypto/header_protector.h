// SPDX-License-Identifier: Apache-2.0
//
// HeaderProtector: hides and uncovers the first byte and the packet number of packets, one at a
// time or many in one call. RFC 9001 §5.4. One direction of one encryption level has one; it lives
// as long as the level, because key updates leave its key alone (RFC 9001 §6).
//
// It does not know whether a packet is authentic: what it uncovers is believed only after the AEAD
// has opened the packet.
//
// Invariant: which bits a packet number has and how many bytes it takes changes no branch and no
// memory access, only the operands of shifts and masks (RFC 9001 §9.5).
#ifndef GODWIT_CRYPTO_HEADER_PROTECTOR_H_
#define GODWIT_CRYPTO_HEADER_PROTECTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crypto/key_schedule.h"
#include "crypto/secret_bytes.h"

struct evp_cipher_ctx_st;

namespace godwit {

// A packet, without those coalesced with it, and where in it the packet number starts. It reaches
// at least kMinBytesFromPacketNumber beyond that point.
struct HeaderPosition {
  std::span<uint8_t> packet;
  size_t packet_number_offset;
};

// RFC 9001 §5.4.2: the sample is 16 bytes and starts where the payload would after a packet number
// of 4 bytes.
inline constexpr size_t kSampleOffset = 4;
inline constexpr size_t kSampleLength = 16;
inline constexpr size_t kMinBytesFromPacketNumber = kSampleOffset + kSampleLength;

class HeaderProtector {
 public:
  explicit HeaderProtector(const HeaderKey& key);

  // What is XORed onto the first byte (its protected bits) and onto the packet number's bytes.
  struct Mask {
    std::array<uint8_t, 5> bytes;
  };

  Mask MaskFor(std::span<const uint8_t, kSampleLength> sample);

  // After the AEAD has sealed the packets. Any number of them: masks are made 64 at a time.
  void Protect(const HeaderPosition& packet) { Protect({&packet, 1}); }
  void Protect(std::span<const HeaderPosition> packets);

  // Before the AEAD opens the packets: first byte and packet number lie bare afterwards.
  void Unprotect(const HeaderPosition& packet) { Unprotect({&packet, 1}); }
  void Unprotect(std::span<const HeaderPosition> packets);

 private:
  struct CipherDeleter {
    void operator()(evp_cipher_ctx_st* context) const;
  };

  // Of each 16 bytes of `masks` the first 5 are the mask for the 16 bytes of `samples` at that
  // place.
  void MakeMasks(std::span<const uint8_t> samples, std::span<uint8_t> masks);
  template <typename Apply>
  void ForEachMask(std::span<const HeaderPosition> packets, Apply apply);

  CipherSuite suite_;
  // AES only: its key schedule, wiped by BoringSSL when it is freed.
  std::unique_ptr<evp_cipher_ctx_st, CipherDeleter> aes_;
  // ChaCha20 only.
  SecretBytes<32> chacha20_key_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_HEADER_PROTECTOR_H_
