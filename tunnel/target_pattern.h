// SPDX-License-Identifier: Apache-2.0
//
// TargetRule: one pattern HOST:PORT of --allow-target or --allow-bind, read. It says what it
// matches; what follows from a match is TargetPolicy's.
//
// HOST is a name, `*.` and a name, an IPv4 address or CIDR (10.0.0.0/8), an IPv6 address or CIDR in
// brackets ([2001:db8::/32]), or `*`. PORT is 1 to 65535, a range FIRST-LAST, or `*`.
#ifndef GODWIT_TUNNEL_TARGET_PATTERN_H_
#define GODWIT_TUNNEL_TARGET_PATTERN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"

namespace godwit::tunnel {

// The addresses whose first `bits` bits are those of `base`; its port does not count.
struct AddressRange {
  SocketAddress base;
  int bits = 0;

  // `address` as it is: an IPv4-mapped one is in IPv6 ranges alone.
  [[nodiscard]] bool Holds(const SocketAddress& address) const;
  // Whether every address of `other` is in here.
  [[nodiscard]] bool Holds(const AddressRange& other) const;

  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// In lower case, without the dot that may end it.
std::string NormalisedName(std::string_view name);

struct TargetRule {
  enum class Host : uint8_t { kAny, kName, kNamesBelow, kAddresses };

  Host host = Host::kAny;
  std::string name;    // Of kName and kNamesBelow, normalised; without the `*.`.
  AddressRange range;  // Of kAddresses.
  uint16_t first_port = 0;
  uint16_t last_port = 65'535;

  // The error is one line, with the pattern and the right form.
  [[nodiscard]] static absl::StatusOr<TargetRule> Parse(std::string_view pattern);

  [[nodiscard]] bool HoldsPort(uint16_t port) const {
    return first_port <= port && port <= last_port;
  }
  // `asked_name` is normalised.
  [[nodiscard]] bool HoldsName(std::string_view asked_name) const;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TARGET_PATTERN_H_
