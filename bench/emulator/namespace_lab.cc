// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/namespace_lab.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

#include "bench/emulator/ethernet_offloads.h"

namespace godwit {
namespace {

constexpr char kIp[] = "/sbin/ip";
constexpr char kHostInterface[] = "link0";
constexpr int kFirstHost = 2;
constexpr int kLastHost = 254;
constexpr int kRouterHost = 1;

size_t IndexOf(LabPlace place) { return static_cast<size_t>(place); }

// Subnets 10.0.1.0/24 and fd00:0:0:1::/64 for the client, 2 for the server.
int SubnetOf(LabPlace place) { return place == LabPlace::kClient ? 1 : 2; }

MacAddress MacOf(LabPlace place, int host) {
  return {0x02, 0, 0, 0, static_cast<uint8_t>(SubnetOf(place)), static_cast<uint8_t>(host)};
}

std::string MacText(LabPlace place, int host) {
  return absl::StrFormat("02:00:00:00:%02x:%02x", SubnetOf(place), host);
}

const char* RouterInterface(LabPlace place) {
  return place == LabPlace::kClient ? "client" : "server";
}

absl::Status Refused(int error, absl::string_view what) {
  const std::string message = absl::StrCat(
      "cannot make ", what,
      "; run as root, or permit it (sysctl user.max_user_namespaces, user.max_net_namespaces, "
      "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
  switch (error) {
    case EPERM:
    case EACCES:
    case ENOSPC:
    case ENOSYS:
      return absl::PermissionDeniedError(message);
    case EINVAL:
      return absl::FailedPreconditionError(
          absl::StrCat(message, "; and make the lab before the process has a second thread"));
    default:
      return absl::ErrnoToStatus(error, message);
  }
}

absl::Status WriteFile(const char* path, absl::string_view text) {
  const FileDescriptor fd(open(path, O_WRONLY | O_CLOEXEC));
  if (fd.is_open() && write(fd.get(), text.data(), text.size()) >= 0) return absl::OkStatus();
  return Refused(errno, absl::StrCat("a user namespace (", path, ")"));
}

// In a user namespace of our own we may do with networks what root may.
absl::Status MakeUserNamespace() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER) != 0) return Refused(errno, "a user namespace");
  absl::Status status = WriteFile("/proc/self/setgroups", "deny");
  if (status.ok()) status = WriteFile("/proc/self/uid_map", absl::StrCat("0 ", user, " 1"));
  if (status.ok()) status = WriteFile("/proc/self/gid_map", absl::StrCat("0 ", group, " 1"));
  return status;
}

absl::StatusOr<FileDescriptor> MakeNetworkNamespace() {
  if (unshare(CLONE_NEWNET) != 0) return Refused(errno, "a network namespace");
  FileDescriptor fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return absl::ErrnoToStatus(errno, "cannot open /proc/thread-self/ns/net");
  return fd;
}

absl::StatusOr<FileDescriptor> MakeMemoryFile(absl::string_view text) {
  FileDescriptor fd(memfd_create("ip", MFD_CLOEXEC));
  if (!fd.is_open() || write(fd.get(), text.data(), text.size()) < 0 ||
      lseek(fd.get(), 0, SEEK_SET) < 0) {
    return absl::ErrnoToStatus(errno, "cannot make a file in memory");
  }
  return fd;
}

std::string ReadAll(int fd) {
  std::array<char, 1'024> text = {};
  const ssize_t bytes = pread(fd, text.data(), text.size(), 0);
  return std::string(text.data(), static_cast<size_t>(std::max<ssize_t>(bytes, 0)));
}

absl::Status StatusOfIp(int wait_status, const FileDescriptor& complaints) {
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return absl::OkStatus();
  std::string text = ReadAll(complaints.get());
  return absl::InternalError(
      absl::StrCat(kIp, " failed: ", absl::StripAsciiWhitespace(absl::string_view(text))));
}

}  // namespace

