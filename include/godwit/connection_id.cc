// SPDX-License-Identifier: Apache-2.0
#include "godwit/connection_id.h"

namespace godwit {

std::string_view ConnectionId::ToHex(std::span<char> buffer) const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (buffer.size() < 2 * size()) {
    return {};
  }
  char* out = buffer.data();
  for (const uint8_t byte : bytes()) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
  return {buffer.data(), 2 * size()};
}

std::string ConnectionId::ToHex() const {
  std::array<char, kMaxHexSize> buffer;
  return std::string(ToHex(buffer));
}

}  // namespace godwit
