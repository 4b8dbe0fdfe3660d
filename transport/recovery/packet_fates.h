// SPDX-License-Identifier: Apache-2.0
//
// PacketFates: what became of sent packets, as a PacketSpace reports it: the facts that congestion
// control, RTT estimation and the owners of the frames are then told. It is scratch of the caller:
// made once, cleared before each use, and so without allocation once it is warm.
//
// Packets sent on another path than the one that was asked for stand apart: neither the RTT nor
// the congestion controller of the current path may learn from them (RFC 9000 §9.4).
//
// Invariants: within `acked`, `lost`, `spurious` and the frames of each kind packet numbers ascend.
// A packet in flight is reported once as acknowledged or lost; after lost, at most once more, as
// spurious.
#ifndef GODWIT_TRANSPORT_RECOVERY_PACKET_FATES_H_
#define GODWIT_TRANSPORT_RECOVERY_PACKET_FATES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/packet_number.h"
#include "base/path_id.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {

struct FrameFate {
  PacketNumber number;  // Of the packet that carried it.
  SentFrame frame;
};

// On the path that was asked for.
struct MtuProbeFate {
  uint64_t bytes;
  bool is_acked;
};

// A packet in flight that was sent on another path.
struct OtherPathFate {
  PathId path;
  TransmittedPacket packet;
  bool is_acked;  // Else lost.
  bool is_mtu_probe;
};

struct PacketFates {
  // RFC 9002 §5.1: the packet that makes an RTT sample.
  struct RttSource {
    Timestamp sent_time;
    PathId path;
  };

  // In flight, sent on the path that was asked for. MTU probes are in `acked`, not in `lost`.
  std::vector<TransmittedPacket> acked;
  std::vector<TransmittedPacket> lost;
  // Had been reported lost, and so have left flight.
  std::vector<SpuriousLoss> spurious;
  std::vector<OtherPathFate> other_paths;

  // Of all packets, whatever their path, in flight or not. Frames of a late acknowledged packet are
  // in `acked_frames` too.
  std::vector<FrameFate> acked_frames;
  std::vector<FrameFate> lost_frames;

  // Also probes that were lost and are acknowledged late: the path took them.
  std::vector<MtuProbeFate> mtu_probes;
  // RFC 9000 §14.4: MTU probes that leave flight without saying anything about congestion.
  uint64_t lost_probe_bytes = 0;

  // Of the packets in `spurious`: by how many later packets one was overtaken, and the time from
  // sending to acknowledgment; the greatest of each.
  uint64_t max_spurious_distance = 0;
  Duration max_spurious_lateness;

  // Any packet, in flight or not, on any path, on time or late.
  bool has_newly_acked = false;
  std::optional<RttSource> rtt_source;
  // Of the largest packet of the space that is acknowledged; InfinitePast() if there is none.
  Timestamp largest_acked_sent_time = Timestamp::InfinitePast();
  // RFC 9002 §7.6: the packets in `lost` establish it, with earlier ones or alone.
  bool is_persistent_congestion = false;

  // Keeps the memory.
  void Clear();
};

inline void PacketFates::Clear() {
  acked.clear();
  lost.clear();
  spurious.clear();
  other_paths.clear();
  acked_frames.clear();
  lost_frames.clear();
  mtu_probes.clear();
  lost_probe_bytes = 0;
  max_spurious_distance = 0;
  max_spurious_lateness = Duration::Zero();
  has_newly_acked = false;
  rtt_source.reset();
  largest_acked_sent_time = Timestamp::InfinitePast();
  is_persistent_congestion = false;
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_PACKET_FATES_H_
