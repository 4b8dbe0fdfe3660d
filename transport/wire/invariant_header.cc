// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/invariant_header.h"

#include "transport/wire/byte_reader.h"

namespace godwit {

bool ParseLongInvariantHeader(std::span<const uint8_t> datagram, InvariantHeader* header) {
  ByteReader reader(datagram);
  uint32_t version = 0;
  InvariantHeader parsed;
  // RFC 8999 §5.1: seven bits of the first byte belong to the version.
  if (!reader.Skip(1) || !reader.ReadUint32(&version) ||
      !reader.ReadUint8PrefixedBytes(&parsed.dcid) ||
      !reader.ReadUint8PrefixedBytes(&parsed.scid)) {
    return false;
  }
  parsed.version = version;
  parsed.rest = reader.rest();
  *header = parsed;
  return true;
}

}  // namespace godwit
