// SPDX-License-Identifier: Apache-2.0
#include "crypto/packet_protector.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/protocol_errors.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

// Sealing a payload that lies in two places. AES-GCM takes the second through `extra_in` in the
// same pass, which spares the copy and, where the application's memory is cold, the wait for it.
// But the fast code of BoringSSL takes whole blocks of 96 bytes, three at least, and starts anew
// for the second piece. So the first is filled up to a multiple of this, and a second piece of less
// is moved into the first. bench/crypto_bench.cc compares: seal_from_elsewhere.
constexpr size_t kMinPiece = 288;

// ProtectTrain hides this many headers at once: as many as HeaderProtector takes in one AES call.
constexpr size_t kTrainBatch = 64;

const EVP_AEAD* AeadOf(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::kAes128GcmSha256:
      return EVP_aead_aes_128_gcm();
    case CipherSuite::kAes256GcmSha384:
      return EVP_aead_aes_256_gcm();
    case CipherSuite::kChaCha20Poly1305Sha256:
      return EVP_aead_chacha20_poly1305();
  }
  GODWIT_UNREACHABLE();
}

uint64_t ToBigEndian64(uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) return __builtin_bswap64(value);
  return value;
}

uint32_t ToBigEndian32(uint32_t value) {
  if constexpr (std::endian::native == std::endian::little) return __builtin_bswap32(value);
  return value;
}

// How many bytes of `tail` move into the first piece before sealing: all if one piece is best.
size_t BytesToMove(size_t in_place, size_t tail, bool splits_tail) {
  if (!splits_tail) return tail;
  const size_t first_piece = (in_place + kMinPiece - 1) / kMinPiece * kMinPiece;
  if (in_place + tail < first_piece + kMinPiece) return tail;
  return first_piece - in_place;
}

// Has the stream data of the next packet on its way while this one is sealed, because the processor
// itself looks ahead less than a packet: 5 % less time a packet where the application's memory is
// cold with AES-GCM, 9 % with ChaCha20, for less than 1 % where it is not.
void PrefetchTail(const OutgoingPacket& packet) {
  constexpr size_t kCacheLineBytes = 64;
  for (size_t i = 0; i < packet.tail.size(); i += kCacheLineBytes) {
    __builtin_prefetch(packet.tail.data() + i);
  }
}

HeaderPosition PositionOf(const OutgoingPacket& packet) {
  const size_t packet_number_size = size_t{1} + (packet.bytes[0] & 0x03);
  GODWIT_CHECK_LT(packet_number_size, packet.header_length);
  return {.packet = packet.bytes,
          .packet_number_offset = packet.header_length - packet_number_size};
}

}  // namespace

AeadLimits LimitsOf(CipherSuite suite) {
  // RFC 9001 §6.6. No connection has 2^62 packets: the limit of ChaCha20 is there for form.
  if (suite == CipherSuite::kChaCha20Poly1305Sha256) {
    return {.confidentiality_packets = uint64_t{1} << 62, .integrity_packets = uint64_t{1} << 36};
  }
  return {.confidentiality_packets = uint64_t{1} << 23, .integrity_packets = uint64_t{1} << 52};
}

void AeadKey::ContextDeleter::operator()(evp_aead_ctx_st* context) const {
  EVP_AEAD_CTX_free(context);
}

AeadKey::AeadKey(const PacketKey& key)
    : context_(EVP_AEAD_CTX_new(AeadOf(key.suite), key.key.bytes().data(), key.key.bytes().size(),
                                kAeadTagLength)),
      iv_(key.iv) {
  GODWIT_CHECK(context_ != nullptr);
}

std::array<uint8_t, kAeadNonceLength> AeadKey::NonceFor(PacketNumber packet_number) const {
  // RFC 9001 §5.3: the number, padded with zeros on the left, XORed onto the IV. In pieces that do
  // not overlap, the first as large as what is read next: else the processor waits for both stores
  // (5 ns a packet).
  uint64_t high;
  uint32_t low;
  std::memcpy(&high, iv_.bytes().data(), sizeof(high));
  std::memcpy(&low, &iv_.bytes()[sizeof(high)], sizeof(low));
  high ^= ToBigEndian64(packet_number.value() >> 32);
  low ^= ToBigEndian32(static_cast<uint32_t>(packet_number.value()));
  std::array<uint8_t, kAeadNonceLength> nonce;
  std::memcpy(nonce.data(), &high, sizeof(high));
  std::memcpy(&nonce[sizeof(high)], &low, sizeof(low));
  return nonce;
}

