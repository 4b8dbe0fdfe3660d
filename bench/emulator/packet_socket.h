// SPDX-License-Identifier: Apache-2.0
//
// PacketSocket: takes IP packets from one network interface and puts others onto it, in batches,
// past the kernel's own IP code (AF_PACKET). It knows Ethernet and nothing above it; what is
// neither IPv4 nor IPv6 to one host is counted and forgotten.
//
// Frames arrive as the neighbour's network card would get them only if the interfaces segment
// nothing and leave no checksum to do: see ethernet_offloads.h.
#ifndef GODWIT_BENCH_EMULATOR_PACKET_SOCKET_H_
#define GODWIT_BENCH_EMULATOR_PACKET_SOCKET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/emulator/packet_ring.h"
#include "godwit/time.h"

namespace godwit {

using MacAddress = std::array<uint8_t, 6>;

struct PacketSocketCounters {
  uint64_t ignored_frames = 0;  // ARP, multicast and the like.
  uint64_t receive_drops = 0;   // The kernel had no room left, since we were too slow.
  uint64_t send_failures = 0;   // Packets that the kernel did not take.
};

class PacketSocket {
 public:
  // `arrival`: when the kernel got the packet, on the clock of MonotonicClock.
  using OnPacket = absl::FunctionRef<void(std::span<const uint8_t> packet, Timestamp arrival)>;

  // On `interface` of the caller's network namespace; `neighbour` is who gets what is sent.
  static absl::StatusOr<PacketSocket> Open(const std::string& interface,
                                           const MacAddress& neighbour);

  int fd() const { return fd_.get(); }

  // Takes what waits, up to a bound; the rest stays for the next call.
  void Receive(OnPacket on_packet);

  // Kept until Flush(); at most kBatchPackets of them, so that who is full flushes.
  void Add(std::vector<uint8_t> packet);
  bool is_full() const { return outgoing_.size() == kBatchPackets; }
  void Flush();

  // Asks the kernel for `receive_drops`.
  PacketSocketCounters ReadCounters();

 private:
  static constexpr size_t kBatchPackets = 64;
  static constexpr size_t kEthernetHeaderBytes = 14;
  using EthernetHeader = std::array<uint8_t, kEthernetHeaderBytes>;

  PacketSocket(FileDescriptor fd, PacketRing ring, const MacAddress& own,
               const MacAddress& neighbour);

  static bool IsPacketOfTheLink(const PacketRing::Frame& frame);

  FileDescriptor fd_;
  PacketRing ring_;
  EthernetHeader ipv4_header_;
  EthernetHeader ipv6_header_;
  std::vector<std::vector<uint8_t>> outgoing_;
  PacketSocketCounters counters_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_PACKET_SOCKET_H_
