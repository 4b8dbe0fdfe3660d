// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tcp_listener.h"

#include <utility>

namespace godwit::tunnel {
namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr Duration kPause = Duration::Milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Open(Loop* loop,
                                                               const SocketAddress& address,
                                                               Callback on_accepted) {
  auto fd = ListenTcp(address);
  if (!fd.ok()) return fd.status();
  std::unique_ptr<TcpListener> listener(
      new TcpListener(loop, *std::move(fd), std::move(on_accepted)));
  if (absl::Status status = listener->Watch(); !status.ok()) return status;
  return listener;
}

TcpListener::TcpListener(Loop* loop, UniqueFd fd, Callback on_accepted)
    : loop_(*loop), fd_(std::move(fd)), on_accepted_(std::move(on_accepted)) {}

TcpListener::~TcpListener() {
  if (pause_.has_value()) loop_.Cancel(*pause_);
  loop_.UnwatchFd(fd_.get());
}

absl::Status TcpListener::Watch() {
  return loop_.WatchFd(fd_.get(), {.readable = true}, [this](FdEvents) { OnReadable(); });
}

void TcpListener::OnReadable() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    AcceptResult result = Accept(fd_.get());
    if (result.accepted.has_value()) {
      on_accepted_(std::move(result.accepted->fd), result.accepted->peer);
      continue;
    }
    if (result.error == 0) return;
    loop_.UnwatchFd(fd_.get());
    return WatchLater();
  }
}

void TcpListener::WatchLater() {
  pause_ = loop_.CallAt(loop_.now() + kPause, [this] {
    pause_.reset();
    if (!Watch().ok()) WatchLater();
  });
}

}  // namespace godwit::tunnel
