// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_opener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "platform/offload_probe.h"
#include "platform/udp_socket_address.h"

namespace godwit {
namespace {

// The kernel keeps twice the size, in an int.
constexpr uint64_t kMaxBufferBytes = std::numeric_limits<int>::max() / 2;

// Longer than anyone spins.
constexpr Duration kMaxBusyPoll = Duration::Seconds(1);

// What every kernel since 4.x takes.
struct Option {
  int level;
  int option;
  int value;
  absl::string_view name;
};

constexpr Option kIpv4Pktinfo = {IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO"};
constexpr Option kIpv6Pktinfo = {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"};
// RFC 9000 §14: UDP datagrams must not be fragmented on the way. In this form the kernel does not
// learn a path's MTU by itself either: that is the connection's (RFC 8899 §4.6.1 on who may spoof
// what the kernel believes).
constexpr Option kIpv4DontFragment = {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE,
                                      "IP_MTU_DISCOVER"};
constexpr Option kIpv6DontFragment = {IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE,
                                      "IPV6_MTU_DISCOVER"};

absl::Status CheckConfig(const UdpSocketConfig& config) {
  if (config.receive_buffer_bytes > kMaxBufferBytes) {
    return absl::InvalidArgumentError(absl::StrCat("receive_buffer_bytes is ",
                                                   config.receive_buffer_bytes, "; allowed: 0 to ",
                                                   kMaxBufferBytes));
  }
  if (config.send_buffer_bytes > kMaxBufferBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "send_buffer_bytes is ", config.send_buffer_bytes, "; allowed: 0 to ", kMaxBufferBytes));
  }
  if (config.busy_poll < Duration::Zero() || config.busy_poll > kMaxBusyPoll) {
    return absl::InvalidArgumentError(absl::StrCat(
        "busy_poll is ", config.busy_poll.ToNanoseconds(), " ns; allowed: 0 to 1000000000 ns"));
  }
  return absl::OkStatus();
}

absl::string_view WhatToDo(int error) {
  switch (error) {
    case EADDRINUSE:
      return "; another socket has it: choose another port, or set reuses_port in every socket "
             "that shares it";
    case EACCES:
      return "; ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "; no interface has this address: choose one that `ip address` shows, or a wildcard";
    case EMFILE:
    case ENFILE:
      return "; too many open files: raise the limit (ulimit -n)";
    default:
      return "";
  }
}

class Opener {
 public:
  Opener(const UdpSocketConfig& config, const SocketCalls& calls)
      : config_(config), calls_(calls), address_(config.local.Unmapped()) {
    result_.kernel = ReadKernelVersion(calls);
  }
  ~Opener() {
    if (result_.fd >= 0) calls_.close(result_.fd);
  }
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  absl::StatusOr<OpenedUdpSocket> Open() {
    // Everything but the address first: what comes in then has all that it should have.
    for (const auto step : {&Opener::Create, &Opener::SetRequiredOptions, &Opener::SetOffloads,
                            &Opener::SetOptionalOptions, &Opener::Bind}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    OpenedUdpSocket result = std::move(result_);
    result_.fd = -1;
    return result;
  }

 private:
  bool is_ipv6() const { return result_.family == AF_INET6; }
  bool carries_ipv4() const { return !is_ipv6() || is_dual_stack_; }

  absl::Status Failure(absl::string_view action) const {
    const int error = errno;
    return absl::ErrnoToStatus(error, absl::StrCat(action, " failed for UDP socket ",
                                                   address_.ToString(), WhatToDo(error)));
  }

  bool Set(int level, int option, int value) {
    return calls_.setsockopt(result_.fd, level, option, &value, sizeof(value)) == 0;
  }

  absl::Status Create() {
    constexpr int kType = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    result_.family = address_.is_ipv4() ? AF_INET : AF_INET6;
    is_dual_stack_ = is_ipv6() && address_.is_any() && config_.is_dual_stack;
    result_.fd = calls_.socket(result_.family, kType, IPPROTO_UDP);
    if (result_.fd < 0 && errno == EAFNOSUPPORT && is_dual_stack_) {
      address_ =
          SocketAddress::FromIpv4(std::array<uint8_t, SocketAddress::kIpv4Size>{}, address_.port());
      result_.family = AF_INET;
      is_dual_stack_ = false;
      result_.fd = calls_.socket(AF_INET, kType, IPPROTO_UDP);
    }
    return result_.fd < 0 ? Failure("socket()") : absl::OkStatus();
  }

  absl::Status SetRequiredOptions() {
    std::vector<Option> options;
    if (is_ipv6()) {
      options = {{IPPROTO_IPV6, IPV6_V6ONLY, is_dual_stack_ ? 0 : 1, "IPV6_V6ONLY"},
                 kIpv6Pktinfo,
                 kIpv6DontFragment};
      // Its pktinfo is the IPv6 one for IPv4 as well.
      if (carries_ipv4()) options.push_back(kIpv4DontFragment);
    } else {
      options = {kIpv4Pktinfo, kIpv4DontFragment};
    }
    if (config_.reuses_port) options.push_back({SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"});
    for (const Option& option : options) {
      if (!Set(option.level, option.option, option.value)) {
        return Failure(absl::StrCat("setsockopt(", option.name, ")"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status SetOffloads() {
    result_.gso = StateOf("GSO", config_.uses_gso);
    if (result_.gso == OffloadState::kOn && !SupportsGso(result_.fd, result_.kernel, calls_)) {
      result_.gso = OffloadState::kUnsupported;
    }
    result_.max_train_segments =
        result_.gso == OffloadState::kOn ? ProbeMaxTrainSegments(calls_) : 1;

    result_.gro = StateOf("GRO", config_.uses_gro);
    if (result_.gro == OffloadState::kOn && !Set(IPPROTO_UDP, UDP_GRO, 1)) {
      result_.gro = OffloadState::kUnsupported;
    }

    result_.ecn = StateOf("ECN", config_.uses_ecn);
    if (result_.ecn == OffloadState::kOn) {
      const bool has_ipv4 = !carries_ipv4() || Set(IPPROTO_IP, IP_RECVTOS, 1);
      const bool has_ipv6 = !is_ipv6() || Set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
      if (!has_ipv4 || !has_ipv6) result_.ecn = OffloadState::kUnsupported;
    }
    return absl::OkStatus();
  }

  static OffloadState StateOf(const char* offload, bool is_configured) {
    if (!is_configured) return OffloadState::kDisabledByConfig;
    if (IsDisabledByEnvironment(offload)) return OffloadState::kDisabledByEnvironment;
    return OffloadState::kOn;
  }

  absl::Status SetOptionalOptions() {
    // Without it drops are not seen, and nothing else changes.
    Set(SOL_SOCKET, SO_RXQ_OVFL, 1);
    RaiseBuffer(
        {SO_RCVBUFFORCE, SO_RCVBUF, "receive", "net.core.rmem_max", config_.receive_buffer_bytes});
    RaiseBuffer(
        {SO_SNDBUFFORCE, SO_SNDBUF, "send", "net.core.wmem_max", config_.send_buffer_bytes});
    const auto busy_poll_us = static_cast<int>(config_.busy_poll.ToMicroseconds());
    if (busy_poll_us > 0 && !Set(SOL_SOCKET, SO_BUSY_POLL, busy_poll_us)) {
      result_.notices.push_back(absl::StrCat(
          "UDP busy polling of ", busy_poll_us,
          " us is off: the kernel refuses it (SO_BUSY_POLL); it needs CAP_NET_ADMIN, or sysctl -w "
          "net.core.busy_read=",
          busy_poll_us));
    }
    return absl::OkStatus();
  }

  struct Buffer {
    int force_option;
    int option;
    absl::string_view name;
    absl::string_view sysctl;
    uint64_t wanted_bytes;
  };

  void RaiseBuffer(const Buffer& buffer) {
    const auto wanted_bytes = static_cast<int>(buffer.wanted_bytes);
    // The first needs CAP_NET_ADMIN and knows no cap. The second cuts to the cap without a word.
    if (Set(SOL_SOCKET, buffer.force_option, wanted_bytes)) return;
    Set(SOL_SOCKET, buffer.option, wanted_bytes);
    int doubled_bytes = 0;
    socklen_t size = sizeof(doubled_bytes);
    if (calls_.getsockopt(result_.fd, SOL_SOCKET, buffer.option, &doubled_bytes, &size) != 0) {
      return;
    }
    // The kernel doubles what it is told, for its own needs, and says the double.
    if (doubled_bytes / 2 >= wanted_bytes) return;
    result_.notices.push_back(
        absl::StrCat("UDP ", buffer.name, " buffer is ", doubled_bytes / 2, " bytes, not the ",
                     wanted_bytes, " asked for: the kernel caps it; to raise the cap: sysctl -w ",
                     buffer.sysctl, "=", wanted_bytes));
  }

  absl::Status Bind() {
    KernelAddress address;
    const socklen_t bytes = WriteKernelAddress(address_, result_.family, address);
    if (calls_.bind(result_.fd, &address.any, bytes) != 0) return Failure("bind()");
    KernelAddress bound = {};
    socklen_t bound_bytes = sizeof(bound);
    if (calls_.getsockname(result_.fd, &bound.any, &bound_bytes) != 0) {
      return Failure("getsockname()");
    }
    result_.local = ReadKernelAddress(bound);
    return absl::OkStatus();
  }

  const UdpSocketConfig& config_;
  const SocketCalls& calls_;
  SocketAddress address_;
  bool is_dual_stack_ = false;
  OpenedUdpSocket result_;
};

}  // namespace

absl::StatusOr<OpenedUdpSocket> OpenUdpSocket(const UdpSocketConfig& config,
                                              const SocketCalls& calls) {
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  return Opener(config, calls).Open();
}

}  // namespace godwit
