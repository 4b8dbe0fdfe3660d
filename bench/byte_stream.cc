// SPDX-License-Identifier: Apache-2.0
#include "bench/byte_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace godwit {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(FileDescriptor socket) : socket_(std::move(socket)) {}

  int fd() const override { return socket_.fd(); }
  IoOutcome Handshake() override { return {}; }
  IoOutcome Read(std::span<uint8_t> buffer) override {
    return socket_.Receive(buffer.first(kReceiveBytes));
  }
  IoOutcome Write(std::span<const uint8_t> bytes) override { return socket_.Send(bytes); }
  bool needs_flush() const override { return false; }
  IoOutcome Flush() override { return {}; }
  IoOutcome End() override { return socket_.EndSending(); }
  const SocketCallCounts& calls() const override { return socket_.calls(); }
  std::string cipher() const override { return ""; }
  std::string failure() const override { return socket_.failure(); }

 private:
  CountedSocket socket_;
};

}  // namespace

IoOutcome CountedSocket::Send(std::span<const uint8_t> bytes) {
  ++calls_.send_calls;
  return OutcomeOf(send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), "send");
}

IoOutcome CountedSocket::Receive(std::span<uint8_t> buffer) {
  ++calls_.receive_calls;
  const ssize_t result = recv(fd(), buffer.data(), buffer.size(), 0);
  if (result == 0) return {IoOutcome::State::kEnded};
  return OutcomeOf(result, "recv");
}

IoOutcome CountedSocket::EndSending() { return OutcomeOf(shutdown(fd(), SHUT_WR), "shutdown"); }

IoOutcome CountedSocket::OutcomeOf(ssize_t result, const char* call) {
  if (result >= 0) return {IoOutcome::State::kProgress, static_cast<size_t>(result)};
  if (errno == EAGAIN || errno == EINTR) return {IoOutcome::State::kBlocked};
  failure_ = std::string(call) + ": " + std::strerror(errno);
  return {IoOutcome::State::kFailed};
}

std::unique_ptr<ByteStream> NewPlainStream(FileDescriptor socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace godwit
