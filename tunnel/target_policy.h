// SPDX-License-Identifier: Apache-2.0
//
// TargetPolicy: which addresses a peer may reach, or bind, through this side of a tunnel. It reads
// the patterns of --allow-target and --allow-bind and answers for one address at a time; it
// resolves, connects and binds nothing.
//
// It judges the address that will be connected to, never a name alone, so whoever asks it must
// connect to that very address. A pattern allows an address where
//  1. its host is an address or a CIDR that holds the address, or a name that is the name asked
//     for (`*.example.org` is every name below example.org, not itself), or `*`; and
//  2. its port, range of ports or `*` holds the port; and
//  3. for an address that is not like others (loopback, link-local, the metadata services of
//     clouds, multicast, broadcast, "this network" 0.0.0.0/8 and ::) the pattern speaks of
//     nothing else: 127.0.0.1, 127.0.0.0/8 and the name `localhost` open the loopback, `*`,
//     0.0.0.0/0 and the name of a stranger's host do not, whatever that name resolves to.
// For binds only rules 1 and 2 count: there `*` is the widest and a loopback address the narrowest.
//
// IPv4-mapped addresses count as what they stand for. No pattern: nothing is allowed.
#ifndef GODWIT_TUNNEL_TARGET_POLICY_H_
#define GODWIT_TUNNEL_TARGET_POLICY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "tunnel/target_pattern.h"
#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

// A value. Threads: as a const object from any.
class TargetPolicy {
 public:
  TargetPolicy() = default;  // Allows nothing.

  // Errors are one line, with the pattern and the right form.
  [[nodiscard]] static absl::StatusOr<TargetPolicy> Parse(
      const std::vector<TargetPattern>& patterns);
  // The same for --allow-bind, where names are errors.
  [[nodiscard]] static absl::StatusOr<TargetPolicy> ParseBinds(
      const std::vector<TargetPattern>& patterns);

  // Whether the peer that asked for `asked_host` (a name or an address, as it wrote it) may reach
  // `resolved`, with its port.
  [[nodiscard]] bool AllowsAddress(std::string_view asked_host,
                                   const SocketAddress& resolved) const;
  // Whether the peer may listen on `address`, with its port.
  [[nodiscard]] bool AllowsBind(const SocketAddress& address) const;

  [[nodiscard]] bool is_empty() const { return rules_.empty(); }

 private:
  std::vector<TargetRule> rules_;
};

// What an operator adds so that the address is allowed: "--allow-target 192.0.2.1:22". By name
// where that is enough.
std::string AllowTargetFlag(std::string_view asked_host, const SocketAddress& resolved);
std::string AllowBindFlag(const SocketAddress& address);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TARGET_POLICY_H_
