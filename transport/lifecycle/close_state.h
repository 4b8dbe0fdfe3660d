// SPDX-License-Identifier: Apache-2.0
//
// CloseState: how a connection ends. RFC 9000 §10.2, §10.3.1.
//
//            CloseByApplication, CloseByProtocolError
//   kOpen ----------------------------------------> kClosing
//     |                                                |  |
//     |  OnPeerClose, OnStatelessReset     OnPeerClose,|  | OnTimeout, after 3 PTO
//     |                                OnStatelessReset|  |
//     |------------------> kDraining <-----------------+  |
//     |                        | OnTimeout, after 3 PTO   |
//     | CloseSilently          v                          |
//     +-------------------> kClosed <---------------------+    CloseSilently: from any phase
//
// It says when CONNECTION_CLOSE wants to be sent and with what; at which encryption levels is the
// caller's. The first reason is the one that counts.
//
// Invariants: a reason exists exactly if not kOpen; a frame is pending only in kClosing; in
// kDraining and kClosed nothing is ever sent; a later phase is never left for an earlier one.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_CLOSE_STATE_H_
#define GODWIT_TRANSPORT_LIFECYCLE_CLOSE_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "godwit/close_reason.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame.h"

namespace godwit {

class CloseState {
 public:
  enum class Phase : uint8_t {
    kOpen,
    kClosing,   // RFC 9000 §10.2.1: answers what comes with its CONNECTION_CLOSE, ever less often.
    kDraining,  // RFC 9000 §10.2.2: silent.
    kClosed,    // To be forgotten.
  };

  Phase phase() const { return phase_; }
  bool is_open() const { return phase_ == Phase::kOpen; }
  const std::optional<CloseReason>& reason() const { return reason_; }

  // All of these do nothing to the reason if the connection is not open any more. `pto` is the
  // probe timeout at this moment, without backoff.

  // `error_code` is at most kMaxVarint. `reason` should be UTF-8.
  void CloseByApplication(uint64_t error_code, std::string_view reason, Timestamp now,
                          Duration pto);
  // `frame_type`: of the frame at fault, 0 if none. `detail` is for our side only, and may be
  // empty: the peer gets the words of the catalogue.
  void CloseByProtocolError(const ProtocolError& error, uint64_t frame_type,
                            std::string_view detail, Timestamp now, Duration pto);
  void OnPeerClose(const ConnectionCloseFrame& frame, Timestamp now, Duration pto);
  void OnStatelessReset(Timestamp now, Duration pto);
  // There is nobody to tell, or nothing to tell it with. kClosed at once. Of the causes above one
  // of those that no other call stands for.
  void CloseSilently(CloseReason::Cause cause, Timestamp now);

  // A datagram of `bytes` came for this connection, whether it could be read or not.
  void OnPacketReceived(Timestamp now, uint64_t bytes);

  bool HasPendingFrame() const { return is_frame_pending_; }
  // Writes the CONNECTION_CLOSE frame for a packet of writer.level(), the reason cut to fit. May be
  // called for several packets. False if there is no room.
  bool WriteFrame(FrameWriter& writer) const;
  // The pending frame was sent, at all levels that need it: `bytes` of datagrams altogether. The
  // next one follows when the peer asks for it by packets.
  void OnCloseSent(Timestamp now, uint64_t bytes);

  // When kClosing or kDraining is over; Infinite() in the other phases. kClosing lasts from when
  // the frame is first sent on: an application may close at a time that it was told long ago. What
  // cannot be sent is waited for as long once more.
  Timestamp next_deadline() const;
  void OnTimeout(Timestamp now);

  void CheckInvariants() const;

 private:
  void EnterClosing(CloseReason reason, Timestamp now, Duration pto);
  void EnterDraining(CloseReason reason, Timestamp now, Duration pto);

  Phase phase_ = Phase::kOpen;
  bool is_frame_pending_ = false;
  bool has_waited_to_send_ = false;
  Duration duration_;  // Of kClosing.
  Timestamp ends_at_ = Timestamp::Infinite();
  std::optional<CloseReason> reason_;
  // What the peer is told below its application: a text of the catalogue.
  std::string_view peer_reason_;

  // Of kClosing. RFC 9000 §10.2.1: the rate of replies.
  uint64_t packets_until_reply_ = 1;
  uint64_t reply_interval_packets_ = 1;
  uint64_t received_bytes_ = 0;
  uint64_t replied_bytes_ = 0;
  uint64_t close_bytes_ = 0;  // What the last one took; 0 before the first.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_CLOSE_STATE_H_
