// SPDX-License-Identifier: Apache-2.0
//
// What follows from acknowledgments and from the loss-detection timer: the packets' fates are
// found by their packet number space, and told to the path that carried them, to the parts whose
// frames they had, and to the probe timer. RFC 9002 §5 to §7, A.7 to A.10.
//
// It owns nothing; the numbers are those of transport/recovery and transport/path.
#ifndef GODWIT_TRANSPORT_CONNECTION_LOSS_RECOVERY_H_
#define GODWIT_TRANSPORT_CONNECTION_LOSS_RECOVERY_H_

#include "base/result.h"
#include "godwit/time.h"
#include "transport/connection/connection_parts.h"
#include "transport/connection/frame_dispatcher.h"
#include "transport/wire/frame.h"

namespace godwit {

Result OnAckFrame(ConnectionParts& parts, const AckFrame& frame, const FrameSource& source);

// RFC 9002 A.8: when packets are to be declared lost or probes to be sent. Infinite: never.
Timestamp LossDetectionDeadline(const ConnectionParts& parts);
// RFC 9002 A.9.
void OnLossDetectionTimeout(ConnectionParts& parts, Timestamp now);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_LOSS_RECOVERY_H_
