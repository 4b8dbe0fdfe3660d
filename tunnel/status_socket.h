// SPDX-License-Identifier: Apache-2.0
//
// Where running tunnels can be asked for their status: Unix sockets, for their user alone, in a
// folder that `godwit-tunnel status` finds without being told. What is said there is not decided
// here.
//
// The folder is the first of these that there is reason for: $RUNTIME_DIRECTORY (systemd's, for a
// service), godwit-tunnel in $XDG_RUNTIME_DIR, /run/godwit-tunnel for root,
// /tmp/godwit-tunnel-UID.
#ifndef GODWIT_TUNNEL_STATUS_SOCKET_H_
#define GODWIT_TUNNEL_STATUS_SOCKET_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// A listening socket that removes its file when it ends.
class StatusSocket {
 public:
  // `path` empty: in the usual folder, which is made if it is missing; `role` (client, server) and
  // the number of the process are then in its name. The file that a process left that is gone is
  // replaced.
  static absl::StatusOr<StatusSocket> Listen(const std::string& path, std::string_view role);
  StatusSocket() = default;
  ~StatusSocket();
  StatusSocket(StatusSocket&& other) noexcept;
  StatusSocket& operator=(StatusSocket&& other) noexcept;

  // To be watched by whoever takes it; the file stays this object's.
  UniqueFd TakeFd() { return std::move(fd_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  StatusSocket(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

// Those of this user's tunnels that may be running, sorted.
std::vector<std::string> FindStatusSockets();

// All that is said there. Waits for some seconds at most.
absl::StatusOr<std::string> AskStatusSocket(const std::string& path);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_STATUS_SOCKET_H_
