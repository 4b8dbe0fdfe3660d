// SPDX-License-Identifier: Apache-2.0
//
// TargetConnector: from a host and port that somebody asked for to a connected socket: resolves,
// asks whether each address is allowed, and connects to exactly those that were: the next one is
// tried when the last has failed or has not answered for a while, beside it (RFC 8305 §5); the
// first that stands wins. Which are allowed is the gate's to say.
//
// For one request; destroying it ends it, without a call. Threads: the loop's.
#ifndef GODWIT_TUNNEL_TARGET_CONNECTOR_H_
#define GODWIT_TUNNEL_TARGET_CONNECTOR_H_

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/name_resolver.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_message.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class TargetConnector {
 public:
  // Of one address.
  static constexpr Duration kPatience = Duration::Seconds(10);
  // From the beginning with one address to that with the next.
  static constexpr Duration kAttemptDelay = Duration::Milliseconds(250);
  static constexpr size_t kMaxAddresses = 4;

  using Gate = std::function<bool(std::string_view host, const SocketAddress& resolved)>;

  struct Result {
    OpenReply reply;
    UniqueFd fd;  // Where the reply is kOk.
  };
  // Once, not inside of the constructor. May destroy the connector.
  using Callback = std::function<void(Result result)>;

  struct Options {
    Loop* loop = nullptr;
    NameResolver* resolver = nullptr;
    ForwardProtocol protocol = ForwardProtocol::kTcp;
    HostPort target;
    Gate gate;  // Null: everything.
    Callback callback;
  };
  explicit TargetConnector(Options options);
  ~TargetConnector();
  TargetConnector(const TargetConnector&) = delete;
  TargetConnector& operator=(const TargetConnector&) = delete;

 private:
  void OnAddresses(absl::StatusOr<HostResolver::Addresses> addresses);
  struct Attempt {
    SocketAddress address;
    UniqueFd fd;
    std::optional<Loop::CallId> timer;
  };

  void TryNext();
  // Whether the answer is awaited.
  bool Begin(const SocketAddress& address, UniqueFd fd);
  void OnConnectEvent(Attempt& attempt);
  void OnFailed(Attempt& attempt, int error);
  void NoteFailure(const SocketAddress& address, int error);
  void Stop(Attempt& attempt);
  void StopAll();
  void End(Result result);

  Options options_;
  // What callbacks of the resolver, which cannot be taken back, look at.
  std::shared_ptr<TargetConnector*> self_;
  std::vector<SocketAddress> untried_;  // The next one last.
  OpenReply failure_;
  std::list<Attempt> attempts_;
  std::optional<Loop::CallId> next_timer_;
};

// What a failed system call means to the peer.
ReplyStatus StatusOfErrno(int error);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TARGET_CONNECTOR_H_
