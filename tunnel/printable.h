// SPDX-License-Identifier: Apache-2.0
//
// Printable(): text that may hold what others have said, made fit for a terminal and for a log:
// control characters, which could move a cursor, forge a line or do worse, become `?`. Those are
// the ones of ASCII, those of ISO 8859 (U+0080 to U+009F), and bytes that are no UTF-8.
#ifndef GODWIT_TUNNEL_PRINTABLE_H_
#define GODWIT_TUNNEL_PRINTABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace godwit::tunnel {

// Bytes of the character of UTF-8 at the beginning of `text`; 0 if there is none, or a control
// character.
inline size_t PrintableSize(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size == 0 || first > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_control = first == 0xc2 && byte(1) < 0xa0;
  return is_control ? 0 : size;
}

// Line feeds stay where `keeps_lines`.
inline std::string Printable(std::string_view text, bool keeps_lines = false) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const bool is_kept_line = keeps_lines && text.front() == '\n';
    const size_t size = is_kept_line ? 1 : PrintableSize(text);
    printable.append(size == 0 ? std::string_view("?") : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return printable;
}

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_PRINTABLE_H_
