// SPDX-License-Identifier: Apache-2.0
//
// SentFrame: what a sent packet carried, as far as its acknowledgment or its loss makes somebody
// act (RFC 9000 §13.3). The key by which the two find their part of the connection: kept with the
// sent packet, so that packets need not be parsed again and parts need not be called back.
//
// A record names what was sent and does not hold it: values are sent again as they are by then.
// The packet's number and its packet number space are known where the record is kept.
//
// Invariants: 24 bytes, trivially copyable. Which fields are meant follows from kind(); reading
// another one is a bug of the caller.
#ifndef GODWIT_TRANSPORT_DELIVERY_SENT_FRAME_H_
#define GODWIT_TRANSPORT_DELIVERY_SENT_FRAME_H_

#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/check.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "godwit/stream_id.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/frame.h"

namespace godwit {

class SentFrame {
 public:
  static constexpr SentFrame Stream(StreamId id, const StreamRange& range) {
    return SentFrame(FrameKind::kStream, id.value(), range);
  }
  static constexpr SentFrame Crypto(const StreamRange& range) {
    return SentFrame(FrameKind::kCrypto, 0, range);
  }

  // RFC 9000 §13.2.4: once this ACK is acknowledged, packets up to the largest that it named need
  // not be acknowledged again.
  static constexpr SentFrame Ack(PacketNumber largest_acked) {
    return SentFrame(FrameKind::kAck, largest_acked.value());
  }

  static constexpr SentFrame ResetStream(StreamId id) { return {FrameKind::kResetStream, id}; }
  static constexpr SentFrame StopSending(StreamId id) { return {FrameKind::kStopSending, id}; }
  static constexpr SentFrame MaxStreamData(StreamId id) { return {FrameKind::kMaxStreamData, id}; }
  static constexpr SentFrame StreamDataBlocked(StreamId id) {
    return {FrameKind::kStreamDataBlocked, id};
  }

  static constexpr SentFrame MaxData() { return SentFrame(FrameKind::kMaxData, 0); }
  static constexpr SentFrame DataBlocked() { return SentFrame(FrameKind::kDataBlocked, 0); }
  static constexpr SentFrame MaxStreams(StreamDirection direction) {
    return {FrameKind::kMaxStreams, direction};
  }
  static constexpr SentFrame StreamsBlocked(StreamDirection direction) {
    return {FrameKind::kStreamsBlocked, direction};
  }

  // `sequence_number`: of the connection id, as in the frame.
  static constexpr SentFrame NewConnectionId(uint64_t sequence_number) {
    return SentFrame(FrameKind::kNewConnectionId, sequence_number);
  }
  static constexpr SentFrame RetireConnectionId(uint64_t sequence_number) {
    return SentFrame(FrameKind::kRetireConnectionId, sequence_number);
  }

  // Never sent again as they are, but a loss can be the occasion for a new one (RFC 9000 §13.3).
  static constexpr SentFrame PathChallenge(PathId path) {
    return SentFrame(FrameKind::kPathChallenge, path.value());
  }
  static constexpr SentFrame PathResponse(PathId path) {
    return SentFrame(FrameKind::kPathResponse, path.value());
  }

  static constexpr SentFrame HandshakeDone() { return SentFrame(FrameKind::kHandshakeDone, 0); }
  // `sequence_number` counts the tokens that this connection gave out.
  static constexpr SentFrame NewToken(uint64_t sequence_number) {
    return SentFrame(FrameKind::kNewToken, sequence_number);
  }
  // As in the frame.
  static constexpr SentFrame AckFrequency(uint64_t sequence_number) {
    return SentFrame(FrameKind::kAckFrequency, sequence_number);
  }
  static constexpr SentFrame Ping() { return SentFrame(FrameKind::kPing, 0); }
  // RFC 9221 §5.2: not sent again, but the application may want to know. `sequence_number` counts
  // the datagrams that it handed us.
  static constexpr SentFrame Datagram(uint64_t sequence_number) {
    return SentFrame(FrameKind::kDatagram, sequence_number);
  }

  constexpr FrameKind kind() const { return kind_; }

  constexpr StreamId stream_id() const {
    GODWIT_DCHECK(kind_ == FrameKind::kStream || kind_ == FrameKind::kResetStream ||
                  kind_ == FrameKind::kStopSending || kind_ == FrameKind::kMaxStreamData ||
                  kind_ == FrameKind::kStreamDataBlocked);
    return StreamId(key_);
  }
  constexpr StreamRange range() const {
    GODWIT_DCHECK(kind_ == FrameKind::kStream || kind_ == FrameKind::kCrypto);
    return {offset_bytes_, length_bytes_, is_fin_};
  }
  constexpr PacketNumber largest_acked() const {
    GODWIT_DCHECK(kind_ == FrameKind::kAck);
    return PacketNumber(key_);
  }
  constexpr StreamDirection direction() const {
    GODWIT_DCHECK(kind_ == FrameKind::kMaxStreams || kind_ == FrameKind::kStreamsBlocked);
    return static_cast<StreamDirection>(key_);
  }
  constexpr uint64_t sequence_number() const {
    GODWIT_DCHECK(kind_ == FrameKind::kNewConnectionId || kind_ == FrameKind::kRetireConnectionId ||
                  kind_ == FrameKind::kNewToken || kind_ == FrameKind::kAckFrequency ||
                  kind_ == FrameKind::kDatagram);
    return key_;
  }
  constexpr PathId path_id() const {
    GODWIT_DCHECK(kind_ == FrameKind::kPathChallenge || kind_ == FrameKind::kPathResponse);
    return PathId(static_cast<uint32_t>(key_));
  }

  friend constexpr bool operator==(const SentFrame&, const SentFrame&) = default;

 private:
  constexpr SentFrame(FrameKind kind, uint64_t key) : key_(key), kind_(kind) {}
  constexpr SentFrame(FrameKind kind, StreamId id) : SentFrame(kind, id.value()) {}
  constexpr SentFrame(FrameKind kind, StreamDirection direction)
      : SentFrame(kind, static_cast<uint64_t>(direction)) {}
  constexpr SentFrame(FrameKind kind, uint64_t key, const StreamRange& range)
      : key_(key),
        offset_bytes_(range.offset_bytes),
        length_bytes_(static_cast<uint32_t>(range.length_bytes)),
        kind_(kind),
        is_fin_(range.is_fin) {
    GODWIT_DCHECK_LE(range.length_bytes, std::numeric_limits<uint32_t>::max());
  }

  uint64_t key_;  // Stream id, packet number, sequence number, direction or path, by kind.
  uint64_t offset_bytes_ = 0;
  uint32_t length_bytes_ = 0;
  FrameKind kind_;
  bool is_fin_ = false;
};

static_assert(sizeof(SentFrame) == 24);
static_assert(std::is_trivially_copyable_v<SentFrame>);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_SENT_FRAME_H_
