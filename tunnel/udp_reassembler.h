// SPDX-License-Identifier: Apache-2.0
//
// UdpReassembler: makes UDP packets of the fragments of one connection. A packet of which a part
// does not come is given up: after a while, or when newer ones need the room.
//
// Bounded, whatever a peer sends: kMaxPackets begun ones, kMaxBytes in all, no packet above 65,535
// bytes.
#ifndef GODWIT_TUNNEL_UDP_REASSEMBLER_H_
#define GODWIT_TUNNEL_UDP_REASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "godwit/time.h"
#include "tunnel/udp_datagram.h"

namespace godwit::tunnel {

class UdpReassembler {
 public:
  static constexpr size_t kMaxPackets = 64;
  static constexpr size_t kMaxBytes = size_t{1} << 20;
  static constexpr Duration kPatience = Duration::Seconds(2);

  // The whole packet, if `fragment` was the last that was missing.
  std::optional<std::vector<uint8_t>> Add(const UdpDatagram& fragment, Timestamp now);

  size_t packet_count() const { return packets_.size(); }
  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Packet {
    uint32_t flow;
    uint16_t number;
    Timestamp began_at;
    std::vector<std::vector<uint8_t>> parts;  // An empty one is missing.
    size_t missing;
    size_t bytes = 0;
  };
  using Packets = std::list<Packet>;  // The oldest first.

  Packets::iterator FindOrBegin(const UdpDatagram& fragment, Timestamp now);
  void Remove(Packets::iterator packet);

  Packets packets_;
  size_t held_bytes_ = 0;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_REASSEMBLER_H_
