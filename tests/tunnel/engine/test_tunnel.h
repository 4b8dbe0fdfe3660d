// SPDX-License-Identifier: Apache-2.0
//
// TestTunnel: a server and a client of a tunnel over loopback, each on a thread of its own, with
// keys that they know of each other.
#ifndef GODWIT_TESTS_TUNNEL_ENGINE_TEST_TUNNEL_H_
#define GODWIT_TESTS_TUNNEL_ENGINE_TEST_TUNNEL_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

#include "tunnel/tunnel_client.h"
#include "tunnel/tunnel_server.h"

namespace godwit::tunnel {

const Identity& ServerIdentity();
const Identity& ClientIdentity();
const Identity& StrangerIdentity();

// A forward from a port of 127.0.0.1 that the kernel chooses.
Forward ForwardTo(const SocketAddress& target, ForwardProtocol protocol = ForwardProtocol::kTcp);
HostPort ToHostPort(const SocketAddress& address);

// Of a server on 127.0.0.1 that knows the client and lets it reach and bind the loopback, and of a
// client; without the server's port.
TunnelServerConfig TestServerConfig();
TunnelClientConfig TestClientConfig();

class TestTunnel {
 public:
  // Starts both; waits until they are connected.
  explicit TestTunnel(TunnelClientConfig client,
                      const TunnelServerConfig& server = TestServerConfig());
  ~TestTunnel();

  TunnelServer& server() { return *server_; }
  // Where the client listens, by its position in the configuration.
  SocketAddress forward(size_t i) const { return forwards_.at(i); }
  SocketAddress socks(size_t i) const { return socks_.at(i); }

  void StopServer() { server_.reset(); }
  // On the same port as before.
  void StartServer();
  // Waits until the client is connected, or not.
  bool WaitUntilUp(bool is_up);

  TunnelStatus ClientStatus();
  // False if it has not come to be in time.
  bool WaitForClient(const std::function<bool(const TunnelStatus&)>& condition);
  bool WaitForServer(const std::function<bool(const TunnelStatus&)>& condition);
  // Of both sides.
  bool HasLogged(const std::string& part);

 private:
  TunnelLog Log();

  TunnelServerConfig server_config_;
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<TunnelServer> server_;
  std::unique_ptr<TunnelClient> client_;
  std::vector<SocketAddress> forwards_;
  std::vector<SocketAddress> socks_;
  std::thread thread_;
};

// Runs a client until its first connection has failed; the reason.
absl::Status FirstFailure(const TunnelClientConfig& config);

}  // namespace godwit::tunnel

#endif  // GODWIT_TESTS_TUNNEL_ENGINE_TEST_TUNNEL_H_
