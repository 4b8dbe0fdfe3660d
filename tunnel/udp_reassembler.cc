// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_reassembler.h"

#include <algorithm>
#include <iterator>

namespace godwit::tunnel {

std::optional<std::vector<uint8_t>> UdpReassembler::Add(const UdpDatagram& fragment,
                                                        Timestamp now) {
  while (!packets_.empty() && packets_.front().began_at + kPatience <= now) {
    Remove(packets_.begin());
  }
  const Packets::iterator packet = FindOrBegin(fragment, now);
  if (packet->parts.size() != fragment.count ||
      packet->bytes + fragment.payload.size() > kMaxUdpPacketBytes) {
    Remove(packet);  // Not what an honest sender cuts.
    return std::nullopt;
  }
  std::vector<uint8_t>& part = packet->parts[fragment.index];
  if (!part.empty() || fragment.payload.empty()) return std::nullopt;
  part.assign(fragment.payload.begin(), fragment.payload.end());
  packet->bytes += part.size();
  held_bytes_ += part.size();
  if (--packet->missing == 0) {
    std::vector<uint8_t> whole;
    whole.reserve(packet->bytes);
    for (const auto& one : packet->parts) whole.insert(whole.end(), one.begin(), one.end());
    Remove(packet);
    return whole;
  }
  while (held_bytes_ > kMaxBytes) Remove(packets_.begin());
  return std::nullopt;
}

UdpReassembler::Packets::iterator UdpReassembler::FindOrBegin(const UdpDatagram& fragment,
                                                              Timestamp now) {
  const auto found = std::ranges::find_if(packets_, [&fragment](const Packet& packet) {
    return packet.flow == fragment.flow && packet.number == fragment.packet;
  });
  if (found != packets_.end()) return found;
  if (packets_.size() == kMaxPackets) Remove(packets_.begin());
  packets_.push_back({.flow = fragment.flow,
                      .number = fragment.packet,
                      .began_at = now,
                      .parts = std::vector<std::vector<uint8_t>>(fragment.count),
                      .missing = fragment.count});
  return std::prev(packets_.end());
}

void UdpReassembler::Remove(Packets::iterator packet) {
  held_bytes_ -= packet->bytes;
  packets_.erase(packet);
}

}  // namespace godwit::tunnel
