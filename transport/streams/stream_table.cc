// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"

namespace godwit {

namespace {

// RFC 9000 §18.2: which initial limit holds for a stream, as seen by the side that grants it.
enum class Grant : size_t { kOwnBidirectional, kOtherBidirectional, kUnidirectional };

Grant GrantFor(StreamId id, bool is_own) {
  if (!id.is_bidirectional()) return Grant::kUnidirectional;
  return is_own ? Grant::kOwnBidirectional : Grant::kOtherBidirectional;
}

}  // namespace

StreamTable::StreamTable(Perspective perspective, const StreamConfig& config)
    : perspective_(perspective),
      recv_windows_{config.initial_max_stream_data_bidi_local,
                    config.initial_max_stream_data_bidi_remote, config.initial_max_stream_data_uni},
      limits_{StreamLimits(StreamDirection::kBidirectional, config.max_streams_bidi),
              StreamLimits(StreamDirection::kUnidirectional, config.max_streams_uni)} {
  for (const uint64_t window_bytes : recv_windows_) GODWIT_CHECK_LE(window_bytes, kMaxVarint);
}

void StreamTable::OnPeerParameters(const TransportParameters& peer) {
  send_limits_ = {peer.initial_max_stream_data_bidi_local, peer.initial_max_stream_data_bidi_remote,
                  peer.initial_max_stream_data_uni};
}

uint64_t StreamTable::InitialSendLimit(StreamId id) const {
  return send_limits_[static_cast<size_t>(GrantFor(id, !IsLocal(id)))];
}

uint64_t StreamTable::RecvWindow(StreamId id) const {
  return recv_windows_[static_cast<size_t>(GrantFor(id, IsLocal(id)))];
}

Stream* StreamTable::Open(StreamDirection direction) {
  const std::optional<uint64_t> index = limits(direction).TakeLocalIndex();
  if (!index.has_value()) return nullptr;
  return &Create(StreamId::FromParts(perspective_, direction, *index));
}

Stream& StreamTable::Create(StreamId id) {
  const bool is_local = IsLocal(id);
  const auto [place, is_new] = streams_.try_emplace(id, nullptr);
  GODWIT_CHECK(is_new);
  place->second = NewStream({
      .id = id,
      .has_send = is_local || id.is_bidirectional(),
      .has_recv = !is_local || id.is_bidirectional(),
      .send_limit_bytes = InitialSendLimit(id),
      .recv_window_bytes = RecvWindow(id),
  });
  last_ = place->second.get();
  return *last_;
}

std::unique_ptr<Stream> StreamTable::NewStream(const Stream::Params& params) {
  if (spares_ == nullptr) return std::make_unique<Stream>(params);
  Spare* const spare = spares_;
  spares_ = spare->next;
  --spare_count_;
  return std::unique_ptr<Stream>(new (spare) Stream(params));
}

void StreamTable::Recycle(std::unique_ptr<Stream> stream) {
  static_assert(kMaxSpareStreams <= UINT8_MAX);
  if (spare_count_ == kMaxSpareStreams) return;
  Stream* const memory = stream.release();
  std::destroy_at(memory);
  spares_ = new (memory) Spare{spares_};
  ++spare_count_;
}

void StreamTable::ReleaseSpareMemory() {
  while (spares_ != nullptr) {
    Spare* const spare = spares_;
    spares_ = spare->next;
    ::operator delete(spare);
  }
  spare_count_ = 0;
}

Stream* StreamTable::FindInMap(StreamId id) const {
  const auto place = streams_.find(id);
  if (place == streams_.end()) return nullptr;
  last_ = place->second.get();
  return last_;
}

bool StreamTable::WasOpened(StreamId id) const {
  const StreamLimits& limits = this->limits(id.direction());
  return id.index() < (IsLocal(id) ? limits.local_opened_count() : limits.peer_opened_count());
}

Result StreamTable::AdmitForFrame(StreamId id, const FrameRules& rules, StreamEventQueue& events,
                                  Stream*& stream) {
  // RFC 9000 §19.4 to §19.13, each for its frame.
  if (!id.is_bidirectional() && IsLocal(id) == (rules.part == Part::kRecv)) {
    return *rules.no_such_part;
  }
  if (WasOpened(id)) return Result::Ok();
  if (IsLocal(id)) return *rules.uncreated;
  StreamLimits& limits = this->limits(id.direction());
  // RFC 9000 §4.6.
  if (id.index() >= limits.granted_count()) return kStreamIdAboveLimit;
  // RFC 9000 §2.1, §3.2: streams with lower numbers are opened first.
  for (uint64_t index = limits.peer_opened_count(); index <= id.index(); ++index) {
    stream = &Create(StreamId::FromParts(id.initiator(), id.direction(), index));
    events.Push(*stream, StreamEvent::Kind::kOpened);
  }
  limits.OnPeerOpened(id.index() + 1);
  return Result::Ok();
}

void StreamTable::Remove(Stream& stream) {
  GODWIT_CHECK(!stream.control_hook.is_linked());
  GODWIT_CHECK(!stream.lane_hook.is_linked());
  const StreamId id = stream.id;
  if (last_ == &stream) last_ = nullptr;
  const auto place = streams_.find(id);
  Recycle(std::move(place->second));
  streams_.erase(place);
  if (!IsLocal(id)) limits(id.direction()).OnPeerStreamOver();
}

void StreamTable::Clear() {
  last_ = nullptr;
  for (const auto& [id, stream] : streams_) {
    if (!IsLocal(id)) limits(id.direction()).OnPeerStreamOver();
  }
  streams_.clear();
}

void StreamTable::CheckInvariants() const {
  std::array<uint64_t, 2> peer_counts{};
  for (const auto& [id, stream] : streams_) {
    GODWIT_CHECK(stream->id == id);
    GODWIT_CHECK(WasOpened(id));
    GODWIT_CHECK_EQ(stream->has_send, IsLocal(id) || id.is_bidirectional());
    GODWIT_CHECK_EQ(stream->has_recv, !IsLocal(id) || id.is_bidirectional());
    if (!IsLocal(id)) ++peer_counts[static_cast<size_t>(id.direction())];
  }
  size_t spare_count = 0;
  for (const Spare* spare = spares_; spare != nullptr; spare = spare->next) ++spare_count;
  GODWIT_CHECK_EQ(spare_count, spare_count_);
  for (size_t i = 0; i < limits_.size(); ++i) limits_[i].CheckInvariants(peer_counts[i]);
  if (last_ != nullptr) GODWIT_CHECK(streams_.find(last_->id)->second.get() == last_);
}

}  // namespace godwit
