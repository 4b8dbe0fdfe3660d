// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_sender.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/strings/cord.h"

#include "base/check.h"
#include "base/limits.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {

namespace {

// With so little left of a stream that is finished, it keeps its turn and is done. Others wait that
// much longer, once for each stream: of a few packets it is worth it.
constexpr uint64_t kMaxShortEndBytes = 4096;

}  // namespace

StreamSender::Admission StreamSender::Admit(const Stream& stream, uint64_t wanted_bytes) const {
  const SendStream& send = stream.send;
  const uint64_t unsendable = send.unsendable_bytes();
  const uint64_t room = quota_.RoomFor({.held_bytes = send.buffer().unacked_bytes(),
                                        .unsent_bytes = send.buffer().unsent_bytes(),
                                        .sendable_bytes = send.sendable_bytes(),
                                        .unsendable_bytes = unsendable});
  // RFC 9000 §19.8: no offset above 2^62-1.
  const uint64_t offsets_left = kMaxStreamOffset - send.buffer().written_end();
  return {.wanted_bytes = wanted_bytes,
          .taken_bytes = std::min({wanted_bytes, room, offsets_left}),
          .unsendable_before = unsendable};
}

void StreamSender::OnAppended(Stream& stream, const Admission& admission) {
  quota_.OnWritten(admission.taken_bytes);
  quota_.OnUnsendableChanged({admission.unsendable_before, stream.send.unsendable_bytes()});
  if (admission.taken_bytes < admission.wanted_bytes) {
    quota_.NoteRefused();
    if (!stream.is_waiting_to_write) waiting_writers_.push_back(stream.id);
    stream.is_waiting_to_write = true;
  }
  Refresh(stream);
}

uint64_t StreamSender::Write(Stream& stream, std::span<const uint8_t> data, SendBlockPool& pool) {
  const Admission admission = Admit(stream, data.size());
  stream.send.Append(data.first(admission.taken_bytes), pool);
  OnAppended(stream, admission);
  return admission.taken_bytes;
}

uint64_t StreamSender::Write(Stream& stream, const absl::Cord& data, SendBlockPool& pool) {
  const Admission admission = Admit(stream, data.size());
  if (admission.taken_bytes == data.size()) {
    stream.send.Append(data, pool);
  } else {
    stream.send.Append(data.Subcord(0, admission.taken_bytes), pool);
  }
  OnAppended(stream, admission);
  return admission.taken_bytes;
}

void StreamSender::Finish(Stream& stream) {
  stream.send.Finish();
  Refresh(stream);
}

void StreamSender::Reset(Stream& stream, uint64_t error_code, SendBlockPool& pool) {
  const uint64_t unsendable_before = stream.send.unsendable_bytes();
  quota_.OnSent(stream.send.buffer().unsent_bytes());
  quota_.OnReleased(stream.send.Reset(error_code, pool));
  quota_.OnUnsendableChanged({unsendable_before, 0});
  Refresh(stream);
  control_.Refresh(stream);
}

void StreamSender::RaiseMaxStreamData(Stream& stream, uint64_t max_data_bytes,
                                      StreamEventQueue& events) {
  const uint64_t unsendable_before = stream.send.unsendable_bytes();
  if (!stream.send.RaiseMaxData(max_data_bytes)) return;
  quota_.OnUnsendableChanged({unsendable_before, stream.send.unsendable_bytes()});
  Refresh(stream);
  control_.Refresh(stream);
  // What kept it from writing may have been this limit. It stays in the list: if there is still no
  // room, it is called again.
  if (stream.is_waiting_to_write && stream.send.is_writable()) {
    events.Push(stream, StreamEvent::Kind::kWritable);
  }
}

