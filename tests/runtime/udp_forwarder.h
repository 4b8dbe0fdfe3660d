// SPDX-License-Identifier: Apache-2.0
//
// UdpForwarder: what a NAT does, on a thread of its own: brings datagrams of one client to a
// server, from another address that can change, and back.
#ifndef GODWIT_TESTS_RUNTIME_UDP_FORWARDER_H_
#define GODWIT_TESTS_RUNTIME_UDP_FORWARDER_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>

#include "godwit/socket_address.h"
#include "platform/datagram_batch.h"
#include "platform/event_loop.h"
#include "platform/udp_socket.h"

namespace godwit {

class UdpForwarder {
 public:
  explicit UdpForwarder(const SocketAddress& server);
  ~UdpForwarder();
  UdpForwarder(const UdpForwarder&) = delete;
  UdpForwarder& operator=(const UdpForwarder&) = delete;

  // Where the client sends to.
  SocketAddress address() const { return inside_.local_address(); }
  // When it returns, the server sees another address, and what it sends to the one before is lost.
  void Rebind();
  // Between the two, nothing goes through in either direction. Any thread.
  void Block() { is_blocked_ = true; }
  void Unblock() { is_blocked_ = false; }
  // Of the client.
  size_t forwarded() const { return forwarded_; }

 private:
  void OpenOutside();
  void FromClient();
  void FromServer();

  const SocketAddress server_;
  std::unique_ptr<EventLoop> loop_;
  DatagramBatch batch_;
  UdpSocket inside_;
  std::optional<UdpSocket> outside_;
  SocketAddress client_;
  std::atomic<size_t> forwarded_ = 0;
  std::atomic<bool> is_blocked_ = false;
  std::thread thread_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_UDP_FORWARDER_H_
