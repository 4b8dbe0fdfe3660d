// SPDX-License-Identifier: Apache-2.0
#include "tests/tunnel/engine/test_tunnel.h"

#include <chrono>
#include <future>
#include <utility>

#include "base/check.h"
#include "tests/tunnel/engine/test_sockets.h"
#include "tunnel/identity.h"

namespace godwit::tunnel {
namespace {

const Identity& Make() {
  auto made = NewIdentity(KeyKind::kEd25519);
  GODWIT_CHECK(made.ok());
  return *new Identity(*std::move(made));
}

bool WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kPatienceSeconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

const Identity& ServerIdentity() {
  static const Identity& identity = Make();
  return identity;
}
const Identity& ClientIdentity() {
  static const Identity& identity = Make();
  return identity;
}
const Identity& StrangerIdentity() {
  static const Identity& identity = Make();
  return identity;
}

HostPort ToHostPort(const SocketAddress& address) {
  return {.host = IpText(address), .port = address.port()};
}

Forward ForwardTo(const SocketAddress& target, ForwardProtocol protocol) {
  return {
      .protocol = protocol, .bind = {.host = "127.0.0.1", .port = 0}, .target = ToHostPort(target)};
}

TunnelServerConfig TestServerConfig() {
  TunnelServerConfig config;
  config.common.identity = ServerIdentity();
  config.listen = {.host = "127.0.0.1", .port = 0};
  config.allowed_clients = {ClientIdentity().fingerprint};
  config.allowed_targets = {"127.0.0.1:*"};
  config.allowed_binds = {"127.0.0.1:*"};
  return config;
}

TunnelClientConfig TestClientConfig() {
  TunnelClientConfig config;
  config.common.identity = ClientIdentity();
  config.server = {.host = "127.0.0.1", .port = 0};
  config.server_key = ServerIdentity().fingerprint;
  return config;
}

TestTunnel::TestTunnel(TunnelClientConfig client, const TunnelServerConfig& server)
    : server_config_(server) {
  StartServer();
  if (client.server.port == 0) client.server.port = server_->local_address().port();
  auto made = TunnelClient::Create(client, Log());
  GODWIT_CHECK(made.ok());
  client_ = *std::move(made);
  forwards_ = client_->forward_addresses();
  socks_ = client_->socks_addresses();
  thread_ = std::thread([this] { static_cast<void>(client_->Run()); });
  GODWIT_CHECK(WaitUntilUp(true));
}

TestTunnel::~TestTunnel() {
  client_->Stop();
  thread_.join();
}

void TestTunnel::StartServer() {
  auto made = TunnelServer::Create(server_config_, Log());
  GODWIT_CHECK(made.ok());
  server_ = *std::move(made);
  server_config_.listen.port = server_->local_address().port();
}

bool TestTunnel::WaitUntilUp(bool is_up) {
  return WaitForClient([is_up](const TunnelStatus& status) { return status.is_up == is_up; });
}

TunnelStatus TestTunnel::ClientStatus() {
  std::promise<TunnelStatus> status;
  client_->loop().Post([this, &status] { status.set_value(client_->Status()); });
  return status.get_future().get();
}

bool TestTunnel::WaitForClient(const std::function<bool(const TunnelStatus&)>& condition) {
  return WaitUntil([&] { return condition(ClientStatus()); });
}

bool TestTunnel::WaitForServer(const std::function<bool(const TunnelStatus&)>& condition) {
  return WaitUntil([&] { return condition(server_->Status()); });
}

bool TestTunnel::HasLogged(const std::string& part) {
  const std::lock_guard<std::mutex> lock(log_mutex_);
  for (const std::string& line : log_) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

TunnelLog TestTunnel::Log() {
  return [this](LogLevel, const std::string& line) {
    const std::lock_guard<std::mutex> lock(log_mutex_);
    log_.push_back(line);
  };
}

absl::Status FirstFailure(const TunnelClientConfig& config) {
  auto client = TunnelClient::Create(config, nullptr);
  GODWIT_CHECK(client.ok());
  return (*client)->Run();
}

}  // namespace godwit::tunnel
