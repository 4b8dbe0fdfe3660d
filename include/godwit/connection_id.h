// SPDX-License-Identifier: Apache-2.0
//
// ConnectionId: the 0 to 20 opaque bytes by which a QUIC version 1 packet finds its
// connection (RFC 9000 §5.1, §17.2), held inline. StatelessResetToken: the 16 secret bytes
// that let an endpoint that lost its state end a connection (RFC 9000 §10.3). Neither is
// generated here. Version Negotiation packets may carry longer identifiers (RFC 8999 §5.3);
// those stay spans.
//
// Invariant: bytes of a ConnectionId beyond its size are zero, so that comparing and
// hashing may look at all of them.
#ifndef GODWIT_INCLUDE_CONNECTION_ID_H_
#define GODWIT_INCLUDE_CONNECTION_ID_H_

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace godwit {

// A value: safe to copy between threads, not synchronised. Ordered by size, then bytes.
class ConnectionId {
 public:
  // RFC 9000 §17.2: version 1 identifiers do not exceed 20 bytes.
  static constexpr size_t kMaxSize = 20;
  static constexpr size_t kMaxHexSize = 2 * kMaxSize;

  constexpr ConnectionId() = default;  // Empty: a valid identifier.

  // Copies `bytes`; nothing if there are more than kMaxSize.
  [[nodiscard]] static constexpr std::optional<ConnectionId> FromBytes(
      std::span<const uint8_t> bytes) {
    if (bytes.size() > kMaxSize) {
      return std::nullopt;
    }
    ConnectionId id;
    id.size_ = static_cast<uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
    return id;
  }

  // Points into this object.
  [[nodiscard]] constexpr std::span<const uint8_t> bytes() const {
    return std::span(bytes_).first(size_);
  }
  [[nodiscard]] constexpr size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }

  // Writes two lower-case digits a byte to the start of `buffer`, without a terminating
  // zero, and returns what it wrote. Writes and returns nothing if they do not fit;
  // kMaxHexSize always does.
  std::string_view ToHex(std::span<char> buffer) const;
  [[nodiscard]] std::string ToHex() const;

  friend constexpr auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
  // By words: for a defaulted comparison g++ 12 calls memcmp on each received packet.
  friend constexpr bool operator==(const ConnectionId& a, const ConnectionId& b) {
    using Words = std::array<uint32_t, kMaxSize / sizeof(uint32_t)>;
    const Words x = std::bit_cast<Words>(a.bytes_);
    const Words y = std::bit_cast<Words>(b.bytes_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4])) == 0 &&
           a.size_ == b.size_;
  }

  template <typename H>
  friend H AbslHashValue(H h, const ConnectionId& id) {
    return H::combine(H::combine_contiguous(std::move(h), id.bytes_.data(), id.bytes_.size()),
                      id.size_);
  }

 private:
  uint8_t size_ = 0;
  std::array<uint8_t, kMaxSize> bytes_ = {};
};

static_assert(sizeof(ConnectionId) == 21);

// A value: safe to copy between threads, not synchronised. It has neither order nor hash:
// both would compare in a time that depends on the secret.
class StatelessResetToken {
 public:
  static constexpr size_t kSize = 16;  // RFC 9000 §10.3.

  constexpr StatelessResetToken() = default;  // All zero.
  explicit constexpr StatelessResetToken(std::span<const uint8_t, kSize> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }

  // Points into this object.
  [[nodiscard]] constexpr std::span<const uint8_t, kSize> bytes() const { return bytes_; }

  // RFC 9000 §10.3.1: the comparison must not leak how far two tokens agree, so every bit
  // goes into one test.
  friend constexpr bool operator==(const StatelessResetToken& a, const StatelessResetToken& b) {
    using Words = std::array<uint64_t, 2>;
    const Words x = std::bit_cast<Words>(a.bytes_);
    const Words y = std::bit_cast<Words>(b.bytes_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
  }

 private:
  std::array<uint8_t, kSize> bytes_ = {};
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_ID_H_
