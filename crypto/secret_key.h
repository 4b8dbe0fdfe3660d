// SPDX-License-Identifier: Apache-2.0
//
// SecretKey: the 32 random bytes that a server keeps for one purpose (sealing tokens, deriving
// stateless-reset tokens, sealing session tickets). SecretText: text that holds such keys. Both
// overwrite their bytes when they die or take another value; copies are independent secrets.
//
// What a key is for is not decided here: every user derives what it needs under a label of its own
// (RFC 5869), so that a key given to two purposes by mistake gives unrelated results.
//
// Neither compares: a comparison that stops early tells how far two secrets agree. BoringSSL stays
// out of this header, because those who read the key file may not see it.
#ifndef GODWIT_CRYPTO_SECRET_KEY_H_
#define GODWIT_CRYPTO_SECRET_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/environment.h"

namespace godwit {

class SecretKey {
 public:
  static constexpr size_t kSize = 32;

  explicit SecretKey(std::span<const uint8_t, kSize> bytes);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  static SecretKey Generate(Random& random);

  // Points into this object.
  std::span<const uint8_t, kSize> bytes() const { return bytes_; }

  // Fills `out` (at most 8,160 bytes) with what HKDF-Expand of RFC 5869 §2.3 makes of this key
  // under `label`, with SHA-256. Different labels give independent bytes.
  void Derive(std::string_view label, std::span<uint8_t> out) const;

 private:
  SecretKey() = default;

  std::array<uint8_t, kSize> bytes_ = {};
};

// Of a fixed size, so that no growing leaves an old copy behind.
class SecretText {
 public:
  explicit SecretText(size_t size);  // Zeros, to be written through chars().
  SecretText(SecretText&& other) noexcept = default;
  SecretText& operator=(SecretText&& other) = delete;
  ~SecretText();

  // Both point into this object.
  std::span<char> chars() { return text_; }
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::vector<char> text_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_SECRET_KEY_H_
