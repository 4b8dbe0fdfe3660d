// SPDX-License-Identifier: Apache-2.0
//
// IP packets as a tunnel's interfaces exchange them (--tun): who they are from and for, as values,
// and how they go into DATAGRAM frames: a kind (1 byte) and the packet as it is. RFC 9221.
// docs/tunnel-protocol.md is the specification.
//
// Reading takes any bytes. What is wrong with a packet beyond its addresses is the kernel's to see.
#ifndef GODWIT_TUNNEL_IP_PACKET_H_
#define GODWIT_TUNNEL_IP_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "godwit/socket_address.h"

namespace godwit::tunnel {

// Their ports are 0.
struct IpPacketAddresses {
  SocketAddress source;
  SocketAddress destination;

  friend bool operator==(const IpPacketAddresses&, const IpPacketAddresses&) = default;
};
// None if it is no IP packet.
std::optional<IpPacketAddresses> ParseIpPacket(std::span<const uint8_t> packet);

inline constexpr size_t kIpDatagramHeaderBytes = 1;

// The IP packet in the payload of a DATAGRAM frame; none if that carries something else.
std::optional<std::span<const uint8_t>> ParseIpDatagram(std::span<const uint8_t> bytes);
// The payload of a frame.
std::vector<uint8_t> MakeIpDatagram(std::span<const uint8_t> packet);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_IP_PACKET_H_
