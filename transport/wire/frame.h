// SPDX-License-Identifier: Apache-2.0
//
// What each frame says, one struct a frame, and Frame, which is any one of them. RFC 9000 §19;
// RFC 9221 §4; draft-ietf-quic-ack-frequency §4, §5.
//
// The structs hold meaning: whether a length was written, or how wide a varint was, is not in them.
// Spans are views of the received packet, or of the sender's memory; nothing here owns bytes.
//
// Invariants: all are trivially copyable, so that a Frame is copied and reused freely. What comes
// from the frame decoder keeps every rule of its section of RFC 9000 that needs no state.
#ifndef GODWIT_TRANSPORT_WIRE_FRAME_H_
#define GODWIT_TRANSPORT_WIRE_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "godwit/close_reason.h"
#include "godwit/connection_id.h"
#include "godwit/stream_id.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/frame_type.h"

namespace godwit {

// Which struct a Frame holds. Frames whose types differ by flags only are one kind.
enum class FrameKind : uint8_t {
  kPadding,
  kPing,
  kAck,
  kResetStream,
  kStopSending,
  kCrypto,
  kNewToken,
  kStream,
  kMaxData,
  kMaxStreamData,
  kMaxStreams,
  kDataBlocked,
  kStreamDataBlocked,
  kStreamsBlocked,
  kNewConnectionId,
  kRetireConnectionId,
  kPathChallenge,
  kPathResponse,
  kConnectionClose,
  kHandshakeDone,
  kDatagram,
  kAckFrequency,
  kImmediateAck,
};

// RFC 9000 §19.1. A run of PADDING frames of a byte each is one of these.
struct PaddingFrame {
  static constexpr FrameKind kKind = FrameKind::kPadding;
  uint64_t length_bytes;
};

// RFC 9000 §19.2.
struct PingFrame {
  static constexpr FrameKind kKind = FrameKind::kPing;
};

// RFC 9000 §19.3.2. Packets received so far with each mark, in the packet number space of the ACK.
struct EcnCounts {
  uint64_t ect0_count;
  uint64_t ect1_count;
  uint64_t ce_count;

  friend constexpr bool operator==(const EcnCounts&, const EcnCounts&) = default;
};

// RFC 9000 §19.3, as received. To send one, see AckFrameFields in frame_encoder.h.
struct AckFrame {
  static constexpr FrameKind kKind = FrameKind::kAck;
  AckRanges ranges;
  // As on the wire: in units of 2^ack_delay_exponent microseconds. Up to 2^62-1.
  uint64_t encoded_ack_delay;
  std::optional<EcnCounts> ecn_counts;
};

// RFC 9000 §19.4.
struct ResetStreamFrame {
  static constexpr FrameKind kKind = FrameKind::kResetStream;
  StreamId stream_id;
  uint64_t application_error_code;
  uint64_t final_size_bytes;
};

// RFC 9000 §19.5.
struct StopSendingFrame {
  static constexpr FrameKind kKind = FrameKind::kStopSending;
  StreamId stream_id;
  uint64_t application_error_code;
};

// RFC 9000 §19.6. offset_bytes + data.size() <= kMaxStreamOffset.
struct CryptoFrame {
  static constexpr FrameKind kKind = FrameKind::kCrypto;
  uint64_t offset_bytes;
  std::span<const uint8_t> data;
};

// RFC 9000 §19.7. The token is not empty.
struct NewTokenFrame {
  static constexpr FrameKind kKind = FrameKind::kNewToken;
  std::span<const uint8_t> token;
};

// RFC 9000 §19.8. offset_bytes + data.size() <= kMaxStreamOffset.
struct StreamFrame {
  static constexpr FrameKind kKind = FrameKind::kStream;
  StreamId stream_id;
  uint64_t offset_bytes;
  std::span<const uint8_t> data;
  bool is_fin;
};

// RFC 9000 §19.9.
struct MaxDataFrame {
  static constexpr FrameKind kKind = FrameKind::kMaxData;
  uint64_t maximum_bytes;
};

// RFC 9000 §19.10.
struct MaxStreamDataFrame {
  static constexpr FrameKind kKind = FrameKind::kMaxStreamData;
  StreamId stream_id;
  uint64_t maximum_bytes;
};

// RFC 9000 §19.11. maximum_count <= kMaxStreams.
struct MaxStreamsFrame {
  static constexpr FrameKind kKind = FrameKind::kMaxStreams;
  StreamDirection direction;
  uint64_t maximum_count;
};

// RFC 9000 §19.12.
struct DataBlockedFrame {
  static constexpr FrameKind kKind = FrameKind::kDataBlocked;
  uint64_t limit_bytes;
};

// RFC 9000 §19.13.
struct StreamDataBlockedFrame {
  static constexpr FrameKind kKind = FrameKind::kStreamDataBlocked;
  StreamId stream_id;
  uint64_t limit_bytes;
};

// RFC 9000 §19.14. limit_count <= kMaxStreams.
struct StreamsBlockedFrame {
  static constexpr FrameKind kKind = FrameKind::kStreamsBlocked;
  StreamDirection direction;
  uint64_t limit_count;
};

// RFC 9000 §19.15. The id is not empty; retire_prior_to <= sequence_number.
struct NewConnectionIdFrame {
  static constexpr FrameKind kKind = FrameKind::kNewConnectionId;
  uint64_t sequence_number;
  uint64_t retire_prior_to;
  ConnectionId connection_id;
  StatelessResetToken stateless_reset_token;
};

// RFC 9000 §19.16.
struct RetireConnectionIdFrame {
  static constexpr FrameKind kKind = FrameKind::kRetireConnectionId;
  uint64_t sequence_number;
};

using PathChallengeData = std::array<uint8_t, 8>;

// RFC 9000 §19.17.
struct PathChallengeFrame {
  static constexpr FrameKind kKind = FrameKind::kPathChallenge;
  PathChallengeData data;
};

// RFC 9000 §19.18.
struct PathResponseFrame {
  static constexpr FrameKind kKind = FrameKind::kPathResponse;
  PathChallengeData data;
};

// RFC 9000 §19.19.
struct ConnectionCloseFrame {
  static constexpr FrameKind kKind = FrameKind::kConnectionClose;
  ErrorSpace error_space;  // The frame's type says it.
  uint64_t error_code;
  // The type of the frame that was at fault, 0 if none was. Any varint: a type that the peer knows
  // need not be one that we know. Absent from the wire, and 0, where the application closes.
  uint64_t frame_type;
  // Should be UTF-8; nobody has checked that it is.
  std::span<const uint8_t> reason_phrase;
};

// RFC 9000 §19.20.
struct HandshakeDoneFrame {
  static constexpr FrameKind kKind = FrameKind::kHandshakeDone;
};

// RFC 9221 §4.
struct DatagramFrame {
  static constexpr FrameKind kKind = FrameKind::kDatagram;
  std::span<const uint8_t> data;
};

// draft-ietf-quic-ack-frequency §4. requested_max_ack_delay_us is below 2^14 milliseconds.
struct AckFrequencyFrame {
  static constexpr FrameKind kKind = FrameKind::kAckFrequency;
  uint64_t sequence_number;
  uint64_t ack_eliciting_threshold;
  uint64_t requested_max_ack_delay_us;
  uint64_t reordering_threshold;
};

// draft-ietf-quic-ack-frequency §5.
struct ImmediateAckFrame {
  static constexpr FrameKind kKind = FrameKind::kImmediateAck;
};

// Any one frame, and the type that it came with. One is reused for frame after frame.
class Frame {
 public:
  Frame() { Emplace<PaddingFrame>(FrameType::kPadding, uint64_t{1}); }

