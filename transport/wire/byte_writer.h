// SPDX-License-Identifier: Apache-2.0
//
// ByteWriter: appends wire encodings to a span that somebody else owns.
//
// Whoever encodes knows the exact size beforehand (every encoder has a size function), so running
// out of room is our own bug and never the network's: it dies in GODWIT_CHECK, in release builds
// too, before a byte beyond the span is touched. Ask space_left() first where room is not certain.
//
// Invariant: nothing behind written() is modified, so that bytes which already stand further on in
// the span stay as they are.
//
// RFC 9000 §16 (varints), §17 (network byte order).
#ifndef GODWIT_TRANSPORT_WIRE_BYTE_WRITER_H_
#define GODWIT_TRANSPORT_WIRE_BYTE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/check.h"
#include "transport/wire/big_endian.h"
#include "transport/wire/varint.h"

namespace godwit {

class ByteWriter {
 public:
  explicit ByteWriter(std::span<uint8_t> buffer)
      : begin_(buffer.data()), next_(buffer.data()), end_(buffer.data() + buffer.size()) {}

  size_t space_left() const { return static_cast<size_t>(end_ - next_); }
  size_t position() const { return static_cast<size_t>(next_ - begin_); }
  std::span<uint8_t> written() const { return {begin_, next_}; }

  void WriteUint8(uint8_t value) { *Reserve<1>() = value; }
  void WriteUint16(uint16_t value) { StoreBigEndian16(Reserve<sizeof(value)>(), value); }
  void WriteUint32(uint32_t value) { StoreBigEndian32(Reserve<sizeof(value)>(), value); }
  void WriteUint64(uint64_t value) { StoreBigEndian64(Reserve<sizeof(value)>(), value); }

  // RFC 9000 §16: the fewest bytes that hold `value` (at most kMaxVarint).
  void WriteVarint(uint64_t value) {
    if (value <= MaxVarintOf(VarintWidth::k1)) return StoreVarint<VarintWidth::k1>(value);
    if (value <= MaxVarintOf(VarintWidth::k2)) return StoreVarint<VarintWidth::k2>(value);
    if (value <= MaxVarintOf(VarintWidth::k4)) return StoreVarint<VarintWidth::k4>(value);
    GODWIT_CHECK_LE(value, kMaxVarint);
    StoreVarint<VarintWidth::k8>(value);
  }

  // Exactly `width` bytes; `value` must fit.
  void WriteVarintWithWidth(uint64_t value, VarintWidth width) {
    GODWIT_CHECK_LE(value, MaxVarintOf(width));
    switch (width) {
      case VarintWidth::k1:
        return StoreVarint<VarintWidth::k1>(value);
      case VarintWidth::k2:
        return StoreVarint<VarintWidth::k2>(value);
      case VarintWidth::k4:
        return StoreVarint<VarintWidth::k4>(value);
      case VarintWidth::k8:
        return StoreVarint<VarintWidth::k8>(value);
    }
    GODWIT_UNREACHABLE();
  }

  void WriteBytes(std::span<const uint8_t> bytes) {
    const std::span<uint8_t> to = Reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(to.data(), bytes.data(), bytes.size());
  }

  void WriteVarintPrefixedBytes(std::span<const uint8_t> bytes) {
    WriteVarint(bytes.size());
    WriteBytes(bytes);
  }
  void WriteUint8PrefixedBytes(std::span<const uint8_t> bytes) {
    GODWIT_CHECK_LE(bytes.size(), UINT8_MAX);
    WriteUint8(static_cast<uint8_t>(bytes.size()));
    WriteBytes(bytes);
  }

  // `count` zero bytes, which are also as many PADDING frames.
  void WriteZeros(size_t count) {
    const std::span<uint8_t> to = Reserve(count);
    if (count != 0) std::memset(to.data(), 0, count);
  }

  // Leaves `size` bytes as they are, to be filled in later through the result.
  std::span<uint8_t> Reserve(size_t size) {
    GODWIT_CHECK_GE(space_left(), size);
    const std::span<uint8_t> reserved{next_, size};
    next_ += size;
    return reserved;
  }

 private:
  template <size_t kSize>
  uint8_t* Reserve() {
    GODWIT_CHECK_GE(space_left(), kSize);
    uint8_t* const reserved = next_;
    next_ += kSize;
    return reserved;
  }

  // `value` fits.
  template <VarintWidth kWidth>
  void StoreVarint(uint64_t value) {
    if constexpr (kWidth == VarintWidth::k1) {
      WriteUint8(static_cast<uint8_t>(value));
    } else if constexpr (kWidth == VarintWidth::k2) {
      WriteUint16(static_cast<uint16_t>(value | uint64_t{kVarintPrefix2} << 8));
    } else if constexpr (kWidth == VarintWidth::k4) {
      WriteUint32(static_cast<uint32_t>(value | uint64_t{kVarintPrefix4} << 24));
    } else {
      WriteUint64(value | uint64_t{kVarintPrefix8} << 56);
    }
  }

  uint8_t* begin_;
  uint8_t* next_;
  uint8_t* end_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_BYTE_WRITER_H_
