// SPDX-License-Identifier: Apache-2.0
//
// What the applications of the simulator send: bytes that follow from stream, sender and offset, so
// that whoever receives them knows what they must be. Datagrams count as streams of their own.
#ifndef GODWIT_TESTS_SIM_STREAM_CONTENT_H_
#define GODWIT_TESTS_SIM_STREAM_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "godwit/perspective.h"

namespace godwit {

struct ContentSource {
  uint64_t stream = 0;
  Perspective sender = Perspective::kClient;

  constexpr uint64_t WordAt(uint64_t index) const {
    uint64_t word = (stream * 2 + static_cast<uint64_t>(sender) + 1) * 0x9e3779b97f4a7c15 + index;
    word = (word ^ (word >> 31)) * 0xbf58476d1ce4e5b9;
    return word ^ (word >> 29);
  }
  constexpr uint8_t ByteAt(uint64_t offset) const {
    return static_cast<uint8_t>(WordAt(offset / 8) >> (8 * (offset % 8)));
  }

  void Fill(uint64_t offset, std::span<uint8_t> bytes) const {
    for (size_t i = 0; i < bytes.size();) {
      uint64_t word = WordAt((offset + i) / 8) >> (8 * ((offset + i) % 8));
      const size_t left_in_word = 8 - (offset + i) % 8;
      for (size_t n = 0; n < left_in_word && i < bytes.size(); ++n, ++i, word >>= 8) {
        bytes[i] = static_cast<uint8_t>(word);
      }
    }
  }

  bool Matches(uint64_t offset, std::span<const uint8_t> bytes) const {
    uint8_t difference = 0;
    for (size_t i = 0; i < bytes.size();) {
      uint64_t word = WordAt((offset + i) / 8) >> (8 * ((offset + i) % 8));
      const size_t left_in_word = 8 - (offset + i) % 8;
      for (size_t n = 0; n < left_in_word && i < bytes.size(); ++n, ++i, word >>= 8) {
        difference |= static_cast<uint8_t>(bytes[i] ^ static_cast<uint8_t>(word));
      }
    }
    return difference == 0;
  }
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_STREAM_CONTENT_H_
