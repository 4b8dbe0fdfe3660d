// SPDX-License-Identifier: Apache-2.0
//
// UndecryptablePackets: copies of packets that came before the keys that open them, because the
// network reordered them or the handshake takes its time. RFC 9001 §5.7.
//
// It does not decide which packets are worth it: one whose keys were discarded, or that the
// connection could open, is none. Nothing in here is authentic; bounds keep what a stranger can
// make us remember small.
//
// Invariants: at most kMaxUndecryptablePackets packets of kMaxUndecryptableBytes together; packets
// of a level come back in the order in which they came; empty, it holds no memory.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_UNDECRYPTABLE_PACKETS_H_
#define GODWIT_TRANSPORT_LIFECYCLE_UNDECRYPTABLE_PACKETS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/encryption_level.h"
#include "base/path_id.h"
#include "godwit/ecn.h"
#include "godwit/time.h"

namespace godwit {

class UndecryptablePackets {
 public:
  struct Kept {
    EncryptionLevel level;
    EcnMark ecn;
    PathId path;
    Timestamp received_at;
    std::vector<uint8_t> bytes;  // A packet alone, its header still protected.
  };

  // False, and nothing changes, if there is no room: the packet is lost then.
  bool Keep(EncryptionLevel level, std::span<const uint8_t> packet, PathId path,
            Timestamp received_at, EcnMark ecn);

  // Hands over what waited for the keys of `level`.
  std::vector<Kept> TakeReady(EncryptionLevel level);

  void Clear();

  bool empty() const { return packets_.empty(); }
  uint64_t held_bytes() const { return held_bytes_; }

  void CheckInvariants() const;

 private:
  std::vector<Kept> packets_;
  uint64_t held_bytes_ = 0;  // Of the packets.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_UNDECRYPTABLE_PACKETS_H_
