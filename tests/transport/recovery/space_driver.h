// SPDX-License-Identifier: Apache-2.0
//
// Drives a PacketSpace as a connection does: sends packets of 1,000 bytes with one MAX_STREAM_DATA
// frame, whose stream id tells them apart, and follows each ACK frame by loss detection. Numbers
// are skipped as the space likes it; tests name packets by their order, from 0 on.
#ifndef GODWIT_TESTS_TRANSPORT_RECOVERY_SPACE_DRIVER_H_
#define GODWIT_TESTS_TRANSPORT_RECOVERY_SPACE_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "tests/transport/recovery/encoded_ack_ranges.h"
#include "transport/delivery/sent_frame.h"
#include "transport/recovery/packet_fates.h"
#include "transport/recovery/packet_space.h"
#include "transport/recovery/reordering_window.h"
#include "transport/recovery/sent_packet.h"

namespace godwit {

inline constexpr PathId kPath = PathId(0);
inline constexpr PathId kOtherPath = PathId(1);
inline constexpr uint64_t kPacketBytes = 1000;

constexpr Timestamp AtMs(int64_t ms) { return Timestamp() + Duration::Milliseconds(ms); }

inline SentFrame FrameNumber(uint64_t i) { return SentFrame::MaxStreamData(StreamId(i)); }

// What a test varies.
struct SentKind {
  PathId path = kPath;
  bool is_ack_eliciting = true;
  bool is_in_flight = true;
  bool is_mtu_probe = false;
};

inline constexpr SentKind kAckOnly{.is_ack_eliciting = false, .is_in_flight = false};
inline constexpr SentKind kMtuProbe{.is_mtu_probe = true};

class SpaceDriver {
 public:
  explicit SpaceDriver(PacketNumberSpace number_space = PacketNumberSpace::kHandshake)
      : space(number_space) {
    inputs.path = kPath;
    inputs.latest_rtt = Duration::Milliseconds(100);
    inputs.smoothed_rtt = Duration::Milliseconds(100);
    inputs.persistent_duration = Duration::Milliseconds(600);
    inputs.has_rtt_sample = true;
    inputs.first_rtt_sample_time = Timestamp::InfinitePast();
  }

  // The packet's number.
  uint64_t SendAt(Timestamp time, const SentKind& kind = {}) {
    const SentFrame frame = FrameNumber(space.next_packet_number().value());
    return SendFramesAt(time, std::span(&frame, 1), kind);
  }

  uint64_t SendFramesAt(Timestamp time, std::span<const SentFrame> frames,
                        const SentKind& kind = {}) {
    SentPacket packet;
    packet.packet.packet_number = space.next_packet_number().value();
    packet.packet.bytes = kPacketBytes;
    packet.packet.sent_time = time;
    packet.path = kind.path;
    packet.is_ack_eliciting = kind.is_ack_eliciting;
    packet.is_in_flight = kind.is_in_flight;
    packet.is_mtu_probe = kind.is_mtu_probe;
    space.OnPacketSent(packet, frames, random);
    return packet.packet.packet_number;
  }

  void SendManyAt(Timestamp time, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) SendAt(time);
  }

  // `fates` is of this ACK frame alone.
  Result AckAt(Timestamp time, const EncodedAckRanges& ranges) {
    fates.Clear();
    const Result result = space.OnAckFrame(ranges.view(), inputs.path, time, fates);
    space.CheckInvariants();
    return result;
  }

  void DetectAt(Timestamp time) {
    inputs.now = time;
    space.DetectLost(inputs, window, fates);
    space.CheckInvariants();
    window.CheckInvariants();
  }

  void AckAndDetectAt(Timestamp time, const EncodedAckRanges& ranges) {
    const Result result = AckAt(time, ranges);
    GODWIT_CHECK(result.ok());
    DetectAt(time);
  }

  std::vector<uint64_t> acked() const { return NumbersOf(fates.acked); }
  std::vector<uint64_t> lost() const { return NumbersOf(fates.lost); }
  std::vector<uint64_t> spurious() const {
    std::vector<uint64_t> numbers;
    numbers.reserve(fates.spurious.size());
    for (const SpuriousLoss& loss : fates.spurious) numbers.push_back(loss.packet.packet_number);
    return numbers;
  }
  // The packets of SendAt() whose frames they are.
  std::vector<uint64_t> acked_frames() const { return StreamsOf(fates.acked_frames); }
  std::vector<uint64_t> lost_frames() const { return StreamsOf(fates.lost_frames); }

  PacketSpace space;
  ReorderingWindow window;
  PacketFates fates;
  PacketSpace::LossInputs inputs;
  SeededRandom random{1};

 private:
  static std::vector<uint64_t> NumbersOf(const std::vector<TransmittedPacket>& packets) {
    std::vector<uint64_t> numbers;
    numbers.reserve(packets.size());
    for (const TransmittedPacket& packet : packets) numbers.push_back(packet.packet_number);
    return numbers;
  }

  static std::vector<uint64_t> StreamsOf(const std::vector<FrameFate>& frames) {
    std::vector<uint64_t> streams;
    streams.reserve(frames.size());
    for (const FrameFate& fate : frames) {
      GODWIT_CHECK_EQ(fate.number.value(), fate.frame.stream_id().value());
      streams.push_back(fate.frame.stream_id().value());
    }
    return streams;
  }
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_RECOVERY_SPACE_DRIVER_H_
