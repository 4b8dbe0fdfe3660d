// SPDX-License-Identifier: Apache-2.0
//
// EncryptionLevel: which keys protect a packet, in the order in which the handshake makes them
// available (RFC 9001 §2.1, §4.1.4), and the packet number space that each belongs to.
//
// It does not say which frames a level permits (transport/wire) nor which keys exist now (crypto).
#ifndef GODWIT_BASE_ENCRYPTION_LEVEL_H_
#define GODWIT_BASE_ENCRYPTION_LEVEL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/packet_number.h"

namespace godwit {

enum class EncryptionLevel : uint8_t { kInitial, kZeroRtt, kHandshake, kOneRtt };

inline constexpr size_t kEncryptionLevelCount = 4;

// RFC 9000 §12.3: all application data, of 0-RTT and of 1-RTT, is numbered in one space.
constexpr PacketNumberSpace SpaceOf(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::kInitial:
      return PacketNumberSpace::kInitial;
    case EncryptionLevel::kHandshake:
      return PacketNumberSpace::kHandshake;
    case EncryptionLevel::kZeroRtt:
    case EncryptionLevel::kOneRtt:
      return PacketNumberSpace::kApplication;
  }
  GODWIT_UNREACHABLE();
}

constexpr std::string_view ToString(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::kInitial:
      return "initial";
    case EncryptionLevel::kZeroRtt:
      return "0rtt";
    case EncryptionLevel::kHandshake:
      return "handshake";
    case EncryptionLevel::kOneRtt:
      return "1rtt";
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_BASE_ENCRYPTION_LEVEL_H_
