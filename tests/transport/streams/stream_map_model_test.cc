// SPDX-License-Identifier: Apache-2.0
//
// Two StreamMaps and applications that do anything, over a pipe that loses, repeats and reorders
// packets and acknowledges them late, after they were declared lost, or never. What must hold:
// every byte is read once and in order, nothing is sent beyond what the sender has heard that it
// may, events are enough to go on by, and in the end nothing is left anywhere.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "tests/transport/streams/stream_peer.h"
#include "transport/streams/stream_map.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using Kind = StreamEvent::Kind;

constexpr StreamConfig kConfig = {.initial_max_data = 20'000,
                                  .initial_max_stream_data_bidi_local = 5000,
                                  .initial_max_stream_data_bidi_remote = 4000,
                                  .initial_max_stream_data_uni = 6000,
                                  .max_streams_bidi = 12,
                                  .max_streams_uni = 9,
                                  .max_connection_window_bytes = 80'000,
                                  .max_stream_window_bytes = 30'000,
                                  .max_send_buffer_bytes = 12'000};

// What a sender has heard of its limits, read from the frames that reached it.
class LimitLedger {
 public:
  explicit LimitLedger(Perspective sender) : sender_(sender) {}

  void OnFrameDelivered(const Frame& frame) {
    if (frame.kind() == FrameKind::kMaxData) {
      max_data_ = std::max(max_data_, frame.As<MaxDataFrame>().maximum_bytes);
    } else if (frame.kind() == FrameKind::kMaxStreamData) {
      const auto& limit = frame.As<MaxStreamDataFrame>();
      uint64_t& known = StreamLimit(limit.stream_id);
      known = std::max(known, limit.maximum_bytes);
    } else if (frame.kind() == FrameKind::kMaxStreams) {
      const auto& limit = frame.As<MaxStreamsFrame>();
      uint64_t& known = max_streams_[static_cast<size_t>(limit.direction)];
      known = std::max(known, limit.maximum_count);
    }
  }

  void OnFrameSent(const Frame& frame) {
    if (frame.kind() == FrameKind::kStream) {
      const auto& stream = frame.As<StreamFrame>();
      OnDataSent(stream.stream_id, stream.offset_bytes + stream.data.size());
    } else if (frame.kind() == FrameKind::kResetStream) {
      const auto& reset = frame.As<ResetStreamFrame>();
      OnDataSent(reset.stream_id, reset.final_size_bytes);
    }
  }

 private:
  uint64_t& StreamLimit(StreamId id) {
    const uint64_t initial = !id.is_bidirectional() ? kConfig.initial_max_stream_data_uni
                             : id.initiator() == sender_
                                 ? kConfig.initial_max_stream_data_bidi_remote
                                 : kConfig.initial_max_stream_data_bidi_local;
    return stream_limits_.try_emplace(id, initial).first->second;
  }

  void OnDataSent(StreamId id, uint64_t end_bytes) {
    if (id.initiator() == sender_) {
      ASSERT_LT(id.index(), max_streams_[static_cast<size_t>(id.direction())]);
    }
    ASSERT_LE(end_bytes, StreamLimit(id));
    uint64_t& sent = sent_[id];
    if (end_bytes <= sent) return;
    sent_bytes_ += end_bytes - sent;
    sent = end_bytes;
    ASSERT_LE(sent_bytes_, max_data_);
  }

  Perspective sender_;
  uint64_t max_data_ = kConfig.initial_max_data;
  std::array<uint64_t, 2> max_streams_ = {kConfig.max_streams_bidi, kConfig.max_streams_uni};
  std::map<StreamId, uint64_t> stream_limits_;
  std::map<StreamId, uint64_t> sent_;
  uint64_t sent_bytes_ = 0;
};

// What one side writes on a stream: a byte depends on its place, so that a shift is seen.
uint8_t ByteAt(StreamId id, Perspective writer, uint64_t offset) {
  return static_cast<uint8_t>(offset * 31 + offset / 251 + id.value() * 7 +
                              (writer == Perspective::kClient ? 0 : 101));
}

// One end: what it has done to each stream, and what it has been told.
class Side {
 public:
  struct Sent {
    StreamPacket packet;
    bool is_delivered = false;
  };
  struct StreamRecord {
    bool can_write = false;
    bool can_read = false;
    uint64_t written_bytes = 0;
    bool is_write_refused = false;
    bool is_write_over = false;  // Finished, reset or stopped.
    bool is_finished_by_us = false;
    bool is_send_complete = false;
    uint64_t read_bytes = 0;
    bool is_read_over = false;  // Told of its end, or stopped by us.
    bool was_told_finished = false;
    bool was_stopped_by_us = false;
    bool is_readable = false;
  };

  Side(Perspective perspective, SeededRandom& random)
      : perspective(perspective), peer(perspective, kConfig), ledger(perspective), random_(random) {
    peer.map().OnPeerParameters(ParametersOf(kConfig));
  }

  // ---- The application ----

  void Open(StreamDirection direction) {
    const auto id = peer.map().Open(direction);
    if (!id.ok()) return;
    Record(*id);
  }

  void Write(StreamId id, uint64_t byte_count) {
    StreamRecord& record = streams.at(id);
    if (!record.can_write || record.is_write_over || record.is_write_refused) return;
    std::vector<uint8_t> data(byte_count);
    for (size_t i = 0; i < data.size(); ++i) {
      data[i] = ByteAt(id, perspective, record.written_bytes + i);
    }
    absl::StatusOr<uint64_t> taken = 0;
    if (random_.UniformBelow(2) == 0) {
      taken = peer.map().Write(id, data, peer.pools());
    } else {
      const absl::Cord cord(absl::string_view(reinterpret_cast<char*>(data.data()), data.size()));
      taken = peer.map().Write(id, cord, peer.pools());
    }
    if (!taken.ok()) return ExpectStopped(record);
    record.written_bytes += *taken;
    record.is_write_refused = *taken < byte_count;
  }

  void Finish(StreamId id) {
    StreamRecord& record = streams.at(id);
    if (!record.can_write || record.is_write_over) return;
    if (!peer.map().Finish(id).ok()) return ExpectStopped(record);
    record.is_write_over = true;
    record.is_finished_by_us = true;
  }

  void Reset(StreamId id) {
    StreamRecord& record = streams.at(id);
    if (!record.can_write || record.is_send_complete) return;
    if (!peer.map().Reset(id, 7, peer.pools()).ok()) return;
    record.is_write_over = true;
    record.is_finished_by_us = false;
  }

  void StopSending(StreamId id) {
    StreamRecord& record = streams.at(id);
    if (!record.can_read || record.is_read_over) return;
    ASSERT_TRUE(peer.map().StopSending(id, 8, peer.pools()).ok());
    record.is_read_over = true;
    record.was_stopped_by_us = true;
  }

  // Reads at most `max_bytes` of a stream that an event called readable.
  void Read(StreamId id, uint64_t max_bytes) {
    StreamRecord& record = streams.at(id);
    if (!record.is_readable || record.was_stopped_by_us) return;
    std::array<std::span<const uint8_t>, 3> views;
    while (max_bytes != 0) {
      const auto count = peer.map().Peek(id, views);
      // The stream may be gone: it was read to its end, or reset.
      if (!count.ok() || *count == 0) {
        record.is_readable = false;
        return;
      }
      uint64_t taken = 0;
      for (size_t i = 0; i < *count && taken < max_bytes; ++i) {
        for (const uint8_t byte : views[i].first(std::min(views[i].size(), max_bytes - taken))) {
          ASSERT_EQ(byte, ByteAt(id, Opposite(perspective), record.read_bytes + taken));
          ++taken;
        }
      }
      ASSERT_TRUE(peer.map().Consume(id, taken, peer.context()).ok());
      record.read_bytes += taken;
      max_bytes -= taken;
    }
  }

  void PollEvents() {
    while (const std::optional<StreamEvent> event = peer.map().PollEvent()) {
      if (event->kind == Kind::kStreamsAvailable) continue;
      if (event->kind == Kind::kOpened) Record(event->id);
      StreamRecord& record = streams.at(event->id);
      switch (event->kind) {
        case Kind::kOpened:
        case Kind::kStreamsAvailable:
          break;
        case Kind::kReadable:
          record.is_readable = true;
          break;
        case Kind::kWritable:
          record.is_write_refused = false;
          break;
        case Kind::kFinished:
          ASSERT_FALSE(record.is_read_over);
          record.is_read_over = true;
          record.was_told_finished = true;
          break;
        case Kind::kReset:
          ASSERT_FALSE(record.is_read_over);
          ASSERT_EQ(event->error_code, 7u);
          record.is_read_over = true;
          break;
        case Kind::kStopped:
          ASSERT_EQ(event->error_code, 8u);
          record.is_write_over = true;
          record.is_finished_by_us = false;
          break;
        case Kind::kSendComplete:
          ASSERT_TRUE(record.is_finished_by_us);
          record.is_send_complete = true;
          break;
      }
    }
  }

  std::optional<StreamId> AnyStream() {
    if (streams.empty()) return std::nullopt;
    auto place = streams.begin();
    std::advance(place, random_.UniformBelow(streams.size()));
    return place->first;
  }

  const Perspective perspective;
  StreamPeer peer;
  LimitLedger ledger;
  std::map<StreamId, StreamRecord> streams;
  std::vector<Sent> sent;

 private:
  // The only reason why a stream refuses what we think that it permits.
  void ExpectStopped(const StreamRecord& record) {
    PollEvents();
    EXPECT_TRUE(record.is_write_over);
  }

  void Record(StreamId id) {
    const bool is_local = id.initiator() == perspective;
    const auto [place, is_new] = streams.try_emplace(id);
    ASSERT_TRUE(is_new);
    place->second.can_write = is_local || id.is_bidirectional();
    place->second.can_read = !is_local || id.is_bidirectional();
  }

  SeededRandom& random_;
};

class PipeRun {
 public:
  explicit PipeRun(uint64_t seed) : random_(seed) {}

  void RandomSteps(int count) {
    for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i) {
      const bool is_client = random_.UniformBelow(2) == 0;
      Side& side = is_client ? client_ : server_;
      Step(side, is_client ? server_ : client_);
      side.peer.map().CheckInvariants();
    }
  }

  // The pipe becomes perfect, and both applications end all that they have begun, led by events.
  void Drain() {
    for (Side* side : {&client_, &server_}) {
      for (const Side::Sent& sent : side->sent) side->peer.OnLost(sent.packet);
      side->sent.clear();
    }
    for (int quiet_rounds = 0; quiet_rounds < 3;) {
      bool is_quiet = true;
      for (const auto& [side, other] :
           {std::pair(&client_, &server_), std::pair(&server_, &client_)}) {
        side->PollEvents();
        for (auto& [id, record] : side->streams) {
          side->Read(id, 1'000'000);
          side->Finish(id);
        }
        side->peer.Advance(Duration::Milliseconds(1));
        if (Build(*side, StreamPeer::kPacketRoom)) {
          is_quiet = false;
          Deliver(*other, side->sent.back());
          side->peer.OnAcked(side->sent.back().packet);
          side->sent.pop_back();
        }
        side->peer.map().CheckInvariants();
        if (testing::Test::HasFatalFailure()) return;
      }
      quiet_rounds = is_quiet ? quiet_rounds + 1 : 0;
    }
  }

  void ExpectNothingIsLeft() {
    for (const auto& [side, other] :
         {std::pair(&client_, &server_), std::pair(&server_, &client_)}) {
      EXPECT_EQ(side->peer.map().open_stream_count(), 0u);
      EXPECT_FALSE(side->peer.map().HasPendingControl());
      EXPECT_FALSE(side->peer.map().HasPendingData());
      EXPECT_FALSE(side->peer.map().is_blocked_by_flow_control());
      EXPECT_EQ(side->peer.map().held_bytes() + kConfig.initial_max_data,
                side->peer.map().recv_window_bytes());
      for (const auto& [id, record] : side->streams) {
        SCOPED_TRACE(id.value());
        EXPECT_EQ(record.is_read_over, record.can_read);
        if (!record.can_write) continue;
        EXPECT_TRUE(record.is_write_over);
        EXPECT_EQ(record.is_send_complete, record.is_finished_by_us);
        if (!record.is_finished_by_us) continue;
        ++whole_stream_count_;
        const Side::StreamRecord& reader = other->streams.at(id);
        if (reader.was_stopped_by_us) continue;
        EXPECT_TRUE(reader.was_told_finished);
        EXPECT_EQ(reader.read_bytes, record.written_bytes);
        whole_bytes_ += reader.read_bytes;
      }
    }
  }

  uint64_t whole_stream_count() const { return whole_stream_count_; }
  uint64_t whole_bytes() const { return whole_bytes_; }

 private:
  void Step(Side& side, Side& other) {
    side.peer.Advance(Duration::Microseconds(static_cast<int64_t>(random_.UniformBelow(20'000))));
    switch (random_.UniformBelow(12)) {
      case 0:
      case 1:
      case 2:
        Build(side, 20 + random_.UniformBelow(1400));
        return;
      case 3:
      case 4:
      case 5: {  // Repeated and late ones too.
        if (other.sent.empty()) return;
        Deliver(side, other.sent[random_.UniformBelow(other.sent.size())]);
        return;
      }
      case 6:
      case 7:
        return AckOne(side);
      case 8:
        if (side.sent.empty()) return;
        side.peer.OnLost(side.sent[random_.UniformBelow(side.sent.size())].packet);
        return;
      default:
        return ActOf(side);
    }
  }

  void AckOne(Side& side) {
    if (side.sent.empty()) return;
    const size_t index = random_.UniformBelow(side.sent.size());
    if (!side.sent[index].is_delivered) return;
    side.peer.OnAcked(side.sent[index].packet);
    side.sent.erase(side.sent.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void ActOf(Side& side) {
    side.peer.SetMayGrowWindows(random_.UniformBelow(3) == 0);
    const uint64_t action = random_.UniformBelow(40);
    if (action < 3) {
      return side.Open(action == 0 ? StreamDirection::kUnidirectional
                                   : StreamDirection::kBidirectional);
    }
    if (action < 12) return side.PollEvents();
    const std::optional<StreamId> id = side.AnyStream();
    if (!id.has_value()) return;
    if (action < 24) return side.Write(*id, random_.UniformBelow(action < 22 ? 500 : 8000));
    if (action < 36) return side.Read(*id, random_.UniformBelow(4000));
    if (action == 36) return side.Finish(*id);
    if (action == 37 && random_.UniformBelow(3) == 0) return side.Reset(*id);
    if (action == 38 && random_.UniformBelow(3) == 0) return side.StopSending(*id);
    if (action == 39) {
      static_cast<void>(side.peer.map().SetPriority(
          *id, {.urgency = static_cast<uint8_t>(random_.UniformBelow(8)),
                .is_incremental = random_.UniformBelow(2) == 0}));
    }
  }

  bool Build(Side& side, size_t room) {
    const auto fill =
        random_.UniformBelow(2) == 0 ? StreamMap::Fill::kMayScatter : StreamMap::Fill::kCopyOnly;
    const bool was_pending =
        side.peer.map().HasPendingControl() || side.peer.map().HasPendingData();
    StreamPacket packet = side.peer.BuildPacket(room, fill);
    EXPECT_EQ(!packet.frames.empty(), was_pending);
    if (packet.frames.empty()) return false;
    ForEachFrame(packet.payload, side.perspective,
                 [&](const Frame& frame) { side.ledger.OnFrameSent(frame); });
    side.sent.push_back({std::move(packet)});
    // Of the oldest nobody will ever hear again.
    if (side.sent.size() > 200) {
      side.peer.OnLost(side.sent.front().packet);
      side.sent.erase(side.sent.begin());
    }
    return true;
  }

  void Deliver(Side& to, Side::Sent& sent) {
    sent.is_delivered = true;
    ForEachFrame(sent.packet.payload, Opposite(to.perspective),
                 [&](const Frame& frame) { to.ledger.OnFrameDelivered(frame); });
    std::vector<uint8_t> datagram = sent.packet.payload;
    const Result result = to.peer.Receive(datagram);
    ASSERT_TRUE(result.ok()) << result.error().reason;
    if (random_.UniformBelow(2) == 0) {
      to.PollEvents();
      const std::optional<StreamId> id = to.AnyStream();
      if (id.has_value()) to.Read(*id, random_.UniformBelow(2000));
    }
    to.peer.EndBatch();
    std::fill(datagram.begin(), datagram.end(), 0xee);
  }

  template <typename Visitor>
  static void ForEachFrame(std::span<const uint8_t> payload, Perspective sender, Visitor visitor) {
    FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, sender);
    Frame frame;
    while (!decoder.is_done()) {
      ASSERT_TRUE(decoder.Next(&frame).ok());
      visitor(frame);
    }
  }

  SeededRandom random_;
  Side client_{Perspective::kClient, random_};
  Side server_{Perspective::kServer, random_};
  uint64_t whole_stream_count_ = 0;
  uint64_t whole_bytes_ = 0;
};

TEST(StreamMapModelTest, EveryByteArrivesOnceAndNothingIsLeft) {
  uint64_t whole_stream_count = 0;
  uint64_t whole_bytes = 0;

  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    PipeRun run(seed);
    run.RandomSteps(5000);
    run.Drain();
    run.ExpectNothingIsLeft();
    whole_stream_count += run.whole_stream_count();
    whole_bytes += run.whole_bytes();
    if (testing::Test::HasFailure()) break;
  }

  // Runs in which little happens show little.
  EXPECT_GT(whole_stream_count, 500u);
  EXPECT_GT(whole_bytes, 500'000u);
}

}  // namespace
}  // namespace godwit
