// SPDX-License-Identifier: Apache-2.0
//
// What tests with real UDP sockets share: sockets on loopback addresses, trains with known bytes,
// and waiting for what was sent. Nothing here measures time; waiting ends after some seconds with a
// failure, which only a lost datagram causes.
#ifndef GODWIT_TESTS_PLATFORM_UDP_SOCKET_FIXTURE_H_
#define GODWIT_TESTS_PLATFORM_UDP_SOCKET_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "godwit/datagram.h"
#include "godwit/ecn.h"
#include "godwit/socket_address.h"
#include "platform/udp_socket.h"

namespace godwit {

inline constexpr Timestamp kReceiveTime = Timestamp::FromNanoseconds(1'234'567);

SocketAddress Address(std::string_view text);

UdpSocketConfig ConfigFor(std::string_view local);
// Ends the test program if the socket cannot be opened.
UdpSocket OpenUdp(const UdpSocketConfig& config);
UdpSocket OpenUdp(std::string_view local);

// Whether this machine has ::1.
bool HasIpv6Loopback();

// `count` bytes, of which each segment of `segment_bytes` is unlike the others.
std::vector<uint8_t> PatternBytes(size_t count, size_t segment_bytes);

struct TrainOptions {
  EcnMark ecn = EcnMark::kNotEct;
  SocketAddress local = {};  // Wildcard: the kernel chooses.
};
Transmit Train(const std::vector<uint8_t>& bytes, size_t segment_bytes, const SocketAddress& peer,
               const TrainOptions& options = {});

// A received datagram that owns its bytes.
struct KeptDatagram {
  std::vector<uint8_t> payload;
  FourTuple four_tuple;
  EcnMark ecn;
  Timestamp received_at;
};

// Until something waits at the socket. False when patience ends.
bool WaitReadable(const UdpSocket& socket);

// Waits until `count` datagrams came, and looks once more for others behind them.
std::vector<KeptDatagram> ReceiveAll(UdpSocket& socket, size_t count);

// The payloads one after the other.
std::vector<uint8_t> Joined(const std::vector<KeptDatagram>& datagrams);

}  // namespace godwit

#endif  // GODWIT_TESTS_PLATFORM_UDP_SOCKET_FIXTURE_H_
