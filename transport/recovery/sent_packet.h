// SPDX-License-Identifier: Apache-2.0
//
// SentPacket: what a packet number space remembers of a packet that it sent, besides its frames
// (RFC 9002 A.1.1). A value without rules of its own.
//
// `packet` is what congestion control keeps with a packet; of one that is not in flight only its
// number, size and time mean anything.
#ifndef GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_H_
#define GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_H_

#include <type_traits>

#include "base/encryption_level.h"
#include "base/path_id.h"
#include "godwit/congestion_controller.h"

namespace godwit {

struct SentPacket {
  TransmittedPacket packet = {};
  PathId path = PathId(0);
  EncryptionLevel level = EncryptionLevel::kOneRtt;
  bool is_ack_eliciting = false;
  // RFC 9002 §2: counts towards bytes in flight. What is ack-eliciting is in flight too.
  bool is_in_flight = false;
  // RFC 9000 §14.4: its loss says nothing about congestion.
  bool is_mtu_probe = false;
};

static_assert(sizeof(SentPacket) == 72);
static_assert(std::is_trivially_copyable_v<SentPacket>);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_H_
