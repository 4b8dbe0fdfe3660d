// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/udp_socket_fixture.h"

#include <poll.h>

#include <utility>

#include "gtest/gtest.h"

#include "base/check.h"

namespace godwit {
namespace {

constexpr int kPatienceMs = 20'000;

}  // namespace

SocketAddress Address(std::string_view text) { return SocketAddress::Parse(text).value(); }

UdpSocketConfig ConfigFor(std::string_view local) {
  UdpSocketConfig config;
  config.local = Address(local);
  return config;
}

UdpSocket OpenUdp(const UdpSocketConfig& config) {
  absl::StatusOr<UdpSocket> socket = UdpSocket::Open(config);
  EXPECT_TRUE(socket.ok()) << socket.status();
  GODWIT_CHECK(socket.ok());
  return *std::move(socket);
}

UdpSocket OpenUdp(std::string_view local) { return OpenUdp(ConfigFor(local)); }

bool HasIpv6Loopback() { return UdpSocket::Open(ConfigFor("[::1]:0")).ok(); }

std::vector<uint8_t> PatternBytes(size_t count, size_t segment_bytes) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<uint8_t>(i / segment_bytes * 37 + i % segment_bytes);
  }
  return bytes;
}

Transmit Train(const std::vector<uint8_t>& bytes, size_t segment_bytes, const SocketAddress& peer,
               const TrainOptions& options) {
  return {.payload = bytes,
          .segment_size = segment_bytes,
          .four_tuple = {.local = options.local, .peer = peer},
          .ecn = options.ecn};
}

bool WaitReadable(const UdpSocket& socket) {
  pollfd poll_fd = {.fd = socket.fd(), .events = POLLIN, .revents = 0};
  return poll(&poll_fd, 1, kPatienceMs) == 1;
}

std::vector<KeptDatagram> ReceiveAll(UdpSocket& socket, size_t count) {
  DatagramBatch batch;
  std::vector<KeptDatagram> kept;
  const auto take = [&] {
    for (const ReceivedDatagram& datagram : socket.Receive(batch, kReceiveTime)) {
      kept.push_back({.payload = {datagram.payload.begin(), datagram.payload.end()},
                      .four_tuple = datagram.four_tuple,
                      .ecn = datagram.ecn,
                      .received_at = datagram.received_at});
    }
  };
  while (kept.size() < count && WaitReadable(socket)) take();
  take();
  EXPECT_EQ(kept.size(), count);
  return kept;
}

std::vector<uint8_t> Joined(const std::vector<KeptDatagram>& datagrams) {
  std::vector<uint8_t> bytes;
  for (const KeptDatagram& datagram : datagrams) {
    bytes.insert(bytes.end(), datagram.payload.begin(), datagram.payload.end());
  }
  return bytes;
}

}  // namespace godwit
