// SPDX-License-Identifier: Apache-2.0
#include "crypto/header_protector.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

// How many masks are made in one call: those of all packets of a train that the kernel takes.
constexpr size_t kBatch = 64;

constexpr size_t kMaxPacketNumberSize = 4;
constexpr uint8_t kPacketNumberSizeMask = 0x03;

uint32_t LoadBigEndian32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         uint32_t{bytes[3]};
}

uint32_t LoadLittleEndian32(const uint8_t* bytes) {
  return uint32_t{bytes[3]} << 24 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[1]} << 8 |
         uint32_t{bytes[0]};
}

void StoreBigEndian32(uint32_t value, uint8_t* bytes) {
  bytes[0] = static_cast<uint8_t>(value >> 24);
  bytes[1] = static_cast<uint8_t>(value >> 16);
  bytes[2] = static_cast<uint8_t>(value >> 8);
  bytes[3] = static_cast<uint8_t>(value);
}

// RFC 9001 §5.4.1: 4 bits of a long header, whose first bit is 1, and 5 of a short one.
uint8_t MaskFirstByte(uint8_t first_byte, uint8_t mask) {
  return static_cast<uint8_t>(first_byte ^ (mask & (0x1f >> (first_byte >> 7))));
}

// XORs the mask onto the packet number. Four bytes are always read and written; those past its end
// are the start of the payload and get zeros XORed onto them.
void MaskPacketNumber(uint8_t* packet_number, uint8_t bare_first_byte, const uint8_t* mask) {
  const size_t size = size_t{1} + (bare_first_byte & kPacketNumberSizeMask);
  const uint32_t covered = ~uint32_t{0} << (8 * (kMaxPacketNumberSize - size));
  StoreBigEndian32(LoadBigEndian32(packet_number) ^ (LoadBigEndian32(mask) & covered),
                   packet_number);
}

const uint8_t* SampleOf(const HeaderPosition& packet) {
  GODWIT_CHECK_GE(packet.packet.size(), packet.packet_number_offset + kMinBytesFromPacketNumber);
  return packet.packet.data() + packet.packet_number_offset + kSampleOffset;
}

void ProtectWith(const uint8_t* mask, const HeaderPosition& packet) {
  uint8_t& first_byte = packet.packet[0];
  MaskPacketNumber(packet.packet.data() + packet.packet_number_offset, first_byte, mask + 1);
  first_byte = MaskFirstByte(first_byte, mask[0]);
}

// RFC 9001 §5.4.1: the same, except that the size of the packet number is known only once the first
// byte is bare.
void UnprotectWith(const uint8_t* mask, const HeaderPosition& packet) {
  uint8_t& first_byte = packet.packet[0];
  first_byte = MaskFirstByte(first_byte, mask[0]);
  MaskPacketNumber(packet.packet.data() + packet.packet_number_offset, first_byte, mask + 1);
}

}  // namespace

void HeaderProtector::CipherDeleter::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

HeaderProtector::HeaderProtector(const HeaderKey& key) : suite_(key.suite), chacha20_key_(32) {
  if (suite_ == CipherSuite::kChaCha20Poly1305Sha256) {
    chacha20_key_ = key.key;
    return;
  }
  aes_.reset(EVP_CIPHER_CTX_new());
  GODWIT_CHECK(aes_ != nullptr);
  const EVP_CIPHER* cipher =
      suite_ == CipherSuite::kAes128GcmSha256 ? EVP_aes_128_ecb() : EVP_aes_256_ecb();
  GODWIT_CHECK(EVP_EncryptInit_ex(aes_.get(), cipher, nullptr, key.key.bytes().data(), nullptr) ==
               1);
  GODWIT_CHECK(EVP_CIPHER_CTX_set_padding(aes_.get(), 0) == 1);
}

void HeaderProtector::MakeMasks(std::span<const uint8_t> samples, std::span<uint8_t> masks) {
  if (suite_ == CipherSuite::kChaCha20Poly1305Sha256) {
    // RFC 9001 §5.4.4: the sample is block counter and nonce, and the mask is what encrypts zeros.
    for (size_t i = 0; i < samples.size(); i += kSampleLength) {
      const std::span<uint8_t> mask = masks.subspan(i, sizeof(Mask));
      std::ranges::fill(mask, uint8_t{0});
      CRYPTO_chacha_20(mask.data(), mask.data(), mask.size(), chacha20_key_.bytes().data(),
                       &samples[i + sizeof(uint32_t)], LoadLittleEndian32(&samples[i]));
    }
    return;
  }
  // RFC 9001 §5.4.3: the sample is a block for AES-ECB.
  int masks_length = 0;
  const int samples_length = static_cast<int>(samples.size());
  GODWIT_CHECK(EVP_EncryptUpdate(aes_.get(), masks.data(), &masks_length, samples.data(),
                                 samples_length) == 1);
  GODWIT_CHECK_EQ(masks_length, samples_length);
}

HeaderProtector::Mask HeaderProtector::MaskFor(std::span<const uint8_t, kSampleLength> sample) {
  std::array<uint8_t, kSampleLength> output;
  MakeMasks(sample, output);
  Mask mask;
  std::copy_n(output.begin(), mask.bytes.size(), mask.bytes.begin());
  return mask;
}

void HeaderProtector::Protect(std::span<const HeaderPosition> packets) {
  ForEachMask(packets, ProtectWith);
}

void HeaderProtector::Unprotect(std::span<const HeaderPosition> packets) {
  ForEachMask(packets, UnprotectWith);
}

template <typename Apply>
void HeaderProtector::ForEachMask(std::span<const HeaderPosition> packets, Apply apply) {
  std::array<uint8_t, kBatch * kSampleLength> samples;
  std::array<uint8_t, kBatch * kSampleLength> masks;
  while (!packets.empty()) {
    const auto batch = packets.first(std::min(packets.size(), kBatch));
    const size_t bytes = batch.size() * kSampleLength;
    for (size_t i = 0; i < batch.size(); ++i) {
      std::memcpy(&samples[i * kSampleLength], SampleOf(batch[i]), kSampleLength);
    }
    MakeMasks(std::span(samples).first(bytes), std::span(masks).first(bytes));
    for (size_t i = 0; i < batch.size(); ++i) apply(&masks[i * kSampleLength], batch[i]);
    packets = packets.subspan(batch.size());
  }
}

}  // namespace godwit
