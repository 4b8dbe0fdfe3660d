// SPDX-License-Identifier: Apache-2.0
//
// QuicServerRun: a godwit server of one shard, for the length of one measurement: it says where it
// listens, and ends when its handler says that all is over. What is served and counted is the
// handler's.
#ifndef GODWIT_BENCH_QUIC_SERVER_RUN_H_
#define GODWIT_BENCH_QUIC_SERVER_RUN_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"

#include "bench/transfer_options.h"
#include "godwit/endpoint_config.h"
#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "godwit/server.h"
#include "godwit/socket_address.h"
#include "godwit/tls_config.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

class QuicServerRun {
 public:
  using MakeHandler = std::function<std::unique_ptr<EventHandler>(Loop& loop, QuicServerRun& run)>;

  // What all servers of these programs have: the options' address, certificate and congestion
  // controller, and no limits that a single client would meet. No session is resumed.
  static ServerConfig ConfigFor(const TransferOptions& options, const TlsCertificate& certificate);
  static EndpointConfig EndpointFor(const TransferOptions& options);

  // The handler lives as long as this object.
  static absl::StatusOr<std::unique_ptr<QuicServerRun>> Create(const ServerConfig& config,
                                                               const MakeHandler& make_handler);

  // Starts it, announces it, waits for TellOver(), and then until the client has closed.
  void Run();

  // ---- From the handler ----

  void TellOver();
  UdpSocketStats socket_stats() { return server_->SocketStats(); }

  // Where it listens, with the port that the kernel has chosen.
  SocketAddress local_address() const { return server_->local_address(); }

  // After Run().
  const std::string& offloads() const { return offloads_; }

 private:
  QuicServerRun() = default;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::string offloads_;
  std::unique_ptr<Server> server_;  // Last: its handler calls this object.
};

}  // namespace godwit

#endif  // GODWIT_BENCH_QUIC_SERVER_RUN_H_
