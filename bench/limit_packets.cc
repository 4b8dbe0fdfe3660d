// SPDX-License-Identifier: Apache-2.0
#include "bench/limit_packets.h"

#include <algorithm>

#include "base/check.h"
#include "base/packet_number.h"
#include "crypto/cipher_suite.h"
#include "crypto/key_schedule.h"

namespace godwit {
namespace {

constexpr uint8_t kDataByte = 0x43;  // Short header, a packet number of 4 bytes.
constexpr uint8_t kEndBit = 0x20;    // The spin bit, which no mask hides.

// So high that no run reaches them: one key seals as long as the measurement lasts.
constexpr AeadLimits kNoLimits = {.confidentiality_packets = uint64_t{1} << 62,
                                  .integrity_packets = uint64_t{1} << 62};
// Packet numbers are not expanded, so they must fit their 4 bytes.
constexpr uint64_t kMaxPackets = uint64_t{1} << 32;
// More than anybody sends.
constexpr uint64_t kMaxEnds = 1'000;

// Of a train: the masks are then made from packets that are still in the cache when they are
// opened.
constexpr size_t kOpenedAtOnce = 64;

TrafficSecret Secret() {
  constexpr CipherSuite kSuite = CipherSuite::kAes128GcmSha256;
  return TrafficSecret(kSuite, std::vector<uint8_t>(HashLength(kSuite), 0x37));
}

}  // namespace

LimitSealer::LimitSealer(uint64_t first_packet_number)
    : sealer_(DerivePacketKey(Secret()), kNoLimits),
      header_protector_(DeriveHeaderKey(Secret())),
      next_packet_number_(first_packet_number) {
  packets_.reserve(kLimitTrainPackets);
}

bool LimitSealer::CanSealTrain() const {
  return next_packet_number_ + kLimitTrainPackets + kMaxEnds <= kMaxPackets;
}

std::span<const uint8_t> LimitSealer::SealTrain() { return Seal(kDataByte, kLimitTrainPackets); }

std::span<const uint8_t> LimitSealer::SealEnd() { return Seal(kDataByte | kEndBit, 1); }

std::span<const uint8_t> LimitSealer::Seal(uint8_t first_byte, size_t packet_count) {
  GODWIT_CHECK(next_packet_number_ + packet_count <= kMaxPackets);
  packets_.clear();
  for (size_t i = 0; i < packet_count; ++i) {
    const std::span<uint8_t> packet =
        std::span(bytes_).subspan(i * kLimitPacketBytes, kLimitPacketBytes);
    packet[0] = first_byte;
    std::fill_n(&packet[1], kLimitPacketNumberOffset - 1, uint8_t{0});
    for (size_t j = 0; j < 4; ++j) {
      packet[kLimitPacketNumberOffset + j] =
          static_cast<uint8_t>(next_packet_number_ >> (8 * (3 - j)));
    }
    packets_.push_back({packet, kLimitHeaderBytes, PacketNumber(next_packet_number_++)});
  }
  GODWIT_CHECK(ProtectTrain(sealer_, header_protector_, packets_));
  return std::span(bytes_).first(packet_count * kLimitPacketBytes);
}

LimitOpener::LimitOpener()
    : opener_(DerivePacketKey(Secret()), kNoLimits), header_protector_(DeriveHeaderKey(Secret())) {
  positions_.reserve(kOpenedAtOnce);
}

LimitOpener::Opened LimitOpener::Open(std::span<const ReceivedDatagram> datagrams) {
  Opened opened;
  while (!datagrams.empty()) {
    const size_t count = std::min(datagrams.size(), kOpenedAtOnce);
    OpenSome(datagrams.first(count), opened);
    datagrams = datagrams.subspan(count);
  }
  return opened;
}

void LimitOpener::OpenSome(std::span<const ReceivedDatagram> datagrams, Opened& opened) {
  positions_.clear();
  for (const ReceivedDatagram& datagram : datagrams) {
    if (datagram.payload.size() == kLimitPacketBytes) {
      positions_.push_back({datagram.payload, kLimitPacketNumberOffset});
    }
  }
  opened.refused += datagrams.size() - positions_.size();
  header_protector_.Unprotect(positions_);
  for (const HeaderPosition& position : positions_) {
    const std::span<uint8_t> packet = position.packet;
    uint64_t packet_number = 0;
    for (size_t i = 0; i < 4; ++i) {
      packet_number = packet_number << 8 | packet[kLimitPacketNumberOffset + i];
    }
    const IncomingPacket incoming = {packet.first(kLimitHeaderBytes),
                                     packet.subspan(kLimitHeaderBytes),
                                     PacketNumber(packet_number)};
    if (!opener_.Open(incoming, forgeries_).opened) {
      ++opened.refused;
    } else if ((packet[0] & kEndBit) != 0) {
      opened.has_ended = true;
    } else {
      ++opened.packets;
    }
  }
}

}  // namespace godwit
