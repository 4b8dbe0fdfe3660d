// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_target.h"

#include <errno.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "tunnel/kernel_sockets.h"
#include "tunnel/udp_datagram.h"

namespace godwit::tunnel {
namespace {

constexpr int kPacketsAtOnce = 64;

}  // namespace

UdpTarget::UdpTarget(Loop* loop, UniqueFd fd,
                     std::function<void(std::span<const uint8_t>)> on_packet)
    : loop_(*loop), fd_(std::move(fd)), on_packet_(std::move(on_packet)) {
  // Without a watch it only sends; the kernel refuses when memory is out.
  static_cast<void>(
      loop_.WatchFd(fd_.get(), {.readable = true}, [this](FdEvents) { OnReadable(); }));
}

void UdpTarget::Send(std::span<const uint8_t> packet) {
  // The first call after an ICMP error reports that error instead of sending.
  for (int tries = 0; tries < 2; ++tries) {
    if (send(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
    if (errno != ECONNREFUSED) return;
  }
}

void UdpTarget::OnReadable() {
  thread_local std::array<uint8_t, kMaxUdpPacketBytes> bytes;
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const auto received = ReceiveFrom(fd_.get(), bytes);
    if (!received.has_value()) {
      // A pending error is read as one; what is behind it may be a packet.
      static_cast<void>(PendingError(fd_.get()));
      return;
    }
    on_packet_(std::span(bytes).first(received->bytes));
  }
}

}  // namespace godwit::tunnel
