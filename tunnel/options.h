// SPDX-License-Identifier: Apache-2.0
//
// What a user asked godwit-tunnel for: from the command line, and for the server and the client
// also from a configuration file, whose keys are the long names of the flags. A flag wins over the
// file, a list as a whole. Key files are named here and read elsewhere: `config.common.identity` is
// empty.
#ifndef GODWIT_TUNNEL_OPTIONS_H_
#define GODWIT_TUNNEL_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/public_key_hash.h"
#include "godwit/time.h"
#include "tunnel/identity.h"
#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

inline constexpr uint16_t kDefaultPort = 4433;

// --help, --version: to be printed, and that is all.
struct TextOptions {
  std::string text;
};

struct KeygenOptions {
  std::string key_file;
  KeyKind kind = KeyKind::kEd25519;
  bool replaces = false;
};

// How a running tunnel shows itself.
struct RunOptions {
  std::string key_file;
  std::string log_level = "info";  // Or "debug", "warning", "error".
  bool shows_stats = false;
  // A path; empty: the usual one.
  std::string status_socket;
  std::optional<HostPort> metrics_listener;
};

struct ServerOptions {
  RunOptions run;
  TunnelServerConfig config;
};

struct ClientOptions {
  RunOptions run;
  TunnelClientConfig config;
};

struct StatusOptions {
  // Empty: all that are found in the usual place.
  std::string status_socket;
  bool is_json = false;
};

struct PingOptions {
  std::string key_file;
  HostPort server;
  PublicKeyHash server_key;
  uint64_t count = 5;
  Duration interval = Duration::Seconds(1);
};

struct DiagOptions {
  std::optional<HostPort> server;
};

using Options = std::variant<TextOptions, KeygenOptions, ServerOptions, ClientOptions,
                             StatusOptions, PingOptions, DiagOptions>;

// `arguments` without the name of the program. Errors are one line that says what is wrong and
// what would be right.
absl::StatusOr<Options> ReadOptions(const std::vector<std::string>& arguments);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_OPTIONS_H_
