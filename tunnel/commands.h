// SPDX-License-Identifier: Apache-2.0
//
// The commands of godwit-tunnel, each from its options to the exit code of the process. An error is
// one line for people, of wrong use or of what the machine would not do: the process then exits
// with kExitWrongUse.
#ifndef GODWIT_TUNNEL_COMMANDS_H_
#define GODWIT_TUNNEL_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/time.h"
#include "tunnel/options.h"

namespace godwit::tunnel {

inline constexpr int kExitOk = 0;
// What was asked for is not there: no tunnel runs, no ping was answered.
inline constexpr int kExitNothing = 1;
inline constexpr int kExitWrongUse = 2;

absl::StatusOr<int> RunKeygen(const KeygenOptions& options);
absl::StatusOr<int> RunStatus(const StatusOptions& options);
absl::StatusOr<int> RunPing(const PingOptions& options);
absl::StatusOr<int> RunDiag(const DiagOptions& options);

// Until a signal. SIGTERM lets open TCP connections end first, up to kDrainPatience; SIGINT, and a
// second signal, do not. `arguments`, and the key file, are read again at SIGHUP.
inline constexpr Duration kDrainPatience = Duration::Seconds(30);
absl::StatusOr<int> RunServer(ServerOptions options, const std::vector<std::string>& arguments);
// SIGHUP is as SIGTERM: the terminal has gone.
absl::StatusOr<int> RunClient(ClientOptions options);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_COMMANDS_H_