absl::StatusOr<NamespaceLab> NamespaceLab::Create(const Options& options) {
  if (access(kIp, X_OK) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("there is no ", kIp, "; install iproute2"));
  }
  if (options.interface_mtu_bytes < kMinMtuBytes || options.interface_mtu_bytes > kMaxMtuBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the MTU of the interfaces is ", options.interface_mtu_bytes,
                     "; it has to be between ", kMinMtuBytes, " and ", kMaxMtuBytes));
  }
  NamespaceLab lab;
  absl::Status status = lab.MakeNamespaces();
  if (status.ok()) status = lab.MakeLinks(options);
  if (!status.ok()) return status;
  return lab;
}

absl::Status NamespaceLab::MakeNamespaces() {
  // The router's is the last one made, so the thread stays there.
  for (const LabPlace place : {LabPlace::kClient, LabPlace::kServer, LabPlace::kRouter}) {
    absl::StatusOr<FileDescriptor> made = MakeNetworkNamespace();
    if (absl::IsPermissionDenied(made.status()) && place == LabPlace::kClient) {
      const absl::Status status = MakeUserNamespace();
      if (!status.ok()) return status;
      made = MakeNetworkNamespace();
    }
    if (!made.ok()) return made.status();
    namespaces_[IndexOf(place)] = *std::move(made);
  }
  return absl::OkStatus();
}

absl::Status NamespaceLab::MakeLinks(const Options& options) {
  std::string lines = "link set lo up\n";
  for (const LabPlace place : {LabPlace::kClient, LabPlace::kServer}) {
    const char* const router_end = RouterInterface(place);
    absl::StrAppend(&lines, "link add ", router_end, " address ", MacText(place, kRouterHost),
                    " mtu ", options.interface_mtu_bytes, " type veth peer name ", kHostInterface,
                    " address ", MacText(place, kFirstHost), " mtu ", options.interface_mtu_bytes,
                    " netns /proc/", getpid(), "/fd/", namespaces_[IndexOf(place)].get(), "\n");
    absl::StrAppend(&lines, "link set ", router_end, " arp off addrgenmode none\n",  //
                    "link set ", router_end, " up\n");
  }
  absl::Status status = RunIp(LabPlace::kRouter, lines);
  for (const LabPlace place : {LabPlace::kClient, LabPlace::kServer}) {
    if (status.ok()) status = TurnOffloadsOff(RouterInterface(place));
    if (status.ok()) status = MakeEnd(place);
  }
  return status;
}

absl::Status NamespaceLab::MakeEnd(LabPlace place) {
  const absl::Status status = InPlace(place, []() { return TurnOffloadsOff(kHostInterface); });
  if (!status.ok()) return status;
  // Without ARP and neighbour discovery there is nothing on the link but what the ends mean to
  // send. The router takes frames of any address.
  return RunIp(place, absl::StrCat("link set lo up\n",                                          //
                                   "link set ", kHostInterface, " arp off addrgenmode none\n",  //
                                   "link set ", kHostInterface, " up\n", AddressLines(place)));
}

std::string NamespaceLab::AddressLines(LabPlace place) const {
  return absl::StrCat("addr add ", ipv4(place), "/24 dev ", kHostInterface, "\n",        //
                      "addr add ", ipv6(place), "/64 dev ", kHostInterface, " nodad\n",  //
                      "route replace default dev ", kHostInterface, "\n",                //
                      "route replace ::/0 dev ", kHostInterface, "\n");
}

