// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_receiver.h"

#include <errno.h>

#include "platform/udp_socket_address.h"
#include "platform/udp_socket_control.h"

namespace godwit {
namespace {

// An error that waits at the socket is told instead of a datagram, once; what waits behind it must
// not be left there, as nothing would wake the owner for it. Bounded, in case one stays.
constexpr int kMaxAttempts = 8;

}  // namespace

UdpReceiver::UdpReceiver(int fd, const SocketAddress& local, const SocketCalls& calls)
    : fd_(fd), local_(local), calls_(calls) {}

std::span<ReceivedDatagram> UdpReceiver::Receive(DatagramBatch& batch, Timestamp now,
                                                 UdpSocketStats& stats) {
  const std::span<mmsghdr> messages = batch.EmptyMessages();
  const size_t count = ReceiveMessages(messages, stats);
  for (const mmsghdr& message : messages.first(count)) AddMessage(message, now, batch, stats);
  stats.datagrams_received += batch.datagrams().size();
  return batch.datagrams();
}

size_t UdpReceiver::ReceiveMessages(std::span<mmsghdr> messages, UdpSocketStats& stats) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    ++stats.receive_calls;
    const int count = calls_.recvmmsg(
        fd_, messages.data(), static_cast<unsigned int>(messages.size()), MSG_DONTWAIT, nullptr);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) ++stats.receive_errors;
  }
  return 0;
}

void UdpReceiver::AddMessage(const mmsghdr& message, Timestamp now, DatagramBatch& batch,
                             UdpSocketStats& stats) {
  const ReceiveControl control = ReadReceiveControl(message.msg_hdr, local_.port());
  if (control.kernel_drops.has_value()) {
    // Modulo 2^32, as the kernel counts.
    stats.kernel_drops += *control.kernel_drops - last_kernel_drops_;
    last_kernel_drops_ = *control.kernel_drops;
  }
  if ((message.msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    ++stats.truncated;
    return;
  }
  const auto* peer = static_cast<const KernelAddress*>(message.msg_hdr.msg_name);
  const ReceivedDatagram prototype = {
      .four_tuple = {.local = control.local.value_or(local_), .peer = ReadKernelAddress(*peer)},
      .ecn = control.ecn,
      .received_at = now};
  stats.bytes_received += message.msg_len;
  const size_t segment_bytes = control.segment_bytes.value_or(message.msg_len);
  if (!batch.Append(message, segment_bytes, prototype)) ++stats.truncated;
}

}  // namespace godwit
