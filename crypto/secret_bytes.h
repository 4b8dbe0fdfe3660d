// SPDX-License-Identifier: Apache-2.0
//
// SecretBytes: up to `kCapacity` bytes that nobody else may see, held inline and wiped when the
// object dies. Copies are independent secrets, each of which wipes itself; there is no cheaper
// move, because a moved-from secret would still have to be wiped.
//
// It does not compare: whoever compares secrets uses CRYPTO_memcmp.
//
// Invariant: the bytes past size() are zero, so that assigning a shorter secret leaves nothing of a
// longer one behind.
#ifndef GODWIT_CRYPTO_SECRET_BYTES_H_
#define GODWIT_CRYPTO_SECRET_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/check.h"

namespace godwit {

// Overwrites `bytes` with zeros in a way that no compiler leaves out.
void WipeBytes(std::span<uint8_t> bytes);

template <size_t kCapacity>
class SecretBytes {
 public:
  // `size` bytes of zero, to be written through bytes().
  explicit SecretBytes(size_t size) : size_(size) { GODWIT_CHECK_LE(size, kCapacity); }

  explicit SecretBytes(std::span<const uint8_t> bytes) : SecretBytes(bytes.size()) {
    if (!bytes.empty()) std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }

  SecretBytes(const SecretBytes&) = default;
  SecretBytes& operator=(const SecretBytes&) = default;
  ~SecretBytes() { WipeBytes(bytes_); }

  // Both point into this object.
  std::span<const uint8_t> bytes() const { return {bytes_.data(), size_}; }
  std::span<uint8_t> bytes() { return {bytes_.data(), size_}; }

 private:
  std::array<uint8_t, kCapacity> bytes_{};
  size_t size_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_SECRET_BYTES_H_
