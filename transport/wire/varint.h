// SPDX-License-Identifier: Apache-2.0
//
// Variable-length integers: RFC 9000 §16.
//
// Here are the sizes alone; ByteReader and ByteWriter decode and encode. Decoders accept every
// encoding of a value, as §16 asks: whether a frame type was encoded minimally is for the frame
// decoder to compare with VarintSize().
#ifndef GODWIT_TRANSPORT_WIRE_VARINT_H_
#define GODWIT_TRANSPORT_WIRE_VARINT_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

// The number of bytes that a varint is written with. Any value that fits may be given more room
// than it needs (a Length field that is patched later).
enum class VarintWidth : uint8_t { k1 = 1, k2 = 2, k4 = 4, k8 = 8 };

// The two bits in front of the value that announce the width, in the place that they have in the
// first byte. Width 1 has 0x00.
inline constexpr uint8_t kVarintPrefix2 = 0x40;
inline constexpr uint8_t kVarintPrefix4 = 0x80;
inline constexpr uint8_t kVarintPrefix8 = 0xc0;

constexpr size_t ByteCount(VarintWidth width) { return static_cast<size_t>(width); }

// The largest value that fits into `width`.
constexpr uint64_t MaxVarintOf(VarintWidth width) {
  return (uint64_t{1} << (8 * ByteCount(width) - 2)) - 1;
}

// The minimal width of `value`, which must not exceed kMaxVarint.
constexpr VarintWidth VarintWidthOf(uint64_t value) {
  if (value <= MaxVarintOf(VarintWidth::k1)) return VarintWidth::k1;
  if (value <= MaxVarintOf(VarintWidth::k2)) return VarintWidth::k2;
  if (value <= MaxVarintOf(VarintWidth::k4)) return VarintWidth::k4;
  GODWIT_DCHECK_LE(value, kMaxVarint);
  return VarintWidth::k8;
}

// The same in bytes: 1, 2, 4 or 8.
constexpr size_t VarintSize(uint64_t value) { return ByteCount(VarintWidthOf(value)); }

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_VARINT_H_
