// SPDX-License-Identifier: Apache-2.0
//
// What crypto_bench and crypto_instructions measure: trains of packets that are sealed or opened,
// once with nothing but BoringSSL's AEAD, once with our packet protection. Both work on the same
// buffers, rewrite the same header bytes and make a new nonce for every packet, so that the
// difference is what packet protection adds.
#ifndef GODWIT_BENCH_CRYPTO_WORKLOAD_H_
#define GODWIT_BENCH_CRYPTO_WORKLOAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/boringssl.h"
#include "crypto/cipher_suite.h"
#include "crypto/header_protector.h"
#include "crypto/key_phases.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"

namespace godwit {

// Packets of about 1500 bytes that fit in one datagram of 64 KiB, and so in one send call.
inline constexpr size_t kTrainPackets = 44;

enum class Protection {
  kBareAead,   // EVP_AEAD_CTX_seal and EVP_AEAD_CTX_open alone
  kPacket,     // ours, headers one at a time
  kTrain,      // ours, the headers of a train at once
  kKeyPhases,  // kTrain through KeyPhases, which picks the key and keeps the rules of key updates
};

inline constexpr std::array kProtections = {Protection::kBareAead, Protection::kPacket,
                                            Protection::kTrain, Protection::kKeyPhases};
inline constexpr std::array kBenchSuites = {CipherSuite::kAes128GcmSha256,
                                            CipherSuite::kAes256GcmSha384,
                                            CipherSuite::kChaCha20Poly1305Sha256};

std::string_view ToString(Protection protection);
std::string_view ShortName(CipherSuite suite);

// A train of equal packets with short headers: a connection id of 8 bytes and a packet number of 4.
class PacketTrain {
 public:
  static constexpr size_t kPacketNumberOffset = 9;
  static constexpr size_t kHeaderLength = 13;

  // `packet_bytes` counts header and tag.
  explicit PacketTrain(size_t packet_bytes);

  size_t packet_bytes() const { return packet_bytes_; }
  std::span<uint8_t> packet(size_t i) { return {&bytes_[i * packet_bytes_], packet_bytes_}; }
  std::vector<uint8_t>& bytes() { return bytes_; }

  // As a packet builder leaves it.
  void WriteHeader(size_t i, uint64_t packet_number);
  uint64_t ReadPacketNumber(size_t i);

 private:
  size_t packet_bytes_;
  std::vector<uint8_t> bytes_;
};

class SealWorkload {
 public:
  SealWorkload(CipherSuite suite, size_t packet_bytes);

  // Seals the next kTrainPackets packets, over what the last call left in the buffer.
  void Run(Protection protection);

  // The same with kTrain, where all but the first 8 bytes of the payload come from `source_bytes`
  // of memory elsewhere, one piece after another: through OutgoingPacket::tail, or copied first.
  void RunFromElsewhere(std::span<const uint8_t> source, bool copies_first);

  PacketTrain& train() { return train_; }

 private:
  void RunBare();
  std::array<OutgoingPacket, kTrainPackets> BeginTrain();

  PacketTrain train_;
  uint64_t next_packet_number_ = 0;
  size_t source_offset_ = 0;
  bssl::ScopedEVP_AEAD_CTX bare_;
  PacketSealer sealer_;
  HeaderProtector header_protector_;
  KeyPhases key_phases_;
};

class OpenWorkload {
 public:
  OpenWorkload(CipherSuite suite, size_t packet_bytes);

  // Puts the sealed train back, with headers protected or (for kBareAead) not. Opening destroys it.
  void Restore(Protection protection);
  // Opens the kTrainPackets packets.
  void Run(Protection protection);

 private:
  void RunBare();
  void OpenEach(Protection protection);

  PacketTrain train_;
  std::vector<uint8_t> sealed_with_bare_headers_;
  std::vector<uint8_t> sealed_with_protected_headers_;
  bssl::ScopedEVP_AEAD_CTX bare_;
  PacketOpener opener_;
  HeaderProtector header_protector_;
  KeyPhases key_phases_;
  ForgeryCount forgeries_;
};

class HeaderWorkload {
 public:
  explicit HeaderWorkload(CipherSuite suite);

  // Protects the headers of kTrainPackets packets that are not sealed: samples are as good as any.
  void RunSingle();
  void RunTrain();

 private:
  PacketTrain train_;
  std::array<HeaderPosition, kTrainPackets> positions_;
  HeaderProtector header_protector_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_CRYPTO_WORKLOAD_H_
