// SPDX-License-Identifier: Apache-2.0
//
// UdpDatagram: a UDP packet, or a fragment of one, as the payload of a DATAGRAM frame. RFC 9221.
// docs/tunnel-protocol.md is the specification.
//
// The flow is the id of the stream that opened it. A packet that is larger than a frame may be goes
// in fragments of equal size, the last one shorter. Reading takes any bytes.
#ifndef GODWIT_TUNNEL_UDP_DATAGRAM_H_
#define GODWIT_TUNNEL_UDP_DATAGRAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace godwit::tunnel {

struct UdpDatagram {
  uint32_t flow = 0;
  // Of a fragment: which packet of the flow (the numbers go round), and which part of how many.
  uint16_t packet = 0;
  uint8_t index = 0;
  uint8_t count = 1;  // 1: a whole packet.
  std::span<const uint8_t> payload;
};

inline constexpr size_t kMaxUdpPacketBytes = 65'535;
inline constexpr uint8_t kMaxFragments = 128;

// None if it is not one.
std::optional<UdpDatagram> ParseUdpDatagram(std::span<const uint8_t> bytes);

// Gives `send` the payloads of the frames that carry `packet`, each at most `max_bytes`; they are
// valid during the call. False, and nothing is given, if it does not fit into kMaxFragments.
bool CutUdpPacket(uint32_t flow, uint16_t packet_number, std::span<const uint8_t> packet,
                  size_t max_bytes, const std::function<void(std::span<const uint8_t>)>& send);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_DATAGRAM_H_
