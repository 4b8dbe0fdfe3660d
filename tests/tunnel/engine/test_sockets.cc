// SPDX-License-Identifier: Apache-2.0
#include "tests/tunnel/engine/test_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/seeded_random.h"
#include "tunnel/kernel_sockets.h"

namespace godwit::tunnel {
namespace {

constexpr int kPatienceMilliseconds = kPatienceSeconds * 1'000;
// Who does not read for so long will not.
constexpr int kNobodyReadsMilliseconds = 400;

bool WaitFor(int fd, short events, int milliseconds) {
  pollfd waited = {.fd = fd, .events = events, .revents = 0};
  return poll(&waited, 1, milliseconds) == 1;
}

SocketAddress Loopback() { return *SocketAddress::Parse("127.0.0.1:0"); }

}  // namespace

TestStream::TestStream(UniqueFd fd) : fd_(std::move(fd)) {}

TestStream TestStream::Connect(const SocketAddress& address) {
  SocketOrError socket = StartConnect(address);
  if (socket.fd.is_open()) WaitFor(socket.fd.get(), POLLOUT, kPatienceMilliseconds);
  return TestStream(std::move(socket.fd));
}

bool TestStream::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!WaitFor(fd_.get(), POLLOUT, kPatienceMilliseconds)) return false;
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

size_t TestStream::SendWithoutReader(std::string_view bytes) {
  size_t total = 0;
  while (total < bytes.size() && WaitFor(fd_.get(), POLLOUT, kNobodyReadsMilliseconds)) {
    const ssize_t sent =
        send(fd_.get(), bytes.data() + total, bytes.size() - total, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) break;
    total += static_cast<size_t>(sent);
  }
  return total;
}

void TestStream::FinishSending() { shutdown(fd_.get(), SHUT_WR); }

std::string TestStream::Read(size_t size) {
  std::string bytes(size, '\0');
  size_t total = 0;
  while (total < size && WaitFor(fd_.get(), POLLIN, kPatienceMilliseconds)) {
    const ssize_t got = recv(fd_.get(), bytes.data() + total, size - total, MSG_DONTWAIT);
    if (got <= 0) break;
    total += static_cast<size_t>(got);
  }
  bytes.resize(total);
  return bytes;
}

std::string TestStream::ReadAll(StreamEnd* end) {
  std::string bytes;
  std::array<char, 65'536> part;
  *end = StreamEnd::kTimeout;
  while (WaitFor(fd_.get(), POLLIN, kPatienceMilliseconds)) {
    const ssize_t got = recv(fd_.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (got > 0) {
      bytes.append(part.data(), static_cast<size_t>(got));
      continue;
    }
    *end = got == 0 ? StreamEnd::kFin : StreamEnd::kReset;
    break;
  }
  return bytes;
}

StreamEnd TestStream::WaitForEnd() {
  StreamEnd end = StreamEnd::kTimeout;
  ReadAll(&end);
  return end;
}

void TestStream::Reset() {
  ResetOnClose(fd_.get());
  fd_.Close();
}

TestListener::TestListener() {
  auto fd = ListenTcp(Loopback());
  GODWIT_CHECK(fd.ok());
  fd_ = *std::move(fd);
}

SocketAddress TestListener::address() const { return LocalAddressOf(fd_.get()); }

TestStream TestListener::Accept() {
  WaitFor(fd_.get(), POLLIN, kPatienceMilliseconds);
  AcceptResult result = tunnel::Accept(fd_.get());
  return TestStream(result.accepted.has_value() ? std::move(result.accepted->fd) : UniqueFd());
}

TestUdpSocket::TestUdpSocket() {
  auto fd = BindUdp(Loopback());
  GODWIT_CHECK(fd.ok());
  fd_ = *std::move(fd);
}

SocketAddress TestUdpSocket::address() const { return LocalAddressOf(fd_.get()); }

void TestUdpSocket::SendTo(std::string_view packet, const SocketAddress& to) {
  tunnel::SendTo(fd_.get(), {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()}, to);
}

std::string TestUdpSocket::Receive(SocketAddress* from) {
  if (!WaitFor(fd_.get(), POLLIN, kPatienceMilliseconds)) return {};
  std::vector<uint8_t> bytes(65'536);
  const auto received = ReceiveFrom(fd_.get(), bytes);
  if (!received.has_value()) return {};
  if (from != nullptr) *from = received->from;
  return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(received->bytes)};
}

std::string Pattern(size_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  SeededRandom(seed).Fill({reinterpret_cast<uint8_t*>(bytes.data()), size});
  return bytes;
}

}  // namespace godwit::tunnel
