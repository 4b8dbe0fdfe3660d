// SPDX-License-Identifier: Apache-2.0
//
// HandshakeMessageScanner: follows the messages in a stream of TLS handshake bytes, whatever way it
// is cut, to notice the type of each. RFC 8446 §4: a type of one byte, a length of three, a body.
// It keeps no bodies and judges nothing.
#ifndef GODWIT_CRYPTO_HANDSHAKE_MESSAGE_SCANNER_H_
#define GODWIT_CRYPTO_HANDSHAKE_MESSAGE_SCANNER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit {

class HandshakeMessageScanner {
 public:
  // True if a message of `type` begins in `bytes`, which follow those of the last call.
  bool Scan(std::span<const uint8_t> bytes, uint8_t type) {
    bool found = false;
    while (!bytes.empty()) {
      if (header_bytes_ < kHeaderLength) {
        if (header_bytes_ == 0) {
          found = found || bytes[0] == type;
          body_bytes_ = 0;
        } else {
          body_bytes_ = body_bytes_ << 8 | bytes[0];
        }
        ++header_bytes_;
        bytes = bytes.subspan(1);
      } else {
        const size_t step = std::min<size_t>(body_bytes_, bytes.size());
        body_bytes_ -= static_cast<uint32_t>(step);
        bytes = bytes.subspan(step);
      }
      if (header_bytes_ == kHeaderLength && body_bytes_ == 0) header_bytes_ = 0;
    }
    return found;
  }

 private:
  static constexpr uint8_t kHeaderLength = 4;

  uint32_t body_bytes_ = 0;   // Still to come, once the header is complete.
  uint8_t header_bytes_ = 0;  // Seen of the message that has begun.
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_HANDSHAKE_MESSAGE_SCANNER_H_
