// SPDX-License-Identifier: Apache-2.0
//
// UdpSocketStats: what a UDP socket has done since it was opened, and what became of the datagrams
// that it could not send. Counters only; nothing is decided by them.
#ifndef GODWIT_INCLUDE_UDP_SOCKET_STATS_H_
#define GODWIT_INCLUDE_UDP_SOCKET_STATS_H_

#include <cstdint>

namespace godwit {

struct UdpSocketStats {
  // Datagrams as they are on the wire, whatever trains they travel in; bytes of UDP payload.
  uint64_t datagrams_sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t send_calls = 0;
  // What the kernel took as trains, to cut them itself (GSO), and how many datagrams it made of
  // them.
  uint64_t trains_sent = 0;
  uint64_t train_datagrams_sent = 0;
  uint64_t times_blocked = 0;  // The kernel's send buffer was full.
  uint64_t datagrams_received = 0;
  uint64_t bytes_received = 0;
  uint64_t receive_calls = 0;

  // Datagrams that were to be sent and are lost, by what the kernel said.
  struct Lost {
    uint64_t no_buffers = 0;     // ENOBUFS, ENOMEM.
    uint64_t too_large = 0;      // EMSGSIZE.
    uint64_t not_permitted = 0;  // EPERM, EACCES: a firewall.
    uint64_t unreachable = 0;    // ENETUNREACH, EHOSTUNREACH, ENETDOWN, ...: no such route, now.
    uint64_t invalid = 0;        // EINVAL: above all, a local address that has gone.
    uint64_t other = 0;

    uint64_t total() const {
      return no_buffers + too_large + not_permitted + unreachable + invalid + other;
    }
  } lost;

  // Received by the kernel and dropped for lack of room in the socket's buffer, as the kernel
  // counts them: what it has merged (GRO) counts once.
  uint64_t kernel_drops = 0;
  // Received and unusable: larger than any UDP datagram can be, or without the control messages
  // that tell how to cut them.
  uint64_t truncated = 0;
  uint64_t receive_errors = 0;

  uint64_t trains_resent = 0;  // Refused as a train, so sent one by one.
  uint64_t gso_disabled = 0;   // Local addresses for which GSO was switched off.
  uint64_t ecn_disabled = 0;   // 1 once marks are not sent any more, as the kernel refused them.
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_UDP_SOCKET_STATS_H_
