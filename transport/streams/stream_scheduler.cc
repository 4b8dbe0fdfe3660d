// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_scheduler.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

namespace {

bool IsInLane(SendNeed need) { return need == SendNeed::kRoom || need == SendNeed::kCredit; }

uint32_t AddBytes(uint32_t bytes, uint64_t more) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes + more, kStreamTurnBytes));
}

}  // namespace

void StreamScheduler::SetNeed(ScheduledStream& stream, SendNeed need) {
  if (need == stream.need) return;
  if (IsInLane(stream.need)) Leave(stream);
  stream.need = need;
  if (IsInLane(need)) Join(stream);
}

void StreamScheduler::SetPriority(ScheduledStream& stream, StreamPriority priority) {
  GODWIT_CHECK_LT(priority.urgency, kUrgencyCount);
  if (IsInLane(stream.need)) Leave(stream);
  stream.priority = priority;
  if (IsInLane(stream.need)) Join(stream);
}

void StreamScheduler::Join(ScheduledStream& stream) {
  const uint8_t urgency = stream.priority.urgency;
  const auto bit = static_cast<uint8_t>(1U << urgency);
  stream.turn_bytes = 0;
  if (stream.need == SendNeed::kRoom) {
    room_lanes_[urgency].PushBack(stream);
    room_mask_ |= bit;
  } else if (stream.priority.is_incremental) {
    credit_lanes_[urgency].PushBack(stream);
    credit_mask_ |= bit;
  } else {
    in_order_.Insert(InOrderIndex(stream), {urgency, stream.id, &stream});
  }
}

void StreamScheduler::Leave(ScheduledStream& stream) {
  const uint8_t urgency = stream.priority.urgency;
  const auto others = static_cast<uint8_t>(~(1U << urgency));
  if (stream.need == SendNeed::kRoom) {
    room_lanes_[urgency].Remove(stream);
    if (room_lanes_[urgency].empty()) room_mask_ &= others;
  } else if (stream.priority.is_incremental) {
    credit_lanes_[urgency].Remove(stream);
    if (credit_lanes_[urgency].empty()) credit_mask_ &= others;
  } else {
    const size_t index = InOrderIndex(stream);
    GODWIT_CHECK(in_order_[index].stream == &stream);
    in_order_.Erase(index, 1);
  }
}

size_t StreamScheduler::InOrderIndex(const ScheduledStream& stream) const {
  size_t low = 0;
  size_t high = in_order_.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const InOrder& entry = in_order_[middle];
    if (std::tie(entry.urgency, entry.id) < std::tie(stream.priority.urgency, stream.id)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

ScheduledStream* StreamScheduler::Next(Credit credit) const {
  const unsigned ready = ReadyMask(credit);
  if (ready == 0) return nullptr;
  const auto urgency = static_cast<unsigned>(std::countr_zero(ready));
  if (!room_lanes_[urgency].empty()) return room_lanes_[urgency].front();
  ScheduledStream* const incremental = credit_lanes_[urgency].front();
  const bool has_in_order = !in_order_.empty() && in_order_.front().urgency == urgency;
  if (has_in_order && (incremental == nullptr || is_in_order_turn_)) {
    return in_order_.front().stream;
  }
  return incremental;
}

void StreamScheduler::OnServed(ScheduledStream& stream, const Served& served) {
  GODWIT_DCHECK(IsInLane(stream.need));
  if (stream.need == SendNeed::kCredit) {
    side_bytes_ = AddBytes(side_bytes_, served.byte_count);
    if (side_bytes_ == kStreamTurnBytes) {
      side_bytes_ = 0;
      is_in_order_turn_ = stream.priority.is_incremental;
    }
  }
  stream.turn_bytes = AddBytes(stream.turn_bytes, served.byte_count);
  if (stream.turn_bytes < kStreamTurnBytes || served.is_end_near) return;
  stream.turn_bytes = 0;
  if (!stream.priority.is_incremental) return;
  // RFC 9218 §10: incremental streams share.
  Lane& lane = stream.need == SendNeed::kRoom ? room_lanes_[stream.priority.urgency]
                                              : credit_lanes_[stream.priority.urgency];
  GODWIT_DCHECK(lane.front() == &stream);
  lane.Rotate();
}

size_t StreamScheduler::CountReady() const {
  size_t count = in_order_.size();
  for (const auto* lanes : {&room_lanes_, &credit_lanes_}) {
    for (const Lane& lane : *lanes) {
      const ScheduledStream* stream = lane.front();
      if (stream == nullptr) continue;
      do {
        ++count;
        stream = Lane::Next(*stream);
      } while (stream != lane.front());
    }
  }
  return count;
}

void StreamScheduler::CheckInvariants() const {
  for (size_t urgency = 0; urgency < kUrgencyCount; ++urgency) {
    GODWIT_CHECK_EQ(room_lanes_[urgency].empty(), (room_mask_ >> urgency & 1) == 0);
    GODWIT_CHECK_EQ(credit_lanes_[urgency].empty(), (credit_mask_ >> urgency & 1) == 0);
    for (const SendNeed need : {SendNeed::kRoom, SendNeed::kCredit}) {
      const Lane& lane = need == SendNeed::kRoom ? room_lanes_[urgency] : credit_lanes_[urgency];
      const ScheduledStream* stream = lane.front();
      if (stream == nullptr) continue;
      do {
        GODWIT_CHECK_EQ(stream->need, need);
        GODWIT_CHECK_EQ(stream->priority.urgency, urgency);
        if (need == SendNeed::kCredit) GODWIT_CHECK(stream->priority.is_incremental);
        GODWIT_CHECK_LE(stream->turn_bytes, kStreamTurnBytes);
        const ScheduledStream* const next = Lane::Next(*stream);
        GODWIT_CHECK(next->lane_hook.previous == stream);
        stream = next;
      } while (stream != lane.front());
    }
  }
  for (size_t i = 0; i < in_order_.size(); ++i) {
    const InOrder& entry = in_order_[i];
    GODWIT_CHECK_EQ(entry.stream->need, SendNeed::kCredit);
    GODWIT_CHECK(!entry.stream->priority.is_incremental);
    GODWIT_CHECK_EQ(entry.stream->priority.urgency, entry.urgency);
    GODWIT_CHECK(entry.stream->id == entry.id);
    if (i == 0) continue;
    const InOrder& before = in_order_[i - 1];
    GODWIT_CHECK(std::tie(before.urgency, before.id) < std::tie(entry.urgency, entry.id));
  }
}

}  // namespace godwit
