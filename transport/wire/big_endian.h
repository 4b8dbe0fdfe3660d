// SPDX-License-Identifier: Apache-2.0
//
// Loads and stores of big endian integers at unaligned addresses.
//
// RFC 9000 §16, §17: all numbers on the wire are in network byte order. The caller answers for the
// bounds: outside byte_reader.h, byte_writer.h and varint.h nothing should need this file.
#ifndef GODWIT_TRANSPORT_WIRE_BIG_ENDIAN_H_
#define GODWIT_TRANSPORT_WIRE_BIG_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace godwit {

static_assert(std::endian::native == std::endian::little, "godwit runs on little endian Linux");

inline uint16_t LoadBigEndian16(const uint8_t* from) {
  uint16_t value;
  std::memcpy(&value, from, sizeof(value));
  return __builtin_bswap16(value);
}

inline uint32_t LoadBigEndian32(const uint8_t* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof(value));
  return __builtin_bswap32(value);
}

inline uint64_t LoadBigEndian64(const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof(value));
  return __builtin_bswap64(value);
}

inline void StoreBigEndian16(uint8_t* to, uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(to, &value, sizeof(value));
}

inline void StoreBigEndian32(uint8_t* to, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof(value));
}

inline void StoreBigEndian64(uint8_t* to, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof(value));
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_BIG_ENDIAN_H_
