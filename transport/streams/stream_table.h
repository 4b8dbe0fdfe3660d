// SPDX-License-Identifier: Apache-2.0
//
// StreamTable: which streams exist. It opens those of the application, and those of the peer as
// frames name them, finds them by id, and knows the ids that are over from those that never were.
// RFC 9000 §2.1, §3, §4.6, §19.4 to §19.13.
//
// A stream that a frame of the peer opens, opens all of its type with lower numbers: what that
// costs is bounded by how many streams the peer may have open at one time.
//
// It does not decide when a stream is over.
//
// Invariant: the streams in it are those that were opened and not removed.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_TABLE_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "base/result.h"
#include "godwit/connection_config.h"
#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "transport/streams/stream.h"
#include "transport/streams/stream_event_queue.h"
#include "transport/streams/stream_limits.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

class StreamTable {
 public:
  enum class Part : uint8_t { kSend, kRecv };

  // Streams that are over whose memory waits for the next ones: 38 KiB.
  static constexpr size_t kMaxSpareStreams = 64;

  StreamTable(Perspective perspective, const StreamConfig& config);
  ~StreamTable() { ReleaseSpareMemory(); }
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // For streams that will be opened; those that exist are the caller's to raise.
  void OnPeerParameters(const TransportParameters& peer);
  // What the peer granted the stream when it was opened.
  uint64_t InitialSendLimit(StreamId id) const;

  // Null if the peer's limit is reached.
  Stream* Open(StreamDirection direction);

  // Null if there is none of that id, or none any more.
  Stream* Find(StreamId id) const {
    if (last_ != nullptr && last_->id == id) [[likely]] {
      return last_;
    }
    return FindInMap(id);
  }
  // Null also if it lacks that part.
  Stream* FindPart(StreamId id, Part part) const {
    Stream* const stream = Find(id);
    if (stream == nullptr) return nullptr;
    return (part == Part::kSend ? stream->has_send : stream->has_recv) ? stream : nullptr;
  }
  // Of an id that Find() does not know: whether such a stream once existed.
  bool WasOpened(StreamId id) const;

  // The stream that a frame is for, by the part that it is about: opened if need be, with events
  // that say so; null if it is over.
  struct FrameRules {
    Part part;
    const ProtocolError* no_such_part;  // RFC 9000 §2.1: the data flows the other way.
    const ProtocolError* uncreated;     // It is for us to open the stream.
  };
  Result FindForFrame(StreamId id, const FrameRules& rules, StreamEventQueue& events,
                      Stream*& stream) {
    stream = Find(id);
    if (stream == nullptr) [[unlikely]] {
      return AdmitForFrame(id, rules, events, stream);
    }
    const bool has_part = rules.part == Part::kSend ? stream->has_send : stream->has_recv;
    if (!has_part) [[unlikely]] {
      return *rules.no_such_part;
    }
    return Result::Ok();
  }

  // The stream is over, and in no list any more.
  void Remove(Stream& stream);
  // All at once; their owner forgets its lists.
  void Clear();
  // Gives back what Remove() keeps for the next streams.
  void ReleaseSpareMemory();

  StreamLimits& limits(StreamDirection direction) {
    return limits_[static_cast<size_t>(direction)];
  }
  const StreamLimits& limits(StreamDirection direction) const {
    return limits_[static_cast<size_t>(direction)];
  }

  size_t size() const { return streams_.size(); }
  template <typename Visitor>
  void ForEach(Visitor visitor) const {
    for (const auto& entry : streams_) visitor(*entry.second);
  }

  void CheckInvariants() const;

 private:
  Stream* FindInMap(StreamId id) const;
  Result AdmitForFrame(StreamId id, const FrameRules& rules, StreamEventQueue& events,
                       Stream*& stream);
  Stream& Create(StreamId id);
  std::unique_ptr<Stream> NewStream(const Stream::Params& params);
  // Destroys it and keeps its memory, if there is not enough of that.
  void Recycle(std::unique_ptr<Stream> stream);
  bool IsLocal(StreamId id) const { return id.initiator() == perspective_; }
  uint64_t RecvWindow(StreamId id) const;

  // The memory of a stream that is gone. A connection that opens and ends many, and has many at a
  // time, would have malloc() join and split pieces of this size for each.
  struct Spare {
    Spare* next;
  };

  Perspective perspective_;
  uint8_t spare_count_ = 0;
  std::array<uint64_t, 3> recv_windows_;   // By Grant, ours to the peer.
  std::array<uint64_t, 3> send_limits_{};  // By Grant, the peer's to us.
  std::array<StreamLimits, 2> limits_;
  absl::flat_hash_map<StreamId, std::unique_ptr<Stream>> streams_;
  mutable Stream* last_ = nullptr;  // What Find() found last: mostly what it looks for next.
  Spare* spares_ = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_TABLE_H_
