// SPDX-License-Identifier: Apache-2.0
//
// OffloadReport: what the kernel and the network interfaces take over from a UDP socket, and what
// of that the socket uses: GSO (one call sends a train of datagrams, UDP_SEGMENT), GRO (one call
// receives one, UDP_GRO) and ECN. A snapshot, for people and for programs; offload_probe.h finds
// the facts, UdpSocket knows what it uses.
#ifndef GODWIT_PLATFORM_OFFLOAD_REPORT_H_
#define GODWIT_PLATFORM_OFFLOAD_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "godwit/socket_address.h"

namespace godwit {

struct KernelVersion {
  int major = 0;
  int minor = 0;

  friend constexpr auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

enum class OffloadState : uint8_t {
  kOn,
  kUnsupported,            // By this kernel.
  kDisabledByConfig,       // UdpSocketConfig.
  kDisabledByEnvironment,  // GODWIT_DISABLE_GSO, _GRO, _ECN.
  kFailed,                 // It was tried, failed, and is off since then.
};

std::string_view ToString(OffloadState state);

// As its driver reports it; nothing where it says nothing.
struct InterfaceOffload {
  std::string name;
  uint32_t index = 0;
  uint32_t mtu_bytes = 0;
  std::optional<bool> segments_udp;     // tx-udp-segmentation. Without it the kernel cuts trains.
  std::optional<bool> checksums_ipv4;   // tx-checksum-ip-generic or tx-checksum-ipv4.
  std::optional<bool> checksums_ipv6;   // tx-checksum-ip-generic or tx-checksum-ipv6.
  std::optional<bool> merges_received;  // rx-gro.
};

struct OffloadReport {
  KernelVersion kernel;
  OffloadState gso = OffloadState::kUnsupported;
  OffloadState gro = OffloadState::kUnsupported;
  OffloadState ecn = OffloadState::kUnsupported;
  size_t max_train_segments = 1;
  uint64_t max_train_bytes = 0;
  // Local addresses from which trains are sent one by one, because of the interface that they
  // leave by; 0.0.0.0 and :: are transmits that leave the choice to the kernel.
  std::vector<SocketAddress> gso_failed_from;
  // Those that are up and have the local address; all that are up, if that is a wildcard.
  std::vector<InterfaceOffload> interfaces;

  // A few lines of text.
  std::string ToText() const;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_OFFLOAD_REPORT_H_