bool StreamSender::Refresh(Stream& stream) {
  const SendNeed before = stream.need;
  const SendNeed need = stream.send.need();
  if (need == before) [[likely]] {
    return false;
  }
  scheduler_.SetNeed(stream, need);
  if (before == SendNeed::kLimit) --limited_count_;
  if (need == SendNeed::kLimit) {
    ++limited_count_;
    // RFC 9000 §4.1: a sender that is blocked says so.
    stream.send.NoteBlocked();
    control_.Refresh(stream);
  }
  if (need == SendNeed::kCredit && flow_.credit_bytes() == 0) flow_.NoteBlocked();
  return true;
}

// It stays in the list: if there is still no room, it is called again.
void StreamSender::TellIfDry(Stream& stream, StreamEventQueue& events) {
  const bool is_dry = stream.need == SendNeed::kNothing && stream.is_waiting_to_write;
  if (is_dry && stream.send.is_writable()) events.Push(stream, StreamEvent::Kind::kWritable);
}

void StreamSender::RepeatBlocked(const StreamTable& table) {
  GODWIT_CHECK(is_blocked_by_flow_control());
  if (scheduler_.needs_credit()) return flow_.RepeatBlocked();
  // The oldest, whatever the order in the table.
  Stream* limited = nullptr;
  table.ForEach([&limited](Stream& stream) {
    if (stream.need != SendNeed::kLimit) return;
    if (limited == nullptr || stream.id < limited->id) limited = &stream;
  });
  GODWIT_CHECK(limited != nullptr);
  limited->send.RepeatBlocked();
  control_.Refresh(*limited);
}

void StreamSender::WriteStreamData(FrameWriter& writer, Fill fill, StreamEventQueue& events) {
  const uint64_t used_before = flow_.used_bytes();
  while (writer.space_left() != 0) {
    ScheduledStream* const next = scheduler_.Next(credit());
    if (next == nullptr) break;
    auto& stream = static_cast<Stream&>(*next);
    if (!WriteFrame(stream, writer, fill)) break;
    if (Refresh(stream)) [[unlikely]] {
      TellIfDry(stream, events);
    }
  }
  quota_.OnSent(flow_.used_bytes() - used_before);
  if (flow_.credit_bytes() == 0 && scheduler_.needs_credit()) flow_.NoteBlocked();
}

bool StreamSender::WriteFrame(Stream& stream, FrameWriter& writer, Fill fill) {
  std::optional<StreamRange> range = stream.send.Next(
      {.max_bytes = writer.space_left(), .connection_credit = flow_.credit_bytes()});
  GODWIT_CHECK(range.has_value());
  const size_t room = writer.StreamDataRoom(stream.id, range->offset_bytes, LengthField::kAbsent);
  if (range->length_bytes > room) {
    // A packet that is nearly full is better left than filled with a crumb.
    if (room == 0 || (writer.has_frames() && room < kMinStreamFragmentBytes)) return false;
    range->length_bytes = room;
    range->is_fin = false;
  }
  // RFC 9000 §19.8: data up to the end of the packet needs no length. If a length would push it
  // over that end, it goes without, and a byte or two stay empty; but in a packet that may be
  // padded the padding would become data, and so the last bytes have to wait.
  bool is_last = range->length_bytes != 0 && range->length_bytes == room;
  if (!is_last) {
    const size_t room_with_length =
        writer.StreamDataRoom(stream.id, range->offset_bytes, LengthField::kPresent);
    is_last = fill == Fill::kMayScatter && range->length_bytes > room_with_length;
    if (!is_last && range->length_bytes > room_with_length) {
      if (room_with_length == 0) return false;
      range->length_bytes = room_with_length;
      range->is_fin = false;
    }
  }
  const SendBuffer& buffer = stream.send.buffer();
  std::span<const uint8_t> view;
  if (is_last && fill == Fill::kMayScatter) view = buffer.View(*range);
  if (!view.empty() && view.size() == range->length_bytes) {
    if (!writer.WriteScatteredStream(stream.id, *range, view)) return false;
  } else {
    const std::optional<std::span<uint8_t>> place = writer.ReserveStream(
        stream.id, *range, is_last ? LengthField::kAbsent : LengthField::kPresent);
    if (!place.has_value()) return false;
    buffer.CopyTo(range->offset_bytes, *place);
  }
  flow_.OnSent(stream.send.OnSent(*range));
  const bool is_end_near =
      buffer.is_finished() && buffer.unsent_bytes() + buffer.lost_bytes() <= kMaxShortEndBytes;
  scheduler_.OnServed(stream, {.byte_count = range->length_bytes, .is_end_near = is_end_near});
  return true;
}

