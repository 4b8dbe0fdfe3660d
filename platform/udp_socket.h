// SPDX-License-Identifier: Apache-2.0
//
// UdpSocket: a UDP socket for QUIC: unconnected, so that peers may change their address; never
// blocking; trains of datagrams in one call each way where the kernel can (GSO, GRO); ECN marks
// (RFC 9000 §13.4) and the local address of every datagram in both directions; don't-fragment set
// (RFC 9000 §14). What fails in sending is a lost datagram, never the end of anything.
//
// Whether to poll and when to send is the owner's; Transmit::departure_time is not looked at.
// One thread at a time. Nothing is allocated by Send() and Receive(), but for the text of a notice.
//
// Invariants:
//  1. What is sent is sent once: a train of which a part has left goes on from there.
//  2. An offload is switched off only when the same bytes went through without it.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_H_
#define GODWIT_PLATFORM_UDP_SOCKET_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/datagram.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "platform/datagram_batch.h"
#include "platform/offload_report.h"
#include "godwit/udp_socket_config.h"
#include "platform/udp_socket_outcome.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

struct SocketCalls;

class UdpSocket {
 public:
  // Errors say which address or option failed, and what to do.
  static absl::StatusOr<UdpSocket> Open(const UdpSocketConfig& config);
  static absl::StatusOr<UdpSocket> Open(const UdpSocketConfig& config, const SocketCalls& calls);

  // Closes it.
  ~UdpSocket();
  // The source may then only be destroyed or assigned to.
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;

  int fd() const;  // Of this object; to be polled, not closed.
  // With the port that the kernel chose. Wildcards stay wildcards.
  const SocketAddress& local_address() const;

  // The first `transmits_done` are dealt with: sent, or lost and counted. If `is_blocked`, the
  // kernel's buffer is full: wait until fd() is writable and offer the rest again, beginning with
  // the same transmit; its bytes may have moved. A part of it may have left: the socket remembers
  // how much, if what it sees is the same train, and otherwise sends the other one whole.
  using SendOutcome = UdpSendOutcome;
  SendOutcome Send(std::span<const Transmit> transmits);

  // Datagrams of the last Send() that the path's first hop does not take (EMSGSIZE), once for each
  // path and size; the first 16.
  using TooLarge = DatagramTooLarge;
  std::span<const TooLarge> too_large() const;

  // One system call; empty if nothing waits. What the kernel merged is cut. IPv4 addresses are
  // IPv4 also on a dual-stack socket. Valid until `batch` is used again or destroyed.
  std::span<ReceivedDatagram> Receive(DatagramBatch& batch, Timestamp now);

  const UdpSocketStats& stats() const;
  // Looks at the interfaces as they are now: some system calls each.
  OffloadReport offload_report() const;
  // What an operator should know and may change, as a line for a log, each once: a buffer that the
  // kernel capped, an offload that was switched off.
  std::optional<std::string> PollNotice();

  // For a group of `shard_count` (1 to 256) sockets with reuses_port and one address, on any of
  // them once all are open: a datagram goes to the socket whose number in the order of opening is
  // byte 0 of its packet's destination connection id, modulo `shard_count`. When one is closed, the
  // kernel gives its number to the last one, so all are better closed together.
  //
  // What the kernel has merged (GRO) goes where its first datagram belongs. A peer that uses one
  // address for connections of several shards may thus reach a shard that is not the right one.
  absl::Status AttachReusePortSteering(size_t shard_count);

 private:
  struct State;

  explicit UdpSocket(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_H_
