// SPDX-License-Identifier: Apache-2.0
//
// Bytes from hexadecimal text, so that tests can quote an RFC's examples as they are printed there.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_HEX_BYTES_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_HEX_BYTES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace godwit {

// Spaces are skipped; anything else that is not a lower-case digit is a mistake in the test.
inline std::vector<uint8_t> HexBytes(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<uint8_t> bytes;
  bool has_half = false;
  for (const char c : text) {
    if (c == ' ') continue;
    const size_t digit = kDigits.find(c);
    GODWIT_CHECK(digit != std::string_view::npos);
    if (has_half) {
      bytes.back() = static_cast<uint8_t>(bytes.back() << 4 | digit);
    } else {
      bytes.push_back(static_cast<uint8_t>(digit));
    }
    has_half = !has_half;
  }
  GODWIT_CHECK(!has_half);
  return bytes;
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_HEX_BYTES_H_
