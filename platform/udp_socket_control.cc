// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_control.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/check.h"

namespace godwit {
namespace {

// The codepoint is the low two bits of the byte, the rest is DSCP (RFC 3168 §5).
constexpr int kEcnMask = 3;

// Appends a message at `used_bytes` and returns where the next one goes.
template <typename Value>
size_t Append(int level, int type, const Value& value, size_t used_bytes, SendControl& control) {
  static_assert(std::is_trivially_copyable_v<Value>);
  GODWIT_CHECK_LE(used_bytes + CMSG_SPACE(sizeof(value)), control.bytes.size());
  uint8_t* place = control.bytes.data() + used_bytes;
  std::memset(place, 0, CMSG_SPACE(sizeof(value)));
  auto* header = reinterpret_cast<cmsghdr*>(place);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof(value));
  std::memcpy(CMSG_DATA(header), &value, sizeof(value));
  return used_bytes + CMSG_SPACE(sizeof(value));
}

// Whole, or nothing if the kernel gave less.
template <typename Value>
std::optional<Value> Read(const cmsghdr& header) {
  if (header.cmsg_len < CMSG_LEN(sizeof(Value))) return std::nullopt;
  Value value;
  std::memcpy(&value, CMSG_DATA(&header), sizeof(value));
  return value;
}

SocketAddress LocalAddress(const in6_pktinfo& info, uint16_t port) {
  return SocketAddress::FromIpv6(
             std::span<const uint8_t, SocketAddress::kIpv6Size>(info.ipi6_addr.s6_addr), port,
             info.ipi6_ifindex)
      .Unmapped();
}

SocketAddress LocalAddress(const in_pktinfo& info, uint16_t port) {
  std::array<uint8_t, SocketAddress::kIpv4Size> ip;
  std::memcpy(ip.data(), &info.ipi_addr, ip.size());
  return SocketAddress::FromIpv4(ip, port);
}

void ReadIpv4(const cmsghdr& header, uint16_t port, ReceiveControl& control) {
  if (header.cmsg_type == IP_TOS) {
    // One byte; the others of the field that some kernels send are padding.
    if (const auto tos = Read<uint8_t>(header)) {
      control.ecn = static_cast<EcnMark>(*tos & kEcnMask);
    }
  } else if (header.cmsg_type == IP_PKTINFO) {
    if (const auto info = Read<in_pktinfo>(header)) control.local = LocalAddress(*info, port);
  }
}

void ReadIpv6(const cmsghdr& header, uint16_t port, ReceiveControl& control) {
  if (header.cmsg_type == IPV6_TCLASS) {
    if (const auto traffic_class = Read<int>(header)) {
      control.ecn = static_cast<EcnMark>(*traffic_class & kEcnMask);
    }
  } else if (header.cmsg_type == IPV6_PKTINFO) {
    if (const auto info = Read<in6_pktinfo>(header)) control.local = LocalAddress(*info, port);
  }
}

}  // namespace

void WriteSourceControl(const FourTuple& four_tuple, SendControl& control) {
  const SocketAddress local = four_tuple.local.Unmapped();
  size_t bytes = 0;
  if (!local.is_any() && local.family() == four_tuple.peer.Unmapped().family()) {
    if (local.is_ipv4()) {
      in_pktinfo info = {};
      std::memcpy(&info.ipi_spec_dst, local.ip().data(), SocketAddress::kIpv4Size);
      bytes = Append(IPPROTO_IP, IP_PKTINFO, info, 0, control);
    } else {
      in6_pktinfo info = {};
      std::memcpy(&info.ipi6_addr, local.ip().data(), SocketAddress::kIpv6Size);
      info.ipi6_ifindex = local.scope_id();
      bytes = Append(IPPROTO_IPV6, IPV6_PKTINFO, info, 0, control);
    }
  }
  control.source_bytes = control.single_bytes = control.train_bytes = bytes;
}

void WriteEcnControl(const SocketAddress& peer, EcnMark mark, SendControl& control) {
  if (mark == EcnMark::kNotEct) return;
  const bool is_ipv4 = peer.Unmapped().is_ipv4();
  const int value = static_cast<int>(mark);
  control.single_bytes = Append(is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_TOS : IPV6_TCLASS,
                                value, control.source_bytes, control);
  control.train_bytes = control.single_bytes;
}

void WriteSegmentControl(size_t segment_bytes, SendControl& control) {
  control.train_bytes = Append(IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(segment_bytes),
                               control.single_bytes, control);
}

ReceiveControl ReadReceiveControl(const msghdr& message, uint16_t port) {
  ReceiveControl control;
  // The macro wants a message that may be changed, and changes nothing.
  auto* mutable_message = const_cast<msghdr*>(&message);
  for (cmsghdr* header = CMSG_FIRSTHDR(mutable_message); header != nullptr;
       header = CMSG_NXTHDR(mutable_message, header)) {
    if (header->cmsg_level == IPPROTO_IP) {
      ReadIpv4(*header, port, control);
    } else if (header->cmsg_level == IPPROTO_IPV6) {
      ReadIpv6(*header, port, control);
    } else if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO) {
      const auto segment_bytes = Read<int>(*header);
      if (segment_bytes.has_value() && *segment_bytes > 0) {
        control.segment_bytes = static_cast<size_t>(*segment_bytes);
      }
    } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
      control.kernel_drops = Read<uint32_t>(*header);
    }
  }
  return control;
}

}  // namespace godwit
