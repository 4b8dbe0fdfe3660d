// SPDX-License-Identifier: Apache-2.0
//
// UdpReceiver: the receiving half of UdpSocket: one recvmmsg(), whose messages it turns into
// datagrams with their addresses and marks. What cannot be used is counted.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_RECEIVER_H_
#define GODWIT_PLATFORM_UDP_SOCKET_RECEIVER_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "godwit/datagram.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "platform/datagram_batch.h"
#include "platform/socket_calls.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

class UdpReceiver {
 public:
  // `local`: what the socket is bound to.
  UdpReceiver(int fd, const SocketAddress& local, const SocketCalls& calls);

  std::span<ReceivedDatagram> Receive(DatagramBatch& batch, Timestamp now, UdpSocketStats& stats);

 private:
  size_t ReceiveMessages(std::span<mmsghdr> messages, UdpSocketStats& stats);
  void AddMessage(const mmsghdr& message, Timestamp now, DatagramBatch& batch,
                  UdpSocketStats& stats);

  int fd_;
  SocketAddress local_;
  SocketCalls calls_;
  uint32_t last_kernel_drops_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_RECEIVER_H_
