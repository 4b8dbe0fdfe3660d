// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_server.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tunnel/server_secrets.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

absl::StatusOr<ServerRules> ReadRules(const TunnelServerConfig& config) {
  auto targets = TargetPolicy::Parse(config.allowed_targets);
  if (!targets.ok()) return targets.status();
  auto binds = TargetPolicy::ParseBinds(config.allowed_binds);
  if (!binds.ok()) return binds.status();
  if (config.allowed_clients.empty()) {
    return absl::InvalidArgumentError(
        "no client is allowed; add --allow-client with the fingerprint of a client's key");
  }
  return ServerRules{.targets = *std::move(targets), .binds = *std::move(binds)};
}

TlsServerConfig TlsOf(const TunnelCommonConfig& config, const KeyVerifier* verifier) {
  TlsServerConfig tls;
  tls.certificates = {TlsIdentity(config.identity)};
  tls.application_protocols = {std::string(kTunnelProtocol)};
  tls.client_verification = PeerVerification::Application(verifier);
  // Each connection shows that it has its key; a round trip would not be saved.
  tls.tickets_per_handshake = 0;
  tls.export_session_secrets = !config.keylog_file.empty();
  return tls;
}

absl::StatusOr<ServerConfig> TransportOf(const TunnelServerConfig& config,
                                         const KeyVerifier* verifier) {
  const auto address = SocketAddress::ParseIp(config.listen.host, config.listen.port);
  if (!address.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", config.listen.host, "\" is no address to listen on; one like :: or 0.0.0.0 is"));
  }
  ServerConfig server;
  server.endpoint = TransportConfig(config.common);
  server.tls = TlsOf(config.common, verifier);
  server.socket.local = *address;
  return server;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TunnelServer>> TunnelServer::Create(const TunnelServerConfig& config,
                                                                   TunnelLog log) {
  auto rules = ReadRules(config);
  if (!rules.ok()) return rules.status();
  std::unique_ptr<TunnelServer> tunnel(new TunnelServer(config));
  auto transport = TransportOf(config, &tunnel->verifier_);
  if (!transport.ok()) return transport.status();
  const DerivedKeyFile keys(config.common.identity.private_key_pem);
  transport->server_key_file = keys.path();
  absl::Status made = absl::OkStatus();
  auto server = Server::Create(*transport, [&](Loop& loop) -> std::unique_ptr<EventHandler> {
    auto resolver = NameResolver::Create(&loop);
    if (!resolver.ok()) {
      made = resolver.status();
      return nullptr;
    }
    auto link = std::make_unique<ServerLink>(&loop, &tunnel->verifier_, *std::move(resolver), log);
    if (config.common.tun.has_value()) made = link->OpenTun(*config.common.tun);
    if (made.ok() && !config.common.keylog_file.empty()) {
      made = link->OpenKeyLog(config.common.keylog_file);
    }
    if (!made.ok()) return nullptr;
    link->SetRules(*std::move(rules));
    tunnel->loop_ = &loop;
    tunnel->link_ = link.get();
    return link;
  });
  if (!made.ok()) return made;
  if (!server.ok()) return server.status();
  tunnel->server_ = *std::move(server);
  tunnel->server_->Start();
  return tunnel;
}

TunnelServer::~TunnelServer() {
  if (server_ != nullptr) Shutdown(Duration::Zero());
}

absl::Status TunnelServer::SetRules(const TunnelServerConfig& config) {
  auto rules = ReadRules(config);
  if (!rules.ok()) return rules.status();
  verifier_.SetKeys(config.allowed_clients);
  CallOnLoop([&rules](ServerLink& link) { link.SetRules(*std::move(rules)); });
  return absl::OkStatus();
}

absl::Status TunnelServer::SetIdentity(const Identity& identity) {
  TunnelCommonConfig common = common_;
  common.identity = identity;
  return server_->SetTls(TlsOf(common, &verifier_));
}

void TunnelServer::Shutdown(Duration drain) {
  CallOnLoop([](ServerLink& link) { link.BeginDrain(); });
  server_->Shutdown(drain);
}

TunnelStatus TunnelServer::Status() {
  TunnelStatus status;
  CallOnLoop([&status](ServerLink& link) { status = link.Status(); });
  return status;
}

void TunnelServer::CallOnLoop(const std::function<void(ServerLink& link)>& call) {
  const auto done = std::make_shared<std::promise<void>>();
  // A loop that has ended drops the call, and with it the guard, which is what we wait for.
  std::shared_ptr<void> guard(nullptr, [done](void*) { done->set_value(); });
  loop_->Post([this, &call, guard = std::move(guard)] { call(*link_); });
  done->get_future().wait();
}

}  // namespace godwit::tunnel
