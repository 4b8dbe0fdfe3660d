// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket.h"

#include <errno.h>

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/limits.h"
#include "platform/offload_probe.h"
#include "platform/socket_calls.h"
#include "platform/udp_socket_opener.h"
#include "platform/udp_socket_receiver.h"
#include "platform/udp_socket_sender.h"
#include "platform/udp_socket_steering.h"

namespace godwit {
namespace {

UdpSender::Settings SenderSettings(const OpenedUdpSocket& opened) {
  return {.fd = opened.fd,
          .family = opened.family,
          .local = opened.local,
          .uses_gso = opened.gso == OffloadState::kOn,
          .uses_ecn = opened.ecn == OffloadState::kOn,
          .max_train_segments = opened.max_train_segments};
}

// Without its port, which has no part in it.
std::string IpText(const SocketAddress& address) {
  std::string text = address.ToString();
  text.erase(text.rfind(':'));
  return text;
}

}  // namespace

struct UdpSocket::State {
  State(OpenedUdpSocket opened_socket, const SocketCalls& socket_calls)
      : opened(std::move(opened_socket)),
        calls(socket_calls),
        sender(SenderSettings(opened), calls),
        receiver(opened.fd, opened.local, calls) {}
  ~State() { calls.close(opened.fd); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  OpenedUdpSocket opened;
  SocketCalls calls;
  UdpSender sender;
  UdpReceiver receiver;
  UdpSocketStats stats;
  // What PollNotice() has told.
  size_t told_opening_notices = 0;
  size_t told_gso_failures = 0;
  bool told_ecn_failure = false;
};

absl::StatusOr<UdpSocket> UdpSocket::Open(const UdpSocketConfig& config) {
  return Open(config, SocketCalls());
}

absl::StatusOr<UdpSocket> UdpSocket::Open(const UdpSocketConfig& config, const SocketCalls& calls) {
  absl::StatusOr<OpenedUdpSocket> opened = OpenUdpSocket(config, calls);
  if (!opened.ok()) return opened.status();
  return UdpSocket(std::make_unique<State>(*std::move(opened), calls));
}

UdpSocket::UdpSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
UdpSocket::~UdpSocket() = default;
UdpSocket::UdpSocket(UdpSocket&& other) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept = default;

int UdpSocket::fd() const { return state_->opened.fd; }

const SocketAddress& UdpSocket::local_address() const { return state_->opened.local; }

UdpSocket::SendOutcome UdpSocket::Send(std::span<const Transmit> transmits) {
  return state_->sender.Send(transmits, state_->stats);
}

std::span<const UdpSocket::TooLarge> UdpSocket::too_large() const {
  return state_->sender.too_large();
}

std::span<ReceivedDatagram> UdpSocket::Receive(DatagramBatch& batch, Timestamp now) {
  return state_->receiver.Receive(batch, now, state_->stats);
}

const UdpSocketStats& UdpSocket::stats() const { return state_->stats; }

OffloadReport UdpSocket::offload_report() const {
  const OpenedUdpSocket& opened = state_->opened;
  OffloadReport report = {
      .kernel = opened.kernel,
      .gso = opened.gso,
      .gro = opened.gro,
      .ecn = state_->sender.has_ecn_failed() ? OffloadState::kFailed : opened.ecn,
      .max_train_segments = opened.max_train_segments,
      .max_train_bytes = kMaxGsoBytes,
      .gso_failed_from = {},
      .interfaces = ReadInterfaces(opened.fd, opened.local, state_->calls)};
  for (const UdpSender::GsoFailure& failure : state_->sender.gso_failures()) {
    report.gso_failed_from.push_back(failure.local);
  }
  if (report.gso_failed_from.size() == UdpSender::kMaxGsoFailures) {
    report.gso = OffloadState::kFailed;
  }
  return report;
}

std::optional<std::string> UdpSocket::PollNotice() {
  State& state = *state_;
  if (state.told_opening_notices < state.opened.notices.size()) {
    return std::move(state.opened.notices[state.told_opening_notices++]);
  }
  if (state.told_gso_failures < state.sender.gso_failures().size()) {
    const UdpSender::GsoFailure& failure = state.sender.gso_failures()[state.told_gso_failures++];
    return absl::StrCat("UDP segmentation offload (GSO) is off for local address ",
                        IpText(failure.local), ": sending a train failed with ",
                        strerrorname_np(failure.error), ", its datagrams one by one went through");
  }
  if (state.sender.has_ecn_failed() && !std::exchange(state.told_ecn_failure, true)) {
    return "ECN marks are not sent: the kernel refuses them (EINVAL) and takes the same datagram "
           "without";
  }
  return std::nullopt;
}

absl::Status UdpSocket::AttachReusePortSteering(size_t shard_count) {
  if (shard_count == 0 || shard_count > kMaxSteeredShards) {
    return absl::InvalidArgumentError(
        absl::StrCat("shard_count is ", shard_count, "; allowed: 1 to ", kMaxSteeredShards));
  }
  SteeringProgram program = ReusePortSteeringProgram(shard_count);
  const sock_fprog filter = {.len = static_cast<unsigned short>(program.size()),
                             .filter = program.data()};
  if (state_->calls.setsockopt(fd(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter,
                               sizeof(filter)) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("setsockopt(SO_ATTACH_REUSEPORT_CBPF) failed for UDP socket ",
                            local_address().ToString(),
                            "; it needs Linux 4.5 and reuses_port in every socket of the group"));
  }
  return absl::OkStatus();
}

}  // namespace godwit
