// SPDX-License-Identifier: Apache-2.0
//
// UdpSender: the sending half of UdpSocket: transmits to messages for sendmmsg(), and what follows
// from each errno. It says what happened; to tell people is the socket's.
//
// A train that the kernel refuses is sent again one by one, at once. Who is to blame is seen by
// what then goes through: GSO, for that local address, if a single datagram does; the mark, if the
// same datagram does without it; the path's MTU, if a single datagram is too large as well. If
// nothing goes through, it was something else (a local address that has gone is EINVAL, too).
//
// Invariant: between two system calls every segment before the cursor was sent or counted as lost,
// and none after it was.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_SENDER_H_
#define GODWIT_PLATFORM_UDP_SOCKET_SENDER_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "godwit/datagram.h"
#include "godwit/four_tuple.h"
#include "godwit/socket_address.h"
#include "platform/socket_calls.h"
#include "platform/udp_socket_address.h"
#include "platform/udp_socket_control.h"
#include "platform/udp_socket_outcome.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

class UdpSender {
 public:
  struct Settings {
    int fd;
    int family;           // AF_INET or AF_INET6.
    SocketAddress local;  // What the socket is bound to.
    bool uses_gso;
    bool uses_ecn;
    size_t max_train_segments;
  };
  struct GsoFailure {
    SocketAddress local;  // Port 0.
    int error = 0;
  };
  // Beyond that many GSO is off everywhere.
  static constexpr size_t kMaxGsoFailures = 8;

  UdpSender(const Settings& settings, const SocketCalls& calls);
  // Messages point into the object.
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;

  UdpSendOutcome Send(std::span<const Transmit> transmits, UdpSocketStats& stats);

  // Of the last Send().
  std::span<const DatagramTooLarge> too_large() const {
    return std::span(too_large_).first(too_large_count_);
  }
  std::span<const GsoFailure> gso_failures() const {
    return std::span(gso_failures_).first(gso_failure_count_);
  }
  bool has_ecn_failed() const { return has_ecn_failed_; }

 private:
  static constexpr size_t kMaxMessages = 64;
  static constexpr size_t kMaxTooLarge = 16;
  static constexpr size_t kFingerprintBytes = 16;

  struct Cursor {
    size_t transmit = 0;
    size_t byte = 0;  // At the start of a segment.
  };
  // What a message carries.
  struct Chunk {
    Cursor begin;
    size_t bytes = 0;
    size_t segment_count = 0;
    bool has_mark = false;
  };
  struct Destination {
    KernelAddress address;
    socklen_t address_bytes;
    SendControl control;
  };
  // A train of which the kernel took only the first part before it was full. Its last bytes are an
  // AEAD's tag, and so tell it from all others.
  struct PartlySent {
    size_t sent_bytes = 0;  // 0: none.
    size_t payload_bytes = 0;
    size_t segment_bytes = 0;
    FourTuple four_tuple;
    std::array<uint8_t, kFingerprintBytes> last_bytes = {};
  };

  size_t BytesSentBefore(std::span<const Transmit> transmits);
  UdpSendOutcome Block(std::span<const Transmit> transmits, UdpSocketStats& stats);
  size_t FillMessages(std::span<const Transmit> transmits);
  void WriteDestination(const Transmit& transmit, Destination& destination);
  Chunk NextChunk(const Transmit& transmit, const Cursor& cursor) const;
  void WriteMessage(const Transmit& transmit, const Chunk& chunk, Destination& destination,
                    size_t index);

  void OnSent(std::span<const Transmit> transmits, size_t message_count, UdpSocketStats& stats);
  void Acquit(const Transmit& transmit, UdpSocketStats& stats);
  void OnError(std::span<const Transmit> transmits, int error, UdpSocketStats& stats);
  void Advance(const Chunk& chunk);
  void AddTooLarge(const Transmit& transmit, size_t bytes);
  bool IsGsoOff(const SocketAddress& local) const;
  void DisableGso(const SocketAddress& local, int error, UdpSocketStats& stats);

  Settings settings_;
  SocketCalls calls_;

  // Of the call of Send() that is under way.
  Cursor cursor_;
  Cursor singles_end_;       // Up to here in this transmit no train is tried.
  int suspected_error_ = 0;  // Of the train before singles_end_; 0 once it is settled.
  bool omits_mark_ = false;  // The next message is one datagram's second try, without its mark.

  PartlySent partly_sent_;
  bool has_ecn_failed_ = false;
  std::array<GsoFailure, kMaxGsoFailures> gso_failures_ = {};
  size_t gso_failure_count_ = 0;
  std::array<DatagramTooLarge, kMaxTooLarge> too_large_ = {};
  size_t too_large_count_ = 0;

  std::array<mmsghdr, kMaxMessages> messages_ = {};
  std::array<iovec, kMaxMessages> buffers_ = {};
  std::array<Chunk, kMaxMessages> chunks_ = {};
  std::array<Destination, kMaxMessages> destinations_ = {};
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_SENDER_H_
