// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_datagram.h"

#include <algorithm>
#include <vector>

namespace godwit::tunnel {
namespace {

constexpr uint8_t kWhole = 0;
constexpr uint8_t kFragment = 1;
constexpr size_t kWholeHeaderBytes = 5;
constexpr size_t kFragmentHeaderBytes = 9;

void AppendFlow(uint8_t kind, uint32_t flow, std::vector<uint8_t>& bytes) {
  bytes.push_back(kind);
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(flow >> shift));
}

}  // namespace

std::optional<UdpDatagram> ParseUdpDatagram(std::span<const uint8_t> bytes) {
  if (bytes.size() < kWholeHeaderBytes) return std::nullopt;
  UdpDatagram datagram;
  for (size_t i = 1; i < kWholeHeaderBytes; ++i) datagram.flow = datagram.flow << 8 | bytes[i];
  if (bytes[0] == kWhole) {
    datagram.payload = bytes.subspan(kWholeHeaderBytes);
    return datagram;
  }
  if (bytes[0] != kFragment || bytes.size() <= kFragmentHeaderBytes) return std::nullopt;
  datagram.packet = static_cast<uint16_t>(bytes[5] << 8 | bytes[6]);
  datagram.index = bytes[7];
  datagram.count = bytes[8];
  if (datagram.count < 2 || datagram.count > kMaxFragments || datagram.index >= datagram.count) {
    return std::nullopt;
  }
  datagram.payload = bytes.subspan(kFragmentHeaderBytes);
  return datagram;
}

bool CutUdpPacket(uint32_t flow, uint16_t packet_number, std::span<const uint8_t> packet,
                  size_t max_bytes, const std::function<void(std::span<const uint8_t>)>& send) {
  std::vector<uint8_t> bytes;
  if (kWholeHeaderBytes + packet.size() <= max_bytes) {
    bytes.reserve(kWholeHeaderBytes + packet.size());
    AppendFlow(kWhole, flow, bytes);
    bytes.insert(bytes.end(), packet.begin(), packet.end());
    send(bytes);
    return true;
  }
  if (max_bytes <= kFragmentHeaderBytes || packet.size() > kMaxUdpPacketBytes) return false;
  const size_t room = max_bytes - kFragmentHeaderBytes;
  const size_t count = (packet.size() + room - 1) / room;
  if (count > kMaxFragments) return false;
  // Equal parts: each has the same chance to be lost.
  const size_t part = (packet.size() + count - 1) / count;
  for (size_t i = 0; i < count; ++i) {
    const std::span<const uint8_t> payload =
        packet.subspan(i * part, std::min(part, packet.size() - i * part));
    bytes.clear();
    AppendFlow(kFragment, flow, bytes);
    bytes.push_back(static_cast<uint8_t>(packet_number >> 8));
    bytes.push_back(static_cast<uint8_t>(packet_number));
    bytes.push_back(static_cast<uint8_t>(i));
    bytes.push_back(static_cast<uint8_t>(count));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    send(bytes);
  }
  return true;
}

}  // namespace godwit::tunnel
