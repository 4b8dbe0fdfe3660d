// SPDX-License-Identifier: Apache-2.0
//
// Server: accepts connections on a UDP port, with one thread for each shard. A shard has a socket,
// an engine, a loop and a handler of its own and shares nothing with the others but certificates
// and keys. The kernel brings datagrams to the shard that issued their connection id, so that a
// client whose address changes stays where it is.
//
//   auto server = godwit::Server::Create(config, [](godwit::Loop&) {
//     return std::make_unique<MyHandler>();
//   });
//   (*server)->Start();
//   ...
//   (*server)->Shutdown(godwit::Duration::Seconds(5));
//
// Threads: handlers live on their shard's thread. Everything here may be called from any thread but
// those (checked in debug builds for what would wait for itself: Shutdown() and the destructor).
#ifndef GODWIT_INCLUDE_SERVER_H_
#define GODWIT_INCLUDE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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

struct ServerState;

struct ServerConfig {
  // Limits are for each shard.
  EndpointConfig endpoint;
  TlsServerConfig tls;
  std::string server_key_file;  // See EngineConfig.
  UdpSocketConfig socket;
  // 1 to 256.
  uint32_t shards = 1;
};

struct ServerStats : EndpointStats {
  // Datagrams that came to the socket of one shard and belonged to another, which was given a copy.
  // The kernel steers by connection id, so that there are none, or few: what it has merged (GRO)
  // of one client's connections to several shards goes where the first datagram goes. Many say
  // that it does not steer: all is well but for the time that it takes.
  uint64_t datagrams_handed_over = 0;
};

class Server {
 public:
  // Called on the caller's thread, once for each shard, before it starts. The handler is destroyed
  // on that of Shutdown() or the destructor, when its shard has ended.
  using HandlerFactory = std::function<std::unique_ptr<EventHandler>(Loop& loop)>;

  // Opens the sockets, so that errors show at once. Errors name the field, its value and what is
  // allowed.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Create(
      const ServerConfig& config, const HandlerFactory& make_handler);
  // As Shutdown(Duration::Zero()).
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Starts the threads. Once.
  void Start();
  // Accepts no more, gives the connections until `drain` to end by themselves, then closes them
  // with error code 0, and ends the threads. While it waits, a call with a shorter `drain`, from
  // another thread, brings the end of both nearer.
  void Shutdown(Duration drain);
  // Takes a new certificate into use, or whatever else `config` says in place of ServerConfig::tls,
  // for the connections accepted from here on; those that there are keep what they have. Nothing
  // changes with an error.
  absl::Status SetTls(const TlsServerConfig& config);

  // With the port that the kernel chose.
  [[nodiscard]] SocketAddress local_address() const;
  // Sums over the shards, as of a moment ago. Waits for the shards.
  [[nodiscard]] ServerStats Stats();
  [[nodiscard]] UdpSocketStats SocketStats();
  [[nodiscard]] std::string OffloadText() const;
  [[nodiscard]] std::vector<std::string> TakeNotices();

 private:
  explicit Server(std::unique_ptr<ServerState> state);

  std::unique_ptr<ServerState> state_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_SERVER_H_
