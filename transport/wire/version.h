// SPDX-License-Identifier: Apache-2.0
//
// QUIC version numbers: the ones we know by name, and the reserved ones of RFC 9000 §15 and §6.3,
// which are never a real protocol and exist to exercise version negotiation.
//
// A version is a plain uint32_t because every value may come from the wire and none is an ordinal.
// Which versions an endpoint speaks is its configuration; godwit implements kVersion1.
#ifndef GODWIT_TRANSPORT_WIRE_VERSION_H_
#define GODWIT_TRANSPORT_WIRE_VERSION_H_

#include <cstdint>

namespace godwit {

inline constexpr uint32_t kVersionNegotiation = 0;  // RFC 8999 §6: not a version
inline constexpr uint32_t kVersion1 = 0x00000001;   // RFC 9000 §15
inline constexpr uint32_t kVersion2 = 0x6b3343cf;   // RFC 9369 §3.1: known, not implemented
inline constexpr uint32_t kReservedVersionMask = 0x0f0f0f0f;
inline constexpr uint32_t kReservedVersionBits = 0x0a0a0a0a;

// RFC 9000 §15: the low half of every byte is 1010, as in 0x?a?a?a?a.
constexpr bool IsReservedVersion(uint32_t version) {
  return (version & kReservedVersionMask) == kReservedVersionBits;
}

// The reserved version that has the high halves of the bytes of `random_bits`.
constexpr uint32_t MakeReservedVersion(uint32_t random_bits) {
  return (random_bits & ~kReservedVersionMask) | kReservedVersionBits;
}

// One that differs from `other`. RFC 9000 §6.2: a client discards a Version Negotiation packet that
// lists the version which it chose itself, and that may well have been a reserved one.
constexpr uint32_t MakeReservedVersionOtherThan(uint32_t other, uint32_t random_bits) {
  const uint32_t version = MakeReservedVersion(random_bits);
  return version == other ? version ^ 0x10000000 : version;
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_VERSION_H_
