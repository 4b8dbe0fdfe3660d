// SPDX-License-Identifier: Apache-2.0
//
// PacketBuilder: one packet from its header to the point where it can be sealed. RFC 9000 §12.2,
// §17; RFC 9001 §5.4.2.
//
// It chooses neither the frames nor the keys, and seals nothing. A packet that stays without frames
// is just given up: its number is not used until the packet is committed.
//
// Invariant: the packet fits in its room with the AEAD's tag.
#ifndef GODWIT_TRANSPORT_CONNECTION_PACKET_BUILDER_H_
#define GODWIT_TRANSPORT_CONNECTION_PACKET_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "crypto/packet_protector.h"
#include "godwit/connection_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {

class PacketBuilder {
 public:
  struct Header {
    EncryptionLevel level;
    PacketMode mode;
    ConnectionId dcid;
    ConnectionId scid;  // Of a long header.
    PacketNumber number;
    size_t number_size;
    bool key_phase;
  };

  // With so much room a 1-RTT packet fits, whatever its header: a PATH_CHALLENGE, or an ACK frame.
  static constexpr size_t kMinOneRttFrameRoom = 32;
  static constexpr size_t kMinOneRttBytes =
      1 + kMaxConnectionIdBytes + kMaxPacketNumberSize + kMinOneRttFrameRoom + kAeadTagLength;

  // Whether a packet with that header and a few frames fits.
  static bool Fits(const Header& header, size_t room_bytes);

  // `room` outlives the builder, and Fits().
  PacketBuilder(const Header& header, std::span<uint8_t> room);

  FrameWriter& frames() { return frames_; }
  const FrameWriter& frames() const { return frames_; }
  EncryptionLevel level() const { return frames_.level(); }

  // As it stands, with its tag.
  size_t size() const;

  // Completes the packet, with PADDING frames if it is to have `min_size` bytes. Its last frame is
  // not one that reaches to the end of the packet then.
  OutgoingPacket Finish(size_t min_size = 0);

  // PADDING counts as in flight (RFC 9002 §2). After Finish().
  bool is_in_flight() const { return frames_.is_in_flight() || is_padded_; }

 private:
  size_t WriteHeader(const Header& header, std::span<uint8_t> room);

  LongHeaderLayout layout_ = {};
  size_t number_size_;
  PacketNumber number_;
  std::span<uint8_t> room_;
  size_t header_size_;
  bool is_padded_ = false;
  FrameWriter frames_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_PACKET_BUILDER_H_
