// SPDX-License-Identifier: Apache-2.0
//
// TextServer: answers everybody who connects to a listener with one text, and hangs up: the status
// of a tunnel through a Unix socket, its figures for Prometheus over HTTP. What the text says is
// its owner's business.
//
// Bounded: kMaxConnections at a time (more are hung up on), a request of kMaxRequestBytes, and
// kPatience from accept to the end. When the process has no descriptors left it pauses instead of
// spinning. Threads: the loop's.
#ifndef GODWIT_TUNNEL_TEXT_SERVER_H_
#define GODWIT_TUNNEL_TEXT_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "godwit/loop.h"
#include "godwit/time.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class TextServer {
 public:
  static constexpr size_t kMaxConnections = 16;
  static constexpr size_t kMaxRequestBytes = 4'096;
  static constexpr Duration kPatience = Duration::Seconds(5);

  enum class Protocol : uint8_t {
    kPlain,  // Says the text at once.
    kHttp,   // HTTP/1.0: GET of any path, as plain text.
  };
  // Called for each connection that has said what it must.
  using Answer = std::function<std::string()>;

  // `loop` outlives this.
  TextServer(Loop* loop, Protocol protocol, Answer answer);
  ~TextServer();
  TextServer(const TextServer&) = delete;
  TextServer& operator=(const TextServer&) = delete;

  // Once. `listener` does not block.
  absl::Status Start(UniqueFd listener);

 private:
  struct Connection {
    UniqueFd fd;
    std::string request;
    std::string reply;
    Loop::CallId deadline = 0;
    bool has_reply = false;
  };

  absl::Status Watch();
  void WatchLater();
  void OnConnections();
  void OnEvents(int fd);
  // False: nothing more is expected of the peer, or it went away.
  bool Receive(Connection& connection);
  void Send(Connection& connection);
  void Close(int fd);

  Loop& loop_;
  const Protocol protocol_;
  const Answer answer_;
  UniqueFd listener_;
  std::optional<Loop::CallId> pause_;
  std::map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TEXT_SERVER_H_
