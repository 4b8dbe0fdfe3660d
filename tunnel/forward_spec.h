// SPDX-License-Identifier: Apache-2.0
//
// What follows -L, -R and -D, and other places where people write a host and a port: from text to
// HostPort and Forward, and back. Nothing is resolved.
//
//   -L, -R  [udp:][BIND:]PORT:HOST:HOSTPORT
//   -D      [BIND:]PORT
//
// BIND is an address, `localhost` (127.0.0.1), or `*` or nothing before the colon: 0.0.0.0, every
// IPv4 address; [::] is every IPv6 one. IPv6 addresses have brackets. Errors are one line, with the
// text and the right form.
#ifndef GODWIT_TUNNEL_FORWARD_SPEC_H_
#define GODWIT_TUNNEL_FORWARD_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

// `flag` is "-L" or "-R", for errors.
absl::StatusOr<Forward> ParseForward(std::string_view flag, std::string_view text);

// -D.
absl::StatusOr<HostPort> ParseSocksListener(std::string_view text);

// ADDRESS:PORT to listen on; 0 leaves the port to the kernel. `any` is the address that `*` or
// nothing before the colon stands for; `flag` is for errors.
absl::StatusOr<HostPort> ParseListener(std::string_view flag, std::string_view text,
                                       std::string_view any);

// HOST or HOST:PORT. `what` is for errors.
absl::StatusOr<HostPort> ParseServer(std::string_view what, std::string_view text,
                                     uint16_t default_port);

// "example.org:80", "[::1]:80".
std::string ToText(const HostPort& host_port);
// As ParseForward() reads it, with the address to bind.
std::string ToText(const Forward& forward);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_FORWARD_SPEC_H_
