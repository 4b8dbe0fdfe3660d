// SPDX-License-Identifier: Apache-2.0
//
// InvariantHeader: what RFC 8999 promises of the first packet of a datagram in every version of
// QUIC. Enough to route it, to answer it with Version Negotiation, and nothing more.
//
// It does not check what version 1 demands (fixed bit, connection ids of at most 20 bytes): that is
// the work of DatagramSplitter.
#ifndef GODWIT_TRANSPORT_WIRE_INVARIANT_HEADER_H_
#define GODWIT_TRANSPORT_WIRE_INVARIANT_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "transport/wire/byte_reader.h"
#include "transport/wire/packet_first_byte.h"

namespace godwit {

// Bytes of a long header up to the fields of its version: first byte, version, and connection ids
// with a size byte each. RFC 8999 §5.1.
constexpr size_t InvariantLongHeaderSize(size_t dcid_size, size_t scid_size) {
  return 1 + sizeof(uint32_t) + 1 + dcid_size + 1 + scid_size;
}

// Views into the datagram.
struct InvariantHeader {
  // Of a long header; short ones have none. kVersionNegotiation: not a version.
  std::optional<uint32_t> version = std::nullopt;

  // RFC 8999 §5.3: 0 to 255 bytes in a long header.
  std::span<const uint8_t> dcid = {};
  std::span<const uint8_t> scid = {};  // Empty in a short header, which has none.

  // Everything after these fields.
  std::span<const uint8_t> rest = {};

  bool is_long() const { return version.has_value(); }
};

// The part of ParseInvariantHeader for long headers.
[[nodiscard]] bool ParseLongInvariantHeader(std::span<const uint8_t> datagram,
                                            InvariantHeader* header);

// False: there are too few bytes (DropReason::kTooShort) and `header` is unchanged. A short header
// does not say how long its connection id is (RFC 8999 §5.2): `short_header_dcid_size` is the size
// of the ones that we issue.
[[nodiscard]] inline bool ParseInvariantHeader(std::span<const uint8_t> datagram,
                                               size_t short_header_dcid_size,
                                               InvariantHeader* header) {
  ByteReader reader(datagram);
  uint8_t first = 0;
  if (!reader.ReadUint8(&first)) return false;
  if ((first & kLongHeaderBit) != 0) return ParseLongInvariantHeader(datagram, header);
  std::span<const uint8_t> dcid;
  if (!reader.ReadBytes(short_header_dcid_size, &dcid)) return false;
  *header = {.version = std::nullopt, .dcid = dcid, .scid = {}, .rest = reader.rest()};
  return true;
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_INVARIANT_HEADER_H_
