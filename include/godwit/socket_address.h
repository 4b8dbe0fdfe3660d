// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: an IPv4 or IPv6 address with a UDP port, without the operating system's
// headers. It reads and writes the numeric text forms (RFC 4291 §2.2, RFC 5952, RFC 4007
// §11) and answers what kind of address it is; it resolves no names and opens nothing.
//
// Invariants:
//  1. Equal addresses have equal fields: bytes that IPv4 does not use are zero, and only
//     IPv6 link-local unicast addresses (fe80::/10) have a scope id, as elsewhere it does
//     not tell two addresses apart.
//  2. Parse(ToString()) gives the same address back.
//  3. ::ffff:192.0.2.1 (IPv4-mapped) and 192.0.2.1 are different; Unmapped() makes them one.
#ifndef GODWIT_INCLUDE_SOCKET_ADDRESS_H_
#define GODWIT_INCLUDE_SOCKET_ADDRESS_H_

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

// A value: safe to copy between threads, not synchronised. Ordered by family, address,
// port and scope.
class SocketAddress {
 public:
  enum class Family : uint8_t { kIpv4, kIpv6 };

  static constexpr size_t kIpv4Size = 4;
  static constexpr size_t kIpv6Size = 16;
  // [8 groups of 4 digits and 7 colons % 10 digits]: 5 digits. Without a terminating zero.
  static constexpr size_t kMaxFormattedSize = 1 + 39 + 1 + 10 + 2 + 5;

  constexpr SocketAddress() = default;  // 0.0.0.0:0.

  // `ip` is in network order, as it stands in an IP header; `port` in host order.
  [[nodiscard]] static constexpr SocketAddress FromIpv4(std::span<const uint8_t, kIpv4Size> ip,
                                                        uint16_t port) {
    SocketAddress address;
    std::copy(ip.begin(), ip.end(), address.ip_.begin());
    address.port_ = port;
    return address;
  }
  // The same for IPv6. `scope_id` is the number of the interface that a link-local address
  // belongs to, 0 if unknown; it is ignored for all other addresses.
  [[nodiscard]] static constexpr SocketAddress FromIpv6(std::span<const uint8_t, kIpv6Size> ip,
                                                        uint16_t port, uint32_t scope_id = 0) {
    SocketAddress address;
    address.family_ = Family::kIpv6;
    std::copy(ip.begin(), ip.end(), address.ip_.begin());
    address.scope_id_ = address.is_ipv6_link_local() ? scope_id : 0;
    address.port_ = port;
    return address;
  }

  // Reads "192.0.2.1:443", "[2001:db8::1]:443" or "[fe80::1%3]:443", and nothing else:
  // nothing is returned for names, missing parts, brackets around IPv4 or none around IPv6,
  // superfluous zeros in decimal numbers, ports above 65535, octets above 255, scopes that
  // are no 32-bit number or that follow an address which is not link-local, and any byte
  // before or after.
  [[nodiscard]] static std::optional<SocketAddress> Parse(std::string_view text);
  // The same for an address alone, without brackets: "192.0.2.1", "2001:db8::1", "fe80::1%3".
  [[nodiscard]] static std::optional<SocketAddress> ParseIp(std::string_view text, uint16_t port);

  // Writes what Parse() reads to the start of `buffer`, IPv6 in the canonical form of
  // RFC 5952, without a terminating zero, and returns what it wrote. Writes and returns
  // nothing if it does not fit; kMaxFormattedSize always does.
  std::string_view Format(std::span<char> buffer) const;
  [[nodiscard]] std::string ToString() const;

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_ipv4() const { return family_ == Family::kIpv4; }
  [[nodiscard]] constexpr bool is_ipv6() const { return family_ == Family::kIpv6; }
  // 4 or 16 bytes in network order. Points into this object.
  [[nodiscard]] constexpr std::span<const uint8_t> ip() const {
    return std::span(ip_).first(is_ipv4() ? kIpv4Size : kIpv6Size);
  }
  [[nodiscard]] constexpr uint16_t port() const { return port_; }  // Host order.
  // 0 if there is none.
  [[nodiscard]] constexpr uint32_t scope_id() const { return scope_id_; }

  // RFC 4291 §2.5.5.2: an IPv6 address that stands for an IPv4 one (::ffff:0:0/96), as a
  // dual-stack socket shows its IPv4 peers.
  [[nodiscard]] constexpr bool is_v4_mapped() const {
    constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return is_ipv6() && std::equal(kPrefix.begin(), kPrefix.end(), ip_.begin());
  }
  // The IPv4 address that an IPv4-mapped one stands for; every other address as it is.
  [[nodiscard]] constexpr SocketAddress Unmapped() const {
    return is_v4_mapped() ? FromIpv4(std::span(ip_).last<kIpv4Size>(), port_) : *this;
  }

  // 127.0.0.0/8 or ::1. IPv4-mapped addresses count as what they stand for.
  [[nodiscard]] constexpr bool is_loopback() const {
    const SocketAddress address = Unmapped();
    return address.is_ipv4() ? address.ip_[0] == 127
                             : address.ip_[15] == 1 && address.FirstBytesAreZero(15);
  }
  // 0.0.0.0 or ::, the addresses to bind to that mean "every local one". IPv4-mapped
  // addresses count as what they stand for.
  [[nodiscard]] constexpr bool is_any() const { return Unmapped().FirstBytesAreZero(kIpv6Size); }

  // Equal but for the port. RFC 9000 §9.4: a NAT that rebinds often changes no more.
  [[nodiscard]] constexpr bool SameIp(const SocketAddress& other) const {
    // By words: for arrays of bytes g++ 12 calls memcmp on each received packet.
    const Words x = ip_words();
    const Words y = other.ip_words();
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0 && family_ == other.family_ &&
           scope_id_ == other.scope_id_;
  }

  friend constexpr auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
  friend constexpr bool operator==(const SocketAddress& a, const SocketAddress& b) {
    return a.port_ == b.port_ && a.SameIp(b);
  }

  template <typename H>
  friend H AbslHashValue(H h, const SocketAddress& address) {
    const Words words = address.ip_words();
    const uint64_t rest = uint64_t{address.scope_id_} << 32 | uint64_t{address.port_} << 8 |
                          static_cast<uint64_t>(address.family_);
    return H::combine(std::move(h), words[0], words[1], rest);
  }

 private:
  using Words = std::array<uint64_t, 2>;

  [[nodiscard]] constexpr Words ip_words() const { return std::bit_cast<Words>(ip_); }
  [[nodiscard]] constexpr bool is_ipv6_link_local() const {
    return is_ipv6() && ip_[0] == 0xfe && (ip_[1] & 0xc0) == 0x80;
  }
  [[nodiscard]] constexpr bool FirstBytesAreZero(size_t count) const {
    return std::all_of(ip_.begin(), ip_.begin() + count, [](uint8_t byte) { return byte == 0; });
  }

  Family family_ = Family::kIpv4;
  std::array<uint8_t, kIpv6Size> ip_ = {};
  uint16_t port_ = 0;
  uint32_t scope_id_ = 0;
};

static_assert(sizeof(SocketAddress) == 24);

}  // namespace godwit

#endif  // GODWIT_INCLUDE_SOCKET_ADDRESS_H_