absl::Status NamespaceLab::Enter(LabPlace place) const {
  if (setns(namespaces_[IndexOf(place)].get(), CLONE_NEWNET) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot enter a network namespace of the lab");
}

absl::Status NamespaceLab::InPlace(LabPlace place, absl::FunctionRef<absl::Status()> act) const {
  const absl::Status entered = Enter(place);
  if (!entered.ok()) return entered;
  const absl::Status result = act();
  const absl::Status back = Enter(LabPlace::kRouter);
  return result.ok() ? back : result;
}

absl::StatusOr<LinkEnd> NamespaceLab::OpenLinkEnd(LabPlace place) const {
  absl::StatusOr<PacketSocket> socket =
      PacketSocket::Open(RouterInterface(place), MacOf(place, kFirstHost));
  if (!socket.ok()) return socket.status();
  const uint8_t subnet = static_cast<uint8_t>(SubnetOf(place));
  RouterAddresses router = {.ipv4 = {10, 0, subnet, kRouterHost}, .ipv6 = {0xfd}};
  router.ipv6[7] = subnet;
  router.ipv6[15] = kRouterHost;
  return LinkEnd{*std::move(socket), router};
}

std::string NamespaceLab::ipv4(LabPlace place) const {
  const int host = place == LabPlace::kClient ? client_host_ : kFirstHost;
  return absl::StrCat("10.0.", SubnetOf(place), ".", host);
}

std::string NamespaceLab::ipv6(LabPlace place) const {
  const int host = place == LabPlace::kClient ? client_host_ : kFirstHost;
  return absl::StrFormat("fd00:0:0:%d::%x", SubnetOf(place), host);
}

absl::Status NamespaceLab::StartNextClientAddress() {
  if (is_changing_client_address()) {
    return absl::FailedPreconditionError(
        "the client's address changes again before the last change is done; leave more time");
  }
  std::string lines =
      absl::StrCat("addr del ", ipv4(LabPlace::kClient), "/24 dev ", kHostInterface, "\n",  //
                   "addr del ", ipv6(LabPlace::kClient), "/64 dev ", kHostInterface, "\n");
  client_host_ = client_host_ == kLastHost ? kFirstHost : client_host_ + 1;
  absl::StrAppend(&lines, AddressLines(LabPlace::kClient));
  absl::StatusOr<IpCommand> command = StartIp(LabPlace::kClient, lines);
  if (!command.ok()) return command.status();
  address_change_ = *std::move(command);
  return absl::OkStatus();
}

absl::Status NamespaceLab::FinishNextClientAddress() {
  if (!is_changing_client_address()) return absl::OkStatus();
  int wait_status = 0;
  if (waitpid(address_change_.pid, &wait_status, WNOHANG) == 0) return absl::OkStatus();
  const IpCommand command = std::exchange(address_change_, IpCommand());
  return StatusOfIp(wait_status, command.complaints);
}

absl::StatusOr<NamespaceLab::IpCommand> NamespaceLab::StartIp(LabPlace place,
                                                              const std::string& lines) const {
  const absl::StatusOr<FileDescriptor> input = MakeMemoryFile(lines);
  if (!input.ok()) return input.status();
  absl::StatusOr<FileDescriptor> complaints = MakeMemoryFile("");
  if (!complaints.ok()) return complaints.status();

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input->get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints->get(), STDERR_FILENO);
  // The caller may have blocked signals to read them from a descriptor.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t no_signals;
  sigemptyset(&no_signals);
  posix_spawnattr_setsigmask(&attributes, &no_signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::array<std::string, 3> words = {kIp, "-batch", "-"};
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = 0;
  int error = 0;
  const absl::Status status = InPlace(place, [&]() {
    error = posix_spawn(&pid, kIp, &actions, &attributes, arguments.data(), environ);
    return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "cannot start /sbin/ip");
  });
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (!status.ok()) return status;
  return IpCommand{pid, *std::move(complaints)};
}

absl::Status NamespaceLab::RunIp(LabPlace place, const std::string& lines) const {
  const absl::StatusOr<IpCommand> command = StartIp(place, lines);
  if (!command.ok()) return command.status();
  int wait_status = 0;
  while (waitpid(command->pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  return StatusOfIp(wait_status, command->complaints);
}

}  // namespace godwit
