// SPDX-License-Identifier: Apache-2.0
//
// TunnelServer: the server's side of tunnels: listens, accepts the clients whose keys are allowed,
// and connects them to what the rules let them reach. It runs on a thread of its own.
//
// Without targets in its configuration it forwards nowhere, without binds it listens nowhere for a
// client; both are told to the client with the line to add here.
//
// Threads: everything from any thread but that of the log's calls.
#ifndef GODWIT_TUNNEL_TUNNEL_SERVER_H_
#define GODWIT_TUNNEL_TUNNEL_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/server.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "tunnel/key_verifier.h"
#include "tunnel/server_link.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

class TunnelServer {
 public:
  // Listens and begins to serve. Errors are one line each.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TunnelServer>> Create(
      const TunnelServerConfig& config, TunnelLog log);
  // As Shutdown(Duration::Zero()).
  ~TunnelServer();
  TunnelServer(const TunnelServer&) = delete;
  TunnelServer& operator=(const TunnelServer&) = delete;

  // Of `config`: allowed_clients, allowed_targets and allowed_binds. Nothing changes with an
  // error. Connections of clients that are not allowed any more end; flows there are stay.
  absl::Status SetRules(const TunnelServerConfig& config);
  // Our key from here on: of new connections; those that there are stay. Nothing changes with an
  // error. What was derived from the old key (server_secrets.h) stays until the end of the process,
  // as the peers of open connections hold it.
  absl::Status SetIdentity(const Identity& identity);
  // Accepts no more, gives open TCP connections until `drain` to end, and ends. While it waits, a
  // call with a shorter `drain`, from another thread, brings the end nearer.
  void Shutdown(Duration drain);

  [[nodiscard]] SocketAddress local_address() const { return server_->local_address(); }
  [[nodiscard]] TunnelStatus Status();
  std::vector<std::string> TakeNotices() { return server_->TakeNotices(); }
  [[nodiscard]] std::string OffloadText() const { return server_->OffloadText(); }

 private:
  explicit TunnelServer(const TunnelServerConfig& config)
      : common_(config.common), verifier_(config.allowed_clients) {}

  // On the loop's thread; when it returns, `call` has run, or the loop has ended.
  void CallOnLoop(const std::function<void(ServerLink& link)>& call);

  const TunnelCommonConfig common_;
  KeyVerifier verifier_;
  Loop* loop_ = nullptr;  // Both are the server's.
  ServerLink* link_ = nullptr;
  std::unique_ptr<Server> server_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_SERVER_H_
