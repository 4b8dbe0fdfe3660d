// SPDX-License-Identifier: Apache-2.0
//
// TcpListener: accepts TCP connections and hands them on. When the process has no descriptors left
// it pauses instead of spinning.
#ifndef GODWIT_TUNNEL_TCP_LISTENER_H_
#define GODWIT_TUNNEL_TCP_LISTENER_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/kernel_sockets.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class TcpListener {
 public:
  using Callback = std::function<void(UniqueFd fd, const SocketAddress& peer)>;

  // Errors as of ListenTcp(). `loop` outlives it; `on_accepted` must not destroy it.
  static absl::StatusOr<std::unique_ptr<TcpListener>> Open(Loop* loop, const SocketAddress& address,
                                                           Callback on_accepted);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // With the port that the kernel chose.
  [[nodiscard]] SocketAddress address() const { return LocalAddressOf(fd_.get()); }

 private:
  TcpListener(Loop* loop, UniqueFd fd, Callback on_accepted);

  absl::Status Watch();
  void WatchLater();
  void OnReadable();

  Loop& loop_;
  UniqueFd fd_;
  Callback on_accepted_;
  std::optional<Loop::CallId> pause_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TCP_LISTENER_H_
