// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/frame_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/check.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/frame_type.h"
#include "transport/wire/varint.h"

namespace godwit {

namespace {

// Of a STREAM frame, without the length. RFC 9000 §19.8: an offset of 0 is left out.
size_t StreamHeaderBytes(StreamId id, uint64_t offset_bytes) {
  return 1 + VarintSize(id.value()) + (offset_bytes == 0 ? 0 : VarintSize(offset_bytes));
}

}  // namespace

void FrameWriter::NoteFrame(size_t begin) {
  const std::span<const uint8_t> frame = writer_.written().subspan(begin);
  // All types fit into a byte; those above 63 take a varint of two.
  const bool is_wide = (frame[0] & kVarintPrefix2) != 0;
  const auto type = static_cast<FrameType>(is_wide ? frame[1] : frame[0]);
  const FrameRules rules = RulesOf(type);
  // RFC 9000 §12.4.
  GODWIT_DCHECK(rules.IsPermittedIn(packet_.level));
  // RFC 9000 §9.1.
  GODWIT_DCHECK(packet_.mode != PacketMode::kPathOnly || rules.is_probing());
  is_ack_eliciting_ = is_ack_eliciting_ || rules.is_ack_eliciting();
  is_in_flight_ = is_in_flight_ || rules.is_in_flight();
  has_non_probing_ = has_non_probing_ || !rules.is_probing();
}

bool FrameWriter::WriteDatagram(const DatagramFrame& frame, LengthField length,
                                uint64_t sequence_number) {
  if (!HasRecordRoom() || !Fits(EncodedSize(frame, length))) return false;
  const size_t begin = writer_.position();
  WriteFrame(frame, length, writer_);
  NoteFrame(begin);
  sent_frames_.push_back(SentFrame::Datagram(sequence_number));
  is_complete_ = length == LengthField::kAbsent;
  return true;
}

size_t FrameWriter::StreamDataRoom(StreamId id, uint64_t offset_bytes, LengthField length) const {
  const size_t header = StreamHeaderBytes(id, offset_bytes);
  if (!HasRecordRoom() || space_left() <= header) return 0;
  const size_t room = space_left() - header;
  if (length == LengthField::kAbsent) return room;
  // A length field of one byte, two or four: of each the greatest length that it can say, unless
  // the next wider one leaves room for more.
  constexpr size_t kMax1 = MaxVarintOf(VarintWidth::k1);
  constexpr size_t kMax2 = MaxVarintOf(VarintWidth::k2);
  if (room <= kMax1 + 1) return room - 1;
  if (room <= kMax2 + 2) return std::max(kMax1, room - 2);
  return std::max(kMax2, std::min<size_t>(room - 4, MaxVarintOf(VarintWidth::k4)));
}

bool FrameWriter::WriteStreamHeader(StreamId id, const StreamRange& range, LengthField length) {
  const StreamFrameHeader header{id, range.offset_bytes, range.length_bytes, range.is_fin};
  const size_t length_field_bytes =
      length == LengthField::kPresent ? VarintSize(range.length_bytes) : 0;
  const size_t header_bytes = StreamHeaderBytes(id, range.offset_bytes) + length_field_bytes;
  if (!HasRecordRoom() || !Fits(header_bytes + range.length_bytes)) return false;
  const size_t begin = writer_.position();
  WriteStreamFrameHeader(header, length, writer_);
  NoteFrame(begin);
  sent_frames_.push_back(SentFrame::Stream(id, range));
  is_complete_ = length == LengthField::kAbsent;
  return true;
}

std::optional<std::span<uint8_t>> FrameWriter::ReserveStream(StreamId id, const StreamRange& range,
                                                             LengthField length) {
  if (!WriteStreamHeader(id, range, length)) return std::nullopt;
  return writer_.Reserve(range.length_bytes);
}

bool FrameWriter::WriteScatteredStream(StreamId id, const StreamRange& range,
                                       std::span<const uint8_t> data) {
  GODWIT_CHECK_EQ(data.size(), range.length_bytes);
  if (!WriteStreamHeader(id, range, LengthField::kAbsent)) return false;
  scattered_data_ = data;
  return true;
}

}  // namespace godwit
