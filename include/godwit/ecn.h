// SPDX-License-Identifier: Apache-2.0
//
// EcnMark: the explicit congestion notification codepoint of an IP packet (RFC 3168 §5).
// The values are the two low bits of IPv4's TOS and IPv6's traffic-class byte. Which mark
// to send and what a received one means is decided elsewhere (RFC 9000 §13.4).
#ifndef GODWIT_INCLUDE_ECN_H_
#define GODWIT_INCLUDE_ECN_H_

#include <cstdint>
#include <string_view>

namespace godwit {

enum class EcnMark : uint8_t {
  kNotEct = 0,  // The sender does not speak ECN, or the mark is not known.
  kEct1 = 1,
  kEct0 = 2,
  kCe = 3,  // A router saw congestion.
};

// RFC 3168's name of the mark, for people. Static text; safe from any thread.
[[nodiscard]] constexpr std::string_view ToString(EcnMark mark) {
  switch (mark) {
    case EcnMark::kNotEct:
      return "Not-ECT";
    case EcnMark::kEct1:
      return "ECT(1)";
    case EcnMark::kEct0:
      return "ECT(0)";
    case EcnMark::kCe:
      return "CE";
  }
  return "invalid";
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_ECN_H_
