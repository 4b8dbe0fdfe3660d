// SPDX-License-Identifier: Apache-2.0
#include "tunnel/text_server.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace godwit::tunnel {
namespace {

std::string HttpReply(const std::string& status, const std::string& text) {
  return absl::StrCat("HTTP/1.0 ", status,
                      "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                      "Content-Length: ",
                      text.size(), "\r\nConnection: close\r\n\r\n", text);
}

// While the process has no descriptors left.
constexpr Duration kPause = Duration::Milliseconds(500);

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

TextServer::TextServer(Loop* loop, Protocol protocol, Answer answer)
    : loop_(*loop), protocol_(protocol), answer_(std::move(answer)) {}

TextServer::~TextServer() {
  while (!connections_.empty()) Close(connections_.begin()->first);
  if (pause_.has_value()) loop_.Cancel(*pause_);
  if (listener_.is_open()) loop_.UnwatchFd(listener_.get());
}

absl::Status TextServer::Start(UniqueFd listener) {
  listener_ = std::move(listener);
  return Watch();
}

absl::Status TextServer::Watch() {
  return loop_.WatchFd(listener_.get(), {.readable = true}, [this](FdEvents) { OnConnections(); });
}

void TextServer::WatchLater() {
  pause_ = loop_.CallAt(loop_.now() + kPause, [this] {
    pause_.reset();
    if (!Watch().ok()) WatchLater();
  });
}

void TextServer::OnConnections() {
  while (true) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.is_open()) {
      if (WouldBlock()) return;
      // Who waits there would wake us up again at once.
      loop_.UnwatchFd(listener_.get());
      return WatchLater();
    }
    if (connections_.size() >= kMaxConnections) continue;
    const int number = fd.get();
    const bool is_plain = protocol_ == Protocol::kPlain;
    if (!loop_
             .WatchFd(number, {.readable = !is_plain, .writable = is_plain},
                      [this, number](FdEvents) { OnEvents(number); })
             .ok()) {
      continue;
    }
    auto connection = std::make_unique<Connection>();
    connection->fd = std::move(fd);
    connection->deadline = loop_.CallAt(loop_.now() + kPatience, [this, number] { Close(number); });
    connections_[number] = std::move(connection);
  }
}

void TextServer::OnEvents(int fd) {
  Connection& connection = *connections_.at(fd);
  if (protocol_ == Protocol::kHttp && !connection.has_reply) {
    if (Receive(connection)) return;
    if (connection.request.find("\r\n\r\n") == std::string::npos) return Close(fd);
    connection.reply = connection.request.starts_with("GET ")
                           ? HttpReply("200 OK", answer_())
                           : HttpReply("405 Method Not Allowed", "only GET is understood\n");
    connection.has_reply = true;
    if (!loop_.ModifyFd(fd, {.writable = true}).ok()) return Close(fd);
  } else if (!connection.has_reply) {
    connection.reply = answer_();
    connection.has_reply = true;
  }
  Send(connection);
}

bool TextServer::Receive(Connection& connection) {
  std::array<char, 1024> bytes;
  while (connection.request.size() < kMaxRequestBytes) {
    const ssize_t got = recv(connection.fd.get(), bytes.data(), bytes.size(), 0);
    if (got < 0) return WouldBlock();
    if (got == 0) return false;
    connection.request.append(bytes.data(), static_cast<size_t>(got));
    if (connection.request.find("\r\n\r\n") != std::string::npos) return false;
  }
  return false;
}

void TextServer::Send(Connection& connection) {
  while (!connection.reply.empty()) {
    const ssize_t sent =
        send(connection.fd.get(), connection.reply.data(), connection.reply.size(), MSG_NOSIGNAL);
    if (sent < 0 && WouldBlock()) return;
    if (sent < 0) break;
    connection.reply.erase(0, static_cast<size_t>(sent));
  }
  Close(connection.fd.get());
}

void TextServer::Close(int fd) {
  const auto found = connections_.find(fd);
  loop_.Cancel(found->second->deadline);
  loop_.UnwatchFd(fd);
  connections_.erase(found);
}

}  // namespace godwit::tunnel
