// SPDX-License-Identifier: Apache-2.0
//
// NamespaceLab: three network namespaces, client - router - server, with a veth pair on each side
// of the router, addresses of both IP versions, routes, an MTU and no offloads. Nothing of it is
// seen from outside, and it is gone with the last process in it, however that ends.
//
// It works for root and, where the system lets users make namespaces, for anybody; then the process
// must have one thread when the lab is made. It needs /sbin/ip (iproute2). It routes nothing: the
// router's end is two interfaces without addresses, for packet sockets; link0 is the other end.
//
// Invariant: the thread that made the lab stands in the router's namespace, but within InPlace().
#ifndef GODWIT_BENCH_EMULATOR_NAMESPACE_LAB_H_
#define GODWIT_BENCH_EMULATOR_NAMESPACE_LAB_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/emulator/link_router.h"
#include "bench/emulator/packet_socket.h"

namespace godwit {

enum class LabPlace : uint8_t { kClient, kServer, kRouter };

class NamespaceLab {
 public:
  static constexpr uint64_t kMinMtuBytes = 1'280;  // IPv6 needs it.
  static constexpr uint64_t kMaxMtuBytes = 65'535;

  // For both veth pairs. The link's own MTU is the profile's.
  struct Options {
    uint64_t interface_mtu_bytes = 1'500;
  };

  // PermissionDenied: the system permits no namespaces. FailedPrecondition: something is missing.
  static absl::StatusOr<NamespaceLab> Create(const Options& options);

  // Takes the calling thread there for good; for children after fork().
  absl::Status Enter(LabPlace place) const;
  // Runs `act` there, on this thread. What it opens stays there.
  absl::Status InPlace(LabPlace place, absl::FunctionRef<absl::Status()> act) const;

  // The router's end of the link to `place`, kClient or kServer.
  absl::StatusOr<LinkEnd> OpenLinkEnd(LabPlace place) const;

  // The addresses of kClient (now) and kServer, as text.
  std::string ipv4(LabPlace place) const;
  std::string ipv6(LabPlace place) const;

  // Takes the client's addresses away and gives it the next ones. Does not wait: see
  // FinishNextClientAddress(). After the last address of the subnet comes the first.
  absl::Status StartNextClientAddress();
  // To be called until it has nothing to report. Ok also while the change goes on.
  absl::Status FinishNextClientAddress();
  bool is_changing_client_address() const { return address_change_.pid != 0; }

 private:
  // A running /sbin/ip.
  struct IpCommand {
    pid_t pid = 0;
    FileDescriptor complaints;
  };

  NamespaceLab() = default;

  absl::Status MakeNamespaces();
  absl::Status MakeLinks(const Options& options);
  absl::Status MakeEnd(LabPlace place);
  std::string AddressLines(LabPlace place) const;
  absl::StatusOr<IpCommand> StartIp(LabPlace place, const std::string& lines) const;
  absl::Status RunIp(LabPlace place, const std::string& lines) const;

  std::array<FileDescriptor, 3> namespaces_;
  int client_host_ = 2;
  IpCommand address_change_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_NAMESPACE_LAB_H_
