// SPDX-License-Identifier: Apache-2.0
#include "bench/crypto_workload.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/packet_number.h"
#include "godwit/time.h"

namespace godwit {
namespace {

// So high that no run reaches them: packets are sealed with one key as long as a benchmark likes.
constexpr AeadLimits kNoLimits = {.confidentiality_packets = uint64_t{1} << 62,
                                  .integrity_packets = uint64_t{1} << 62};

TrafficSecret SecretOf(CipherSuite suite) {
  return TrafficSecret(suite, std::vector<uint8_t>(HashLength(suite), 0x37));
}

void InitBareAead(CipherSuite suite, EVP_AEAD_CTX* context) {
  const EVP_AEAD* aead = suite == CipherSuite::kAes128GcmSha256   ? EVP_aead_aes_128_gcm()
                         : suite == CipherSuite::kAes256GcmSha384 ? EVP_aead_aes_256_gcm()
                                                                  : EVP_aead_chacha20_poly1305();
  const PacketKey key = DerivePacketKey(SecretOf(suite));
  GODWIT_CHECK(EVP_AEAD_CTX_init(context, aead, key.key.bytes().data(), key.key.bytes().size(),
                                 kAeadTagLength, nullptr) == 1);
}

// The least that a caller of the bare AEAD has to do for a nonce. It is the right one: the IV is
// left out on both sides of the bare runs.
void MakeBareNonce(uint64_t packet_number, std::array<uint8_t, kAeadNonceLength>& nonce) {
  std::memcpy(&nonce[4], &packet_number, sizeof(packet_number));
}

void InstallBoth(KeyPhases& key_phases, CipherSuite suite) {
  key_phases.InstallWriteSecret(SecretOf(suite));
  key_phases.InstallReadSecret(SecretOf(suite));
}

}  // namespace

std::string_view ToString(Protection protection) {
  switch (protection) {
    case Protection::kBareAead:
      return "bare_aead";
    case Protection::kPacket:
      return "packet";
    case Protection::kTrain:
      return "train";
    case Protection::kKeyPhases:
      return "key_phases";
  }
  GODWIT_UNREACHABLE();
}

std::string_view ShortName(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::kAes128GcmSha256:
      return "aes128";
    case CipherSuite::kAes256GcmSha384:
      return "aes256";
    case CipherSuite::kChaCha20Poly1305Sha256:
      return "chacha20";
  }
  GODWIT_UNREACHABLE();
}

PacketTrain::PacketTrain(size_t packet_bytes)
    : packet_bytes_(packet_bytes), bytes_(kTrainPackets * packet_bytes) {
  for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<uint8_t>(i * 131);
}

void PacketTrain::WriteHeader(size_t i, uint64_t packet_number) {
  uint8_t* const bytes = packet(i).data();
  bytes[0] = 0x43;
  const uint32_t big_endian = __builtin_bswap32(static_cast<uint32_t>(packet_number));
  std::memcpy(bytes + kPacketNumberOffset, &big_endian, sizeof(big_endian));
}

uint64_t PacketTrain::ReadPacketNumber(size_t i) {
  uint32_t big_endian;
  std::memcpy(&big_endian, packet(i).data() + kPacketNumberOffset, sizeof(big_endian));
  return __builtin_bswap32(big_endian);
}

SealWorkload::SealWorkload(CipherSuite suite, size_t packet_bytes)
    : train_(packet_bytes),
      sealer_(DerivePacketKey(SecretOf(suite)), kNoLimits),
      header_protector_(DeriveHeaderKey(SecretOf(suite))),
      key_phases_(kVersion1Labels, kNoLimits) {
  InitBareAead(suite, bare_.get());
  InstallBoth(key_phases_, suite);
}

void SealWorkload::RunBare() {
  std::array<uint8_t, kAeadNonceLength> nonce = {};
  for (size_t i = 0; i < kTrainPackets; ++i) {
    train_.WriteHeader(i, next_packet_number_);
    MakeBareNonce(next_packet_number_++, nonce);
    uint8_t* const packet = train_.packet(i).data();
    uint8_t* const payload = packet + PacketTrain::kHeaderLength;
    const size_t room = train_.packet_bytes() - PacketTrain::kHeaderLength;
    size_t written = 0;
    GODWIT_CHECK(EVP_AEAD_CTX_seal(bare_.get(), payload, &written, room, nonce.data(), nonce.size(),
                                   payload, room - kAeadTagLength, packet,
                                   PacketTrain::kHeaderLength) == 1);
  }
}

std::array<OutgoingPacket, kTrainPackets> SealWorkload::BeginTrain() {
  const auto begin = [this](size_t i) {
    train_.WriteHeader(i, next_packet_number_);
    return OutgoingPacket{train_.packet(i), PacketTrain::kHeaderLength,
                          PacketNumber(next_packet_number_++)};
  };
  return [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<OutgoingPacket, kTrainPackets>{begin(kIndex)...};
  }
  (std::make_index_sequence<kTrainPackets>());
}

