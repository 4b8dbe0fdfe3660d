// SPDX-License-Identifier: Apache-2.0
//
// What a tunnel is told to do, as plain values: the flags and the configuration file end here, and
// TunnelClient and TunnelServer begin here. Nothing in this file opens, resolves or checks.
#ifndef GODWIT_TUNNEL_TUNNEL_CONFIG_H_
#define GODWIT_TUNNEL_TUNNEL_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "godwit/public_key_hash.h"
#include "godwit/time.h"

namespace godwit::tunnel {

enum class ForwardProtocol : uint8_t { kTcp, kUdp };

// A host, as the user wrote it (a name, or an address without brackets), and a port.
struct HostPort {
  std::string host;
  uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// One -L or -R: whoever connects to `bind` is connected to `target` from the other end.
// The host of `bind` is an address; 127.0.0.1 where the user gave none.
struct Forward {
  ForwardProtocol protocol = ForwardProtocol::kTcp;
  HostPort bind;
  HostPort target;

  friend bool operator==(const Forward&, const Forward&) = default;
};

// What a peer may reach: HOST:PORT with HOST a name, an address, a CIDR, `*.example.org` or `*`,
// and PORT a number, a range `8000-8999` or `*`. Kept as written; TargetPolicy reads it.
using TargetPattern = std::string;

// Our key and the certificate that carries it: PEM.
struct Identity {
  std::string certificate_chain_pem;
  std::string private_key_pem;
  PublicKeyHash fingerprint;
};

// An interface for IP packets; `address` with its prefix length, as 10.7.0.1/24.
struct TunInterface {
  std::string name;
  std::string address;
};

// What both sides have.
struct TunnelCommonConfig {
  Identity identity;
  std::string congestion = "cubic";
  // An outage shorter than this ends no forwarded connection. Also the idle timeout.
  Duration give_up = Duration::Seconds(120);
  Duration keep_alive = Duration::Seconds(15);
  // Appended to; empty: none.
  std::string keylog_file;
  std::optional<TunInterface> tun;
};

struct TunnelServerConfig {
  TunnelCommonConfig common;
  HostPort listen;
  std::vector<PublicKeyHash> allowed_clients;  // At least one.
  std::vector<TargetPattern> allowed_targets;  // None: it forwards nowhere.
  std::vector<TargetPattern> allowed_binds;    // For -R. None: it binds nothing.
};

struct TunnelClientConfig {
  TunnelCommonConfig common;
  HostPort server;
  PublicKeyHash server_key;
  std::vector<Forward> local_forwards;
  std::vector<Forward> remote_forwards;
  std::vector<HostPort> socks_listeners;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_CONFIG_H_
