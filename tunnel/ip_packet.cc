// SPDX-License-Identifier: Apache-2.0
#include "tunnel/ip_packet.h"

namespace godwit::tunnel {
namespace {

// Whole UDP packets are 0, fragments of them 1.
constexpr uint8_t kIpPacket = 2;

// RFC 791 §3.1 and RFC 8200 §3.
constexpr size_t kIpv4HeaderBytes = 20;
constexpr size_t kIpv4SourceAt = 12;
constexpr size_t kIpv4DestinationAt = 16;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr size_t kIpv6SourceAt = 8;
constexpr size_t kIpv6DestinationAt = 24;

}  // namespace

std::optional<IpPacketAddresses> ParseIpPacket(std::span<const uint8_t> packet) {
  if (packet.empty()) return std::nullopt;
  const int version = packet[0] >> 4;
  if (version == 4 && packet.size() >= kIpv4HeaderBytes) {
    constexpr size_t kSize = SocketAddress::kIpv4Size;
    return IpPacketAddresses{
        .source = SocketAddress::FromIpv4(packet.subspan<kIpv4SourceAt, kSize>(), 0),
        .destination = SocketAddress::FromIpv4(packet.subspan<kIpv4DestinationAt, kSize>(), 0)};
  }
  if (version == 6 && packet.size() >= kIpv6HeaderBytes) {
    constexpr size_t kSize = SocketAddress::kIpv6Size;
    return IpPacketAddresses{
        .source = SocketAddress::FromIpv6(packet.subspan<kIpv6SourceAt, kSize>(), 0),
        .destination = SocketAddress::FromIpv6(packet.subspan<kIpv6DestinationAt, kSize>(), 0)};
  }
  return std::nullopt;
}

std::optional<std::span<const uint8_t>> ParseIpDatagram(std::span<const uint8_t> bytes) {
  if (bytes.size() <= kIpDatagramHeaderBytes || bytes[0] != kIpPacket) return std::nullopt;
  return bytes.subspan(kIpDatagramHeaderBytes);
}

std::vector<uint8_t> MakeIpDatagram(std::span<const uint8_t> packet) {
  std::vector<uint8_t> bytes;
  bytes.reserve(kIpDatagramHeaderBytes + packet.size());
  bytes.push_back(kIpPacket);
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  return bytes;
}

}  // namespace godwit::tunnel
