// SPDX-License-Identifier: Apache-2.0
//
// FrameDecoder: takes the payload of one packet apart, frame by frame, and refuses all that is
// wrong on the face of it: RFC 9000 §12.4, §19; RFC 9221 §3, §4; draft-ietf-quic-ack-frequency §4,
// §5.
//
// It knows the packet's encryption level, who sent it and which extensions that sender was offered,
// and nothing else: what takes a connection's state to judge (limits, streams, numbers of packets
// sent) is left to the parts that the frames go to.
//
// Invariants: no byte outside the payload is read and none is copied out of it, but for fields that
// Frame holds by value; the work is linear in the payload; nothing follows a refused frame.
#ifndef GODWIT_TRANSPORT_WIRE_FRAME_DECODER_H_
#define GODWIT_TRANSPORT_WIRE_FRAME_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/result.h"
#include "godwit/perspective.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_type.h"

namespace godwit {

// The extensions that the receiver of the packet offered in its transport parameters, and therefore
// takes frames of. Without more said, all.
struct OfferedExtensions {
  // RFC 9221 §3: max_datagram_frame_size; 0 for none.
  uint64_t max_datagram_frame_size = kMaxVarint;
  // draft-ietf-quic-ack-frequency §3: whether there was a min_ack_delay.
  bool accepts_ack_frequency = true;
};

//   FrameDecoder decoder(payload, level, sender, offered);
//   while (!decoder.is_done()) {
//     GODWIT_RETURN_IF_ERROR(decoder.Next(&frame));
//     ...
//   }
class FrameDecoder {
 public:
  // `payload`: after the packet protection was removed, without the AEAD's tag.
  FrameDecoder(std::span<const uint8_t> payload, EncryptionLevel level, Perspective sender,
               const OfferedExtensions& offered = {})
      : reader_(payload), offered_(offered), level_(level), sender_(sender) {}

  // False for an empty payload too, until Next() has refused it.
  bool is_done() const { return reader_.is_at_end() && reader_.position() != 0; }

  // Decodes the next frame. May not be called once is_done() or after an error, which leaves
  // `frame` in no useful state.
  Result Next(Frame* frame);

  // The type that the last frame given to Next() began with, known or not: what a CONNECTION_CLOSE
  // frame names. 0 if there was none or it was cut short.
  uint64_t frame_type() const { return frame_type_; }

  // What the frame that Next() just decoded takes in the packet, its type included.
  size_t frame_size_bytes() const { return reader_.position() - frame_begin_; }

 private:
  Result ReadType(FrameType* type);
  Result CheckOffered(FrameType type) const;

  ByteReader reader_;
  size_t frame_begin_ = 0;
  uint64_t frame_type_ = 0;
  OfferedExtensions offered_;
  EncryptionLevel level_;
  Perspective sender_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_FRAME_DECODER_H_