PacketSealer::PacketSealer(const PacketKey& key, const AeadLimits& limits)
    : key_(key),
      // ChaCha20-Poly1305 takes `extra_in` too, but block by block, at a sixth of its speed.
      splits_tail_(key.suite != CipherSuite::kChaCha20Poly1305Sha256),
      remaining_packets_(limits.confidentiality_packets) {}

bool PacketSealer::Seal(const OutgoingPacket& packet) {
  GODWIT_CHECK_GE(packet.packet_number.value(), least_packet_number_);
  GODWIT_CHECK_GE(packet.bytes.size(), packet.header_length + packet.tail.size() + kAeadTagLength);
  if (remaining_packets_ == 0) return false;
  --remaining_packets_;
  least_packet_number_ = packet.packet_number.value() + 1;

  uint8_t* const payload = packet.bytes.data() + packet.header_length;
  const size_t payload_length = packet.bytes.size() - packet.header_length - kAeadTagLength;
  size_t first_length = payload_length - packet.tail.size();
  std::span<const uint8_t> second = packet.tail;
  if (!second.empty()) {
    const size_t moved = BytesToMove(first_length, second.size(), splits_tail_);
    std::memcpy(payload + first_length, second.data(), moved);
    first_length += moved;
    second = second.subspan(moved);
  }

  const auto nonce = key_.NonceFor(packet.packet_number);
  size_t written = 0;
  GODWIT_CHECK(EVP_AEAD_CTX_seal_scatter(key_.context(), payload, payload + first_length, &written,
                                         second.size() + kAeadTagLength, nonce.data(), nonce.size(),
                                         payload, first_length, second.data(), second.size(),
                                         packet.bytes.data(), packet.header_length) == 1);
  GODWIT_DCHECK_EQ(written, second.size() + kAeadTagLength);
  return true;
}

PacketOpener::PacketOpener(const PacketKey& key, const AeadLimits& limits)
    : key_(key), integrity_limit_(limits.integrity_packets) {}

OpenOutcome PacketOpener::Open(const IncomingPacket& packet, ForgeryCount& forgeries) const {
  if (forgeries.packets > integrity_limit_) return {.result = kIntegrityLimitReached};
  const std::span<uint8_t> payload = packet.protected_payload;
  if (payload.size() >= kAeadTagLength) {
    const auto nonce = key_.NonceFor(packet.packet_number);
    const size_t length = payload.size() - kAeadTagLength;
    // open_gather and not open: it leaves the tag alone when it fails.
    if (EVP_AEAD_CTX_open_gather(key_.context(), payload.data(), nonce.data(), nonce.size(),
                                 payload.data(), length, payload.data() + length, kAeadTagLength,
                                 packet.header.data(), packet.header.size()) == 1) {
      return {.opened = true, .payload = payload.first(length)};
    }
    // What BoringSSL notes in the thread's error queue would be taken for a failure of TLS later.
    ERR_clear_error();
  }
  ++forgeries.packets;
  if (forgeries.packets > integrity_limit_) return {.result = kIntegrityLimitReached};
  return {};
}

bool ProtectPacket(PacketSealer& sealer, HeaderProtector& header_protector,
                   const OutgoingPacket& packet) {
  if (!sealer.Seal(packet)) return false;
  header_protector.Protect(PositionOf(packet));
  return true;
}

bool ProtectTrain(PacketSealer& sealer, HeaderProtector& header_protector,
                  std::span<const OutgoingPacket> packets) {
  if (sealer.remaining_packets() < packets.size()) return false;
  while (!packets.empty()) {
    const auto batch = packets.first(std::min(packets.size(), kTrainBatch));
    std::array<HeaderPosition, kTrainBatch> positions;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (i + 1 < batch.size()) PrefetchTail(batch[i + 1]);
      GODWIT_CHECK(sealer.Seal(batch[i]));
      positions[i] = PositionOf(batch[i]);
    }
    header_protector.Protect(std::span<const HeaderPosition>(positions).first(batch.size()));
    packets = packets.subspan(batch.size());
  }
  return true;
}

}  // namespace godwit
