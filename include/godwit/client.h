// SPDX-License-Identifier: Apache-2.0
//
// Client: opens connections, over one UDP socket and one event loop that it brings along. The loop
// runs on the thread that calls Run(), or inside another loop: poll fd() until NextWakeup(), then
// RunOnce(Timestamp::InfinitePast()). Its clock is Loop::Now().
//
//   auto client = godwit::Client::Create(config, &handler);
//   (*client)->Dial("example.org", 4433, [&](absl::StatusOr<godwit::ConnectionRef> connection) {
//     ...
//   });
//   (*client)->Run();
//
// The socket has no fixed local address: when the machine's address changes, the kernel sends from
// the new one, and servers take that for a changed NAT (RFC 9000 §9.3).
//
// Threads: Stop() and loop().Post() from any; everything else on the thread that runs the loop, or
// while it does not run (checked in debug builds).
#ifndef GODWIT_INCLUDE_CLIENT_H_
#define GODWIT_INCLUDE_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/connection_ref.h"
#include "godwit/endpoint_stats.h"
#include "godwit/engine.h"
#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "godwit/udp_socket_config.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

struct ClientState;

struct ClientConfig {
  EndpointConfig endpoint;
  TlsClientConfig tls;
  UdpSocketConfig socket;
  // RFC 8305 §5: how long Dial() waits for one address before it tries the next beside it.
  Duration connection_attempt_delay = Duration::Milliseconds(250);
};

class Client {
 public:
  // `handler` outlives the client. Errors name the field, its value and what is allowed.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Client>> Create(const ClientConfig& config,
                                                                      EventHandler* handler);
  // Called once, inside of Create(), for a handler that needs the loop and belongs to the client:
  // it ends before the loop does.
  using HandlerFactory = std::function<std::unique_ptr<EventHandler>(Loop& loop)>;
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Client>> Create(
      const ClientConfig& config, const HandlerFactory& make_handler);
  // Open connections end without a word: see Shutdown(). Not inside of a callback, which would end
  // the process: let the loop return, or leave it to who runs it.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Resolves `host` (a name or a numeric address), tries its addresses (RFC 8305) and calls back
  // once, on the loop's thread and not inside of Dial(): with the first connection whose handshake
  // is complete, just before its OnConnected(), or with the reason of the last failure. The
  // handler hears of that connection alone. The certificate must be for `host`.
  using DialCallback = std::function<void(absl::StatusOr<ConnectionRef>)>;
  using DialId = uint64_t;  // Never used again.
  DialId Dial(std::string host, uint16_t port, DialCallback callback);
  // Gives up what Dial() has begun: its attempts are closed, and its callback, which will not be
  // called, is destroyed. Nothing happens if it was called.
  void CancelDial(DialId id);
  // One address, at once; OnConnected() or OnClosed() follows.
  absl::StatusOr<ConnectionRef> Connect(const SocketAddress& server, std::string_view server_name);

  // Until Stop(), which ends one Run(), also one that begins later.
  void Run();
  // Deals once with what has happened and what there is to send. If there is neither, waits for it
  // until `until` at most; InfinitePast() does not wait.
  void RunOnce(Timestamp until);
  void Stop();
  // Closes all connections with error code 0, sends that, and returns when all are gone or after
  // `deadline` at the latest. What Dial() has not brought about is cancelled. Not inside of a
  // callback.
  void Shutdown(Duration deadline);

  [[nodiscard]] Loop& loop();
  [[nodiscard]] int fd() const;
  [[nodiscard]] Timestamp NextWakeup() const;

  [[nodiscard]] SocketAddress local_address() const;
  [[nodiscard]] const EndpointStats& stats() const;
  [[nodiscard]] const UdpSocketStats& socket_stats() const;
  // What of segmentation offload and its like works here, in lines for people.
  [[nodiscard]] std::string OffloadText() const;
  // What an operator should know, each line once: doubtful configuration, capped buffers, offloads
  // that were switched off.
  [[nodiscard]] std::vector<std::string> TakeNotices();

 private:
  explicit Client(std::unique_ptr<ClientState> state);

  std::unique_ptr<ClientState> state_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CLIENT_H_
