// SPDX-License-Identifier: Apache-2.0
//
// SendFlow: how much the peer lets us send on all streams together, and the DATA_BLOCKED frame that
// says once per limit that it holds us back. RFC 9000 §4.1, §19.9, §19.12.
//
// Bytes count when they are sent for the first time. The limits of streams are in send_stream.h.
//
// Invariant: used_bytes() <= limit_bytes().
#ifndef GODWIT_TRANSPORT_STREAMS_SEND_FLOW_H_
#define GODWIT_TRANSPORT_STREAMS_SEND_FLOW_H_

#include <cstdint>

#include "base/check.h"
#include "base/packet_number.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

class SendFlow {
 public:
  uint64_t limit_bytes() const { return limit_; }
  uint64_t used_bytes() const { return used_; }
  uint64_t credit_bytes() const { return limit_ - used_; }

  void OnSent(uint64_t new_bytes) {
    GODWIT_CHECK_LE(new_bytes, credit_bytes());
    used_ += new_bytes;
  }

  // RFC 9000 §4.1: limits that are not above the last one are ignored.
  void Raise(uint64_t limit_bytes) {
    if (limit_bytes <= limit_) return;
    limit_ = limit_bytes;
    // RFC 9000 §13.3: DATA_BLOCKED is sent again only while we are blocked on its limit.
    blocked_.Cancel();
  }

  // Data waits that the limit holds back.
  void NoteBlocked() {
    GODWIT_DCHECK_EQ(credit_bytes(), 0);
    blocked_.Set(limit_);
  }

  // Says so again, although the peer knows.
  void RepeatBlocked() {
    blocked_.Cancel();
    NoteBlocked();
  }

  bool HasPendingFrames() const { return blocked_.HasPending(); }
  // False if it does not fit.
  bool WriteFrames(FrameWriter& writer) {
    if (!blocked_.HasPending()) return true;
    if (!writer.Write(DataBlockedFrame{blocked_.value()}, SentFrame::DataBlocked())) return false;
    blocked_.OnSent(writer.packet_number());
    return true;
  }
  void OnFrameAcked(PacketNumber number) { blocked_.OnAcked(number); }
  void OnFrameLost(PacketNumber number) { blocked_.OnLost(number); }

  void CheckInvariants() const {
    GODWIT_CHECK_LE(used_, limit_);
    if (blocked_.HasPending()) GODWIT_CHECK_EQ(credit_bytes(), 0);
    blocked_.CheckInvariants();
  }

 private:
  uint64_t limit_ = 0;
  uint64_t used_ = 0;
  ReliableValue<uint64_t, ValueNature::kLatest> blocked_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_SEND_FLOW_H_
