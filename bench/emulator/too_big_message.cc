// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/too_big_message.h"

#include <algorithm>
#include <cstddef>

namespace godwit {
namespace {

constexpr size_t kIcmpHeaderBytes = 8;
constexpr uint8_t kHopLimit = 64;

namespace ipv4 {
constexpr size_t kHeaderBytes = 20;
constexpr size_t kChecksumOffset = 10;
constexpr size_t kSourceOffset = 12;
constexpr size_t kDestinationOffset = 16;
constexpr uint8_t kDontFragment = 0x40;
constexpr uint8_t kIcmp = 1;
constexpr uint8_t kEchoReply = 0;
constexpr uint8_t kEcho = 8;
constexpr uint8_t kUnreachable = 3;
constexpr uint8_t kFragmentationNeeded = 4;
// An answer of at most 576 bytes reaches every host.
constexpr size_t kMostQuotedBytes = 576 - kHeaderBytes - kIcmpHeaderBytes;
}  // namespace ipv4

namespace ipv6 {
constexpr size_t kHeaderBytes = 40;
constexpr size_t kNextHeaderOffset = 6;
constexpr size_t kSourceOffset = 8;
constexpr size_t kDestinationOffset = 24;
constexpr size_t kAddressBytes = 16;
constexpr uint8_t kIcmp = 58;
constexpr uint8_t kPacketTooBig = 2;
constexpr uint8_t kLeastInformational = 128;
// As much as fits the smallest MTU of IPv6.
constexpr size_t kMostQuotedBytes = 1280 - kHeaderBytes - kIcmpHeaderBytes;
}  // namespace ipv6

void Store16(std::span<uint8_t> at, uint64_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

uint32_t SumOf(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  return sum;
}

// The complement of the one's complement sum: RFC 1071.
uint16_t ChecksumOf(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

bool MayBeAnswered4(std::span<const uint8_t> packet) {
  const size_t header_bytes = size_t{packet[0] & 0x0fu} * 4;
  if (header_bytes < ipv4::kHeaderBytes || packet.size() < header_bytes + kIcmpHeaderBytes) {
    return false;
  }
  if ((packet[6] & ipv4::kDontFragment) == 0) return false;
  if ((packet[6] & 0x1f) != 0 || packet[7] != 0) return false;
  if (packet[9] != ipv4::kIcmp) return true;
  const uint8_t type = packet[header_bytes];
  return type == ipv4::kEcho || type == ipv4::kEchoReply;
}

std::vector<uint8_t> Make4(std::span<const uint8_t> packet, uint64_t mtu_bytes,
                           const RouterAddresses& router) {
  const std::span<const uint8_t> quoted =
      packet.first(std::min(packet.size(), ipv4::kMostQuotedBytes));
  std::vector<uint8_t> answer(ipv4::kHeaderBytes + kIcmpHeaderBytes + quoted.size());
  const std::span<uint8_t> header = std::span(answer).first(ipv4::kHeaderBytes);
  const std::span<uint8_t> icmp = std::span(answer).subspan(ipv4::kHeaderBytes);
  header[0] = 0x45;  // Version 4, five words of header.
  Store16(header.subspan(2), answer.size());
  header[8] = kHopLimit;
  header[9] = ipv4::kIcmp;
  std::copy(router.ipv4.begin(), router.ipv4.end(), header.begin() + ipv4::kSourceOffset);
  std::copy_n(packet.begin() + ipv4::kSourceOffset, router.ipv4.size(),
              header.begin() + ipv4::kDestinationOffset);
  Store16(header.subspan(ipv4::kChecksumOffset), ChecksumOf(SumOf(header)));

  icmp[0] = ipv4::kUnreachable;
  icmp[1] = ipv4::kFragmentationNeeded;
  Store16(icmp.subspan(6), mtu_bytes);
  std::copy(quoted.begin(), quoted.end(), icmp.begin() + kIcmpHeaderBytes);
  Store16(icmp.subspan(2), ChecksumOf(SumOf(icmp)));
  return answer;
}

bool MayBeAnswered6(std::span<const uint8_t> packet) {
  if (packet.size() < ipv6::kHeaderBytes + kIcmpHeaderBytes) return false;
  return packet[ipv6::kNextHeaderOffset] != ipv6::kIcmp ||
         packet[ipv6::kHeaderBytes] >= ipv6::kLeastInformational;
}

std::vector<uint8_t> Make6(std::span<const uint8_t> packet, uint64_t mtu_bytes,
                           const RouterAddresses& router) {
  const std::span<const uint8_t> quoted =
      packet.first(std::min(packet.size(), ipv6::kMostQuotedBytes));
  std::vector<uint8_t> answer(ipv6::kHeaderBytes + kIcmpHeaderBytes + quoted.size());
  const std::span<uint8_t> header = std::span(answer).first(ipv6::kHeaderBytes);
  const std::span<uint8_t> icmp = std::span(answer).subspan(ipv6::kHeaderBytes);
  header[0] = 0x60;  // Version 6.
  Store16(header.subspan(4), icmp.size());
  header[ipv6::kNextHeaderOffset] = ipv6::kIcmp;
  header[7] = kHopLimit;
  std::copy(router.ipv6.begin(), router.ipv6.end(), header.begin() + ipv6::kSourceOffset);
  std::copy_n(packet.begin() + ipv6::kSourceOffset, ipv6::kAddressBytes,
              header.begin() + ipv6::kDestinationOffset);

  icmp[0] = ipv6::kPacketTooBig;
  Store16(icmp.subspan(6), mtu_bytes);
  std::copy(quoted.begin(), quoted.end(), icmp.begin() + kIcmpHeaderBytes);
  // RFC 8200 §8.1: the sum covers both addresses, the length and the protocol as well.
  const uint32_t sum = SumOf(header.subspan(ipv6::kSourceOffset)) +
                       static_cast<uint32_t>(icmp.size()) + ipv6::kIcmp + SumOf(icmp);
  Store16(icmp.subspan(2), ChecksumOf(sum));
  return answer;
}

}  // namespace

std::vector<uint8_t> MakeTooBigMessage(std::span<const uint8_t> packet, uint64_t mtu_bytes,
                                       const RouterAddresses& router) {
  if (packet.empty()) return {};
  switch (packet[0] >> 4) {
    case 4:
      if (packet.size() >= ipv4::kHeaderBytes && MayBeAnswered4(packet)) {
        return Make4(packet, mtu_bytes, router);
      }
      return {};
    case 6:
      return MayBeAnswered6(packet) ? Make6(packet, mtu_bytes, router) : std::vector<uint8_t>();
    default:
      return {};
  }
}

}  // namespace godwit
