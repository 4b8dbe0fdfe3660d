// SPDX-License-Identifier: Apache-2.0
//
// A configuration file: TOML, with the long names of the flags as keys, without dashes before them
// and without tables:
//
//   listen = "[::]:4433"
//   allow-client = ["SHA256:..."]
//   give-up = "2m"
//   stats = true
//
// Read here to names and texts; what a name means is decided with the flags.
#ifndef GODWIT_TUNNEL_CONFIG_FILE_H_
#define GODWIT_TUNNEL_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace godwit::tunnel {

struct ConfigEntry {
  enum class Kind { kText, kList, kBoolean };  // Whole numbers are texts too.

  std::string key;
  Kind kind = Kind::kText;
  std::vector<std::string> values;  // One, but of a kList; "true" or "false" of a kBoolean.
  std::string place;                // FILE:LINE, for errors.
};

// In the order of the file. Errors are one line, with the file and the line in it.
absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(const std::string& path);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_CONFIG_FILE_H_
