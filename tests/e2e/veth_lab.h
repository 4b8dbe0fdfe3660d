// SPDX-License-Identifier: Apache-2.0
//
// VethLab: two network namespaces, client and server, joined by one veth pair with its offloads as
// the kernel has them, and with addresses of both IP versions. Nothing of it is seen from outside,
// and it is gone with the lab and what was opened in it.
//
// It works for root and, where the system lets users make namespaces, for anybody; then the process
// must have one thread when the first lab is made. It needs /sbin/ip (iproute2).
//
// Invariant: the thread that made the lab stands in the client's namespace, but within InServer().
// It goes back to where it came from, if it may, when the lab ends.
#ifndef GODWIT_TESTS_E2E_VETH_LAB_H_
#define GODWIT_TESTS_E2E_VETH_LAB_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/socket_address.h"

namespace godwit {

enum class IpVersion : uint8_t { kIpv4, kIpv6 };

class VethLab {
 public:
  struct Options {
    uint64_t mtu_bytes = 1'500;
  };

  // PermissionDenied: the system permits no namespaces, or has no iproute2 or no IPv6.
  static absl::StatusOr<std::unique_ptr<VethLab>> Create(const Options& options);
  ~VethLab();
  VethLab(const VethLab&) = delete;
  VethLab& operator=(const VethLab&) = delete;

  // Runs `act` in the server's namespace, on this thread. What it opens, and the threads that it
  // starts, stay there.
  void InServer(absl::FunctionRef<void()> act) const;
  // Lines for `ip -batch -`. The interface of both ends is `link0`.
  absl::Status IpInClient(const std::string& lines) const;
  absl::Status IpInServer(const std::string& lines) const;

  SocketAddress ServerAddress(IpVersion version, uint16_t port) const;

  // The client gets its next addresses and then loses those it had.
  absl::Status MoveClient();
  // The other way round: in between it has none, and no route.
  absl::Status MoveClientWithGap();

  // What the server sends to the client by that IP version does not leave its machine.
  absl::Status SilenceServer(IpVersion version) const;
  absl::Status UnsilenceServer(IpVersion version) const;

 private:
  VethLab() = default;

  absl::Status Make(const Options& options);
  std::string AddLines(int host) const;
  std::string DeleteLines(int host) const;

  int home_ = -1;
  int client_ = -1;
  int server_ = -1;
  int client_host_ = 2;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_E2E_VETH_LAB_H_
