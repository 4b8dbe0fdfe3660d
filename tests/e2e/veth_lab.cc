// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/veth_lab.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace godwit {
namespace {

constexpr int kServerHost = 1;

std::string Ipv4(int host) { return absl::StrCat("10.9.0.", host); }
std::string Ipv6(int host) { return absl::StrCat("fd09::", host); }

SocketAddress Address(IpVersion version, int host, uint16_t port) {
  const std::string text = version == IpVersion::kIpv4 ? absl::StrCat(Ipv4(host), ":", port)
                                                       : absl::StrCat("[", Ipv6(host), "]:", port);
  return *SocketAddress::Parse(text);
}

bool WriteFile(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

// In a user namespace of our own we may do with networks what root may.
bool MakeUserNamespace() {
  const std::string user = absl::StrCat("0 ", geteuid(), " 1");
  const std::string group = absl::StrCat("0 ", getegid(), " 1");
  return unshare(CLONE_NEWUSER) == 0 && WriteFile("/proc/self/setgroups", "deny") &&
         WriteFile("/proc/self/uid_map", user) && WriteFile("/proc/self/gid_map", group);
}

int OpenOwnNamespace() { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

int MakeNetworkNamespace() { return unshare(CLONE_NEWNET) == 0 ? OpenOwnNamespace() : -1; }

void Enter(int network_namespace) { GODWIT_CHECK_EQ(setns(network_namespace, CLONE_NEWNET), 0); }

// In the namespace of this thread.
absl::Status RunShell(const std::string& command) {
  std::FILE* const pipe = popen(absl::StrCat("{ ", command, "\n} 2>&1").c_str(), "re");
  if (pipe == nullptr) return absl::ErrnoToStatus(errno, "cannot start a shell");
  std::string output;
  std::array<char, 1'024> text;
  while (std::fgets(text.data(), text.size(), pipe) != nullptr) output += text.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(command, "\nfailed: ", output));
}

absl::Status RunIp(const std::string& lines) {
  return RunShell(absl::StrCat("/sbin/ip -batch - <<'END'\n", lines, "END"));
}

// Until then packets are lost. A bound against hanging, not a measure.
absl::Status WaitUntilLinkIsUp() {
  return RunShell(
      "for i in $(seq 600); do /sbin/ip link show link0 | grep -q 'state UP' && exit 0; "
      "sleep 0.02; done; exit 1");
}

}  // namespace

absl::StatusOr<std::unique_ptr<VethLab>> VethLab::Create(const Options& options) {
  std::unique_ptr<VethLab> lab(new VethLab());
  if (absl::Status status = lab->Make(options); !status.ok()) return status;
  return lab;
}

VethLab::~VethLab() {
  // Back from a user namespace there is no way, and no need: what it has is a network as well.
  if (home_ >= 0) static_cast<void>(setns(home_, CLONE_NEWNET));
  for (const int fd : {home_, client_, server_}) {
    if (fd >= 0) close(fd);
  }
}

absl::Status VethLab::Make(const Options& options) {
  if (access("/sbin/ip", X_OK) != 0) {
    return absl::PermissionDeniedError("there is no /sbin/ip; install iproute2");
  }
  if (access("/proc/net/if_inet6", F_OK) != 0) {
    return absl::PermissionDeniedError("this kernel has no IPv6");
  }
  home_ = OpenOwnNamespace();
  server_ = MakeNetworkNamespace();
  if (server_ < 0 && MakeUserNamespace()) server_ = MakeNetworkNamespace();
  if (server_ >= 0) client_ = MakeNetworkNamespace();
  if (client_ < 0) {
    return absl::PermissionDeniedError(
        "no network namespaces here: needs root, or unprivileged user namespaces and a process of "
        "one thread");
  }
  const std::string mtu = absl::StrCat(" mtu ", options.mtu_bytes);
  absl::Status status =
      RunIp(absl::StrCat("link set lo up\nlink add link0", mtu, " type veth peer name link0", mtu,
                         " netns /proc/", getpid(), "/fd/", server_, "\n"));
  if (status.ok()) status = IpInServer("link set lo up\nlink set link0 up\n");
  if (status.ok()) status = IpInClient("link set link0 up\n");
  if (status.ok()) status = IpInServer(AddLines(kServerHost));
  if (status.ok()) status = IpInClient(AddLines(client_host_));
  if (status.ok()) status = WaitUntilLinkIsUp();
  if (status.ok()) InServer([&status] { status = WaitUntilLinkIsUp(); });
  return status;
}

void VethLab::InServer(absl::FunctionRef<void()> act) const {
  Enter(server_);
  act();
  Enter(client_);
}

absl::Status VethLab::IpInClient(const std::string& lines) const { return RunIp(lines); }

absl::Status VethLab::IpInServer(const std::string& lines) const {
  absl::Status status;
  InServer([&] { status = RunIp(lines); });
  return status;
}

SocketAddress VethLab::ServerAddress(IpVersion version, uint16_t port) const {
  return Address(version, kServerHost, port);
}

// Each address is a subnet of its own, so that taking one away takes no other along. With the last
// address, an interface loses its routes.
std::string VethLab::AddLines(int host) const {
  return absl::StrCat("addr add ", Ipv4(host), "/32 dev link0\n",         //
                      "addr add ", Ipv6(host), "/128 dev link0 nodad\n",  //
                      "route replace 10.9.0.0/24 dev link0\n",            //
                      "route replace fd09::/64 dev link0\n");
}

std::string VethLab::DeleteLines(int host) const {
  return absl::StrCat("addr del ", Ipv4(host), "/32 dev link0\n",  //
                      "addr del ", Ipv6(host), "/128 dev link0\n");
}

absl::Status VethLab::MoveClient() {
  const int old = client_host_++;
  return IpInClient(absl::StrCat(AddLines(client_host_), DeleteLines(old)));
}

absl::Status VethLab::MoveClientWithGap() {
  const int old = client_host_++;
  return IpInClient(absl::StrCat(DeleteLines(old), AddLines(client_host_)));
}

absl::Status VethLab::SilenceServer(IpVersion version) const {
  return IpInServer(version == IpVersion::kIpv4
                        ? absl::StrCat("route add unreachable ", Ipv4(client_host_), "/32\n")
                        : absl::StrCat("route add unreachable ", Ipv6(client_host_), "/128\n"));
}

absl::Status VethLab::UnsilenceServer(IpVersion version) const {
  return IpInServer(version == IpVersion::kIpv4
                        ? absl::StrCat("route del unreachable ", Ipv4(client_host_), "/32\n")
                        : absl::StrCat("route del unreachable ", Ipv6(client_host_), "/128\n"));
}

}  // namespace godwit
