// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/datagram_splitter.h"

#include <algorithm>

#include "base/encryption_level.h"
#include "base/limits.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

static_assert(static_cast<int>(EncryptionLevel::kInitial) ==
              static_cast<int>(LongPacketType::kInitial));
static_assert(static_cast<int>(EncryptionLevel::kZeroRtt) ==
              static_cast<int>(LongPacketType::kZeroRtt));
static_assert(static_cast<int>(EncryptionLevel::kHandshake) ==
              static_cast<int>(LongPacketType::kHandshake));

}  // namespace

DatagramPart DatagramSplitter::ReadLongHeader(uint8_t first) {
  const size_t size = rest_.size();
  InvariantHeader header;
  if (!ParseLongInvariantHeader(rest_, &header)) return Drop(DropReason::kTooShort, size);

  // RFC 9000 §17.2.1: nothing comes before or after Version Negotiation. Its connection ids may be
  // longer than ours, and its fixed bit may be anything.
  if (header.version == kVersionNegotiation) {
    if (first_dcid_.has_value()) return Drop(DropReason::kInvalidHeader, size);
    return Take(DatagramPart::Kind::kVersionNegotiation, size);
  }
  if (header.version != kVersion1) return Drop(DropReason::kUnknownVersion, size);

  return ReadVersion1LongHeader(first, header);
}

DatagramPart DatagramSplitter::ReadVersion1LongHeader(uint8_t first,
                                                      const InvariantHeader& header) {
  const size_t size = rest_.size();
  // RFC 9000 §17.2: such packets MUST be dropped. What follows has no credible beginning then.
  if (FixedBitIsWrong(first, rules_) || header.dcid.size() > kMaxConnectionIdBytes ||
      header.scid.size() > kMaxConnectionIdBytes) {
    return Drop(DropReason::kInvalidHeader, size);
  }

  const auto type =
      static_cast<LongPacketType>((first & kLongPacketTypeMask) >> kLongPacketTypeShift);
  // RFC 9000 §12.2: Retry has no length either, and is never coalesced.
  if (type == LongPacketType::kRetry) {
    if (first_dcid_.has_value()) return Drop(DropReason::kInvalidHeader, size);
    return Take(DatagramPart::Kind::kRetry, size);
  }

  ByteReader reader(header.rest);
  std::span<const uint8_t> token;
  if (type == LongPacketType::kInitial && !reader.ReadVarintPrefixedBytes(&token)) {
    return Drop(DropReason::kTooShort, size);
  }
  const size_t token_end = size - reader.remaining();
  uint64_t length = 0;
  if (!reader.ReadVarint(&length) || length > reader.remaining()) {
    return Drop(DropReason::kTooShort, size);
  }
  const size_t packet_number_offset = size - reader.remaining();
  return TakeLongPacket(packet_number_offset + static_cast<size_t>(length),
                        {.token_offset = static_cast<uint16_t>(token_end - token.size()),
                         .token_size = static_cast<uint16_t>(token.size()),
                         .packet_number_offset = static_cast<uint16_t>(packet_number_offset),
                         .dcid_offset = kLongDcidOffset,
                         .dcid_size = static_cast<uint8_t>(header.dcid.size()),
                         .scid_size = static_cast<uint8_t>(header.scid.size()),
                         .level = static_cast<EncryptionLevel>(type)});
}

DatagramPart DatagramSplitter::TakeLongPacket(size_t size, const PacketLayout& layout) {
  if (!first_dcid_.has_value()) {
    first_dcid_ = rest_.subspan(layout.dcid_offset, layout.dcid_size);
  } else if (!IsFirstDcid(layout.dcid_offset, layout.dcid_size)) {
    return Drop(DropReason::kCoalescedMismatch, size);
  }
  // RFC 9001 §5.4.2: without a whole sample the packet cannot be read.
  if (size < layout.packet_number_offset + kMinProtectedBytes) {
    return Drop(DropReason::kTooShort, size);
  }
  return TakePacket(size, layout);
}

bool DatagramSplitter::IsFirstDcid(size_t offset, size_t size) const {
  return std::ranges::equal(*first_dcid_, rest_.subspan(offset, size));
}

}  // namespace godwit
