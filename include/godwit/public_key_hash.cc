// SPDX-License-Identifier: Apache-2.0
#include "godwit/public_key_hash.h"

namespace godwit {
namespace {

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<PublicKeyHash> PublicKeyHash::FromHex(std::string_view text) {
  if (text.size() != 2 * kSize) return std::nullopt;
  PublicKeyHash hash;
  for (size_t i = 0; i < kSize; ++i) {
    const std::optional<uint8_t> high = HexDigit(text[2 * i]);
    const std::optional<uint8_t> low = HexDigit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    hash.bytes_[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return hash;
}

std::string PublicKeyHash::ToHex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kSize);
  for (const uint8_t byte : bytes_) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
  }
  return text;
}

}  // namespace godwit