  // Makes this an F with the given members, the others zero. In place: a copy of a struct that was
  // just written member by member costs more than all of its decoding. `type` is one that F has on
  // the wire.
  template <typename F, typename... Members>
  F& Emplace(FrameType type, Members&&... members) {
    static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>);
    static_assert(sizeof(F) <= kStorageSize && alignof(F) <= alignof(uint64_t));
    kind_ = F::kKind;
    type_ = type;
    return *::new (static_cast<void*>(storage_)) F{std::forward<Members>(members)...};
  }

  FrameKind kind() const { return kind_; }
  FrameType type() const { return type_; }

  // The frame as what kind() says that it is; any other F is a bug of the caller.
  template <typename F>
  const F& As() const {
    GODWIT_CHECK(kind_ == F::kKind);
    return Stored<F>();
  }

  // Calls `visitor` with the one struct that is held. It must take all of them and return the same
  // type for each.
  template <typename Visitor>
  decltype(auto) Visit(Visitor&& visitor) const;

 private:
  static constexpr size_t kStorageSize = sizeof(AckFrame);

  template <typename F>
  const F& Stored() const {
    return *std::launder(reinterpret_cast<const F*>(storage_));
  }

  FrameKind kind_;
  FrameType type_;
  alignas(uint64_t) std::byte storage_[kStorageSize];
};

static_assert(sizeof(Frame) <= 96);
static_assert(std::is_trivially_copyable_v<Frame>);

template <typename Visitor>
decltype(auto) Frame::Visit(Visitor&& visitor) const {
  switch (kind_) {
    case FrameKind::kPadding:
      return visitor(Stored<PaddingFrame>());
    case FrameKind::kPing:
      return visitor(Stored<PingFrame>());
    case FrameKind::kAck:
      return visitor(Stored<AckFrame>());
    case FrameKind::kResetStream:
      return visitor(Stored<ResetStreamFrame>());
    case FrameKind::kStopSending:
      return visitor(Stored<StopSendingFrame>());
    case FrameKind::kCrypto:
      return visitor(Stored<CryptoFrame>());
    case FrameKind::kNewToken:
      return visitor(Stored<NewTokenFrame>());
    case FrameKind::kStream:
      return visitor(Stored<StreamFrame>());
    case FrameKind::kMaxData:
      return visitor(Stored<MaxDataFrame>());
    case FrameKind::kMaxStreamData:
      return visitor(Stored<MaxStreamDataFrame>());
    case FrameKind::kMaxStreams:
      return visitor(Stored<MaxStreamsFrame>());
    case FrameKind::kDataBlocked:
      return visitor(Stored<DataBlockedFrame>());
    case FrameKind::kStreamDataBlocked:
      return visitor(Stored<StreamDataBlockedFrame>());
    case FrameKind::kStreamsBlocked:
      return visitor(Stored<StreamsBlockedFrame>());
    case FrameKind::kNewConnectionId:
      return visitor(Stored<NewConnectionIdFrame>());
    case FrameKind::kRetireConnectionId:
      return visitor(Stored<RetireConnectionIdFrame>());
    case FrameKind::kPathChallenge:
      return visitor(Stored<PathChallengeFrame>());
    case FrameKind::kPathResponse:
      return visitor(Stored<PathResponseFrame>());
    case FrameKind::kConnectionClose:
      return visitor(Stored<ConnectionCloseFrame>());
    case FrameKind::kHandshakeDone:
      return visitor(Stored<HandshakeDoneFrame>());
    case FrameKind::kDatagram:
      return visitor(Stored<DatagramFrame>());
    case FrameKind::kAckFrequency:
      return visitor(Stored<AckFrequencyFrame>());
    case FrameKind::kImmediateAck:
      return visitor(Stored<ImmediateAckFrame>());
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_FRAME_H_
