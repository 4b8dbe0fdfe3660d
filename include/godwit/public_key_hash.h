// SPDX-License-Identifier: Apache-2.0
//
// PublicKeyHash: the SHA-256 of a public key in the form that certificates carry (the DER of
// SubjectPublicKeyInfo, RFC 5280 §4.1). It names a key however often its certificate is renewed, so
// peers can be pinned by it. The command
//   openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum
// prints what FromHex() reads.
//
// Hashing is done where certificates are read; this is the value alone.
#ifndef GODWIT_INCLUDE_PUBLIC_KEY_HASH_H_
#define GODWIT_INCLUDE_PUBLIC_KEY_HASH_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace godwit {

// A value: safe to copy between threads, not synchronised. It is public: comparing takes no care.
class PublicKeyHash {
 public:
  static constexpr size_t kSize = 32;

  constexpr PublicKeyHash() = default;  // All zero: the hash of no known key.
  explicit constexpr PublicKeyHash(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}

  // Reads 64 hexadecimal digits of either case, and nothing else.
  [[nodiscard]] static std::optional<PublicKeyHash> FromHex(std::string_view text);

  // 64 digits of lower case.
  [[nodiscard]] std::string ToHex() const;

  [[nodiscard]] constexpr const std::array<uint8_t, kSize>& bytes() const { return bytes_; }

  friend constexpr auto operator<=>(const PublicKeyHash&, const PublicKeyHash&) = default;
  friend constexpr bool operator==(const PublicKeyHash&, const PublicKeyHash&) = default;

 private:
  std::array<uint8_t, kSize> bytes_{};
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_PUBLIC_KEY_HASH_H_