void SealWorkload::Run(Protection protection) {
  switch (protection) {
    case Protection::kBareAead:
      return RunBare();
    case Protection::kPacket:
      for (size_t i = 0; i < kTrainPackets; ++i) {
        train_.WriteHeader(i, next_packet_number_);
        const OutgoingPacket packet{train_.packet(i), PacketTrain::kHeaderLength,
                                    PacketNumber(next_packet_number_++)};
        GODWIT_CHECK(ProtectPacket(sealer_, header_protector_, packet));
      }
      return;
    case Protection::kTrain:
      GODWIT_CHECK(ProtectTrain(sealer_, header_protector_, BeginTrain()));
      return;
    case Protection::kKeyPhases:
      GODWIT_CHECK(key_phases_.PrepareToSeal(kTrainPackets, Timestamp::Zero()).ok());
      GODWIT_CHECK(key_phases_.ProtectTrain(BeginTrain()));
      return;
  }
  GODWIT_UNREACHABLE();
}

void SealWorkload::RunFromElsewhere(std::span<const uint8_t> source, bool copies_first) {
  constexpr size_t kFrameHeaderBytes = 8;
  constexpr size_t kPlainBytes = PacketTrain::kHeaderLength + kFrameHeaderBytes;
  const size_t data_bytes = train_.packet_bytes() - kPlainBytes - kAeadTagLength;
  std::array<OutgoingPacket, kTrainPackets> packets = BeginTrain();
  for (OutgoingPacket& packet : packets) {
    if (source_offset_ + data_bytes > source.size()) source_offset_ = 0;
    const auto data = source.subspan(source_offset_, data_bytes);
    source_offset_ += data_bytes;
    if (copies_first) {
      std::memcpy(packet.bytes.data() + kPlainBytes, data.data(), data.size());
    } else {
      packet.tail = data;
    }
  }
  GODWIT_CHECK(ProtectTrain(sealer_, header_protector_, packets));
}

OpenWorkload::OpenWorkload(CipherSuite suite, size_t packet_bytes)
    : train_(packet_bytes),
      opener_(DerivePacketKey(SecretOf(suite)), kNoLimits),
      header_protector_(DeriveHeaderKey(SecretOf(suite))),
      key_phases_(kVersion1Labels, kNoLimits) {
  InitBareAead(suite, bare_.get());
  InstallBoth(key_phases_, suite);
  SealWorkload sealing(suite, packet_bytes);
  sealing.Run(Protection::kTrain);
  sealed_with_protected_headers_ = sealing.train().bytes();
  SealWorkload bare_sealing(suite, packet_bytes);
  bare_sealing.Run(Protection::kBareAead);
  sealed_with_bare_headers_ = bare_sealing.train().bytes();
}

void OpenWorkload::Restore(Protection protection) {
  train_.bytes() = protection == Protection::kBareAead ? sealed_with_bare_headers_
                                                       : sealed_with_protected_headers_;
}

void OpenWorkload::RunBare() {
  std::array<uint8_t, kAeadNonceLength> nonce = {};
  for (size_t i = 0; i < kTrainPackets; ++i) {
    MakeBareNonce(train_.ReadPacketNumber(i), nonce);
    uint8_t* const packet = train_.packet(i).data();
    uint8_t* const payload = packet + PacketTrain::kHeaderLength;
    const size_t length = train_.packet_bytes() - PacketTrain::kHeaderLength;
    size_t written = 0;
    GODWIT_CHECK(EVP_AEAD_CTX_open(bare_.get(), payload, &written, length, nonce.data(),
                                   nonce.size(), payload, length, packet,
                                   PacketTrain::kHeaderLength) == 1);
  }
}

void OpenWorkload::OpenEach(Protection protection) {
  for (size_t i = 0; i < kTrainPackets; ++i) {
    const std::span<uint8_t> packet = train_.packet(i);
    if (protection == Protection::kPacket) {
      header_protector_.Unprotect(HeaderPosition{packet, PacketTrain::kPacketNumberOffset});
    }
    const IncomingPacket incoming{packet.first(PacketTrain::kHeaderLength),
                                  packet.subspan(PacketTrain::kHeaderLength),
                                  PacketNumber(train_.ReadPacketNumber(i))};
    if (protection == Protection::kKeyPhases) {
      const KeyPhases::Opened opened =
          key_phases_.Open(incoming, forgeries_, Timestamp::Zero(), Duration::Milliseconds(100));
      GODWIT_CHECK(opened.outcome.opened && opened.outcome.result.ok());
    } else {
      GODWIT_CHECK(opener_.Open(incoming, forgeries_).opened);
    }
  }
}

void OpenWorkload::Run(Protection protection) {
  if (protection == Protection::kBareAead) return RunBare();
  if (protection != Protection::kPacket) {
    std::array<HeaderPosition, kTrainPackets> positions;
    for (size_t i = 0; i < kTrainPackets; ++i) {
      positions[i] = {train_.packet(i), PacketTrain::kPacketNumberOffset};
    }
    if (protection == Protection::kKeyPhases) {
      key_phases_.Unprotect(positions);
    } else {
      header_protector_.Unprotect(positions);
    }
  }
  OpenEach(protection);
}

HeaderWorkload::HeaderWorkload(CipherSuite suite)
    : train_(1452), header_protector_(DeriveHeaderKey(SecretOf(suite))) {
  for (size_t i = 0; i < kTrainPackets; ++i) {
    positions_[i] = {train_.packet(i), PacketTrain::kPacketNumberOffset};
  }
}

void HeaderWorkload::RunSingle() {
  for (const HeaderPosition& position : positions_) header_protector_.Protect(position);
}

void HeaderWorkload::RunTrain() { header_protector_.Protect(positions_); }

}  // namespace godwit