bool StreamSender::OnDataAcked(Stream& stream, const StreamRange& range, SendBlockPool& pool) {
  const bool was_over = stream.send.is_over();
  quota_.OnReleased(stream.send.OnDataAcked(range, pool));
  // What was thought lost may be what was acknowledged.
  if (stream.need == SendNeed::kRoom) Refresh(stream);
  return stream.send.is_over() && !was_over;
}

void StreamSender::OnDataLost(Stream& stream, const StreamRange& range) {
  stream.send.OnDataLost(range);
  Refresh(stream);
}

void StreamSender::WakeAllWriters(const StreamTable& table, StreamEventQueue& events) {
  for (const StreamId id : waiting_writers_) {
    Stream* const stream = table.Find(id);
    GODWIT_CHECK(stream != nullptr);
    stream->is_waiting_to_write = false;
    if (stream->send.is_writable()) events.Push(*stream, StreamEvent::Kind::kWritable);
  }
  waiting_writers_.clear();
}

void StreamSender::Forget(Stream& stream, SendBlockPool* pool) {
  if (stream.send.is_resettable() && stream.has_send) {
    // Only a connection that is over leaves streams in such a state.
    GODWIT_CHECK(pool != nullptr);
    Reset(stream, 0, *pool);
  }
  if (stream.is_waiting_to_write) std::erase(waiting_writers_, stream.id);
  forgotten_bytes_ += stream.send.buffer().sent_end();
  control_.Forget(stream);
}

void StreamSender::CheckInvariants(const StreamTable& table) const {
  flow_.CheckInvariants();
  scheduler_.CheckInvariants();
  uint64_t sent_bytes = forgotten_bytes_;
  uint64_t held_bytes = 0;
  uint64_t unsent_bytes = 0;
  uint64_t unsendable_bytes = 0;
  uint64_t limited_count = 0;
  size_t ready_count = 0;
  size_t waiting_count = 0;
  table.ForEach([&](const Stream& stream) {
    stream.send.CheckInvariants();
    GODWIT_CHECK_EQ(stream.need, stream.send.need());
    GODWIT_CHECK_EQ(stream.control_hook.is_linked(), stream.HasPendingControl());
    sent_bytes += stream.send.buffer().sent_end();
    held_bytes += stream.send.buffer().unacked_bytes();
    unsent_bytes += stream.send.buffer().unsent_bytes();
    unsendable_bytes += stream.send.unsendable_bytes();
    if (stream.need == SendNeed::kLimit) ++limited_count;
    if (stream.need == SendNeed::kRoom || stream.need == SendNeed::kCredit) ++ready_count;
    if (stream.is_waiting_to_write) ++waiting_count;
  });
  GODWIT_CHECK_EQ(sent_bytes, flow_.used_bytes());
  GODWIT_CHECK_EQ(held_bytes, quota_.held_bytes());
  GODWIT_CHECK_EQ(unsent_bytes, quota_.unsent_bytes());
  GODWIT_CHECK_EQ(unsendable_bytes, quota_.unsendable_bytes());
  GODWIT_CHECK_EQ(limited_count, limited_count_);
  GODWIT_CHECK_EQ(ready_count, scheduler_.CountReady());
  GODWIT_CHECK_EQ(waiting_count, waiting_writers_.size());
}

}  // namespace godwit
