// SPDX-License-Identifier: Apache-2.0
#include "transport/engine/engine_factory.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "transport/endpoint/endpoint.h"
#include "transport/engine/engine_state.h"

namespace godwit {
absl::StatusOr<EngineResources> EngineResources::Create(const EngineConfig& config, Random& random,
                                                        UnixTime wall) {
  if (!config.tls_client.has_value() && !config.tls_server.has_value()) {
    return absl::InvalidArgumentError(
        "tls_client and tls_server are both unset; set the one to open connections, the other to "
        "accept them");
  }
  EngineResources resources = {.tls_client = nullptr,
                               .tls_server = std::nullopt,
                               .secrets = GenerateServerSecrets(random),
                               .warnings = {}};
  if (!config.server_key_file.empty()) {
    absl::StatusOr<ServerSecrets> secrets = ReadServerSecretsFile(config.server_key_file);
    if (!secrets.ok()) {
      return absl::Status(secrets.status().code(),
                          absl::StrCat("server_key_file: ", secrets.status().message()));
    }
    resources.secrets = *std::move(secrets);
  }
  const auto add_warnings = [&resources](const std::vector<std::string>& warnings) {
    resources.warnings.insert(resources.warnings.end(), warnings.begin(), warnings.end());
  };
  if (config.tls_client.has_value()) {
    auto client = TlsClientContext::Create(*config.tls_client, wall);
    if (!client.ok()) return client.status();
    resources.tls_client = *std::move(client);
    add_warnings(resources.tls_client->warnings());
  }
  if (config.tls_server.has_value()) {
    auto server = TlsServerContext::Create(*config.tls_server, wall);
    if (!server.ok()) return server.status();
    resources.tls_server = *std::move(server);
    add_warnings(resources.tls_server->warnings());
  }
  return resources;
}

absl::StatusOr<std::unique_ptr<Engine>> EngineFactory::Make(const EngineConfig& config,
                                                            const EngineResources& resources,
                                                            const EngineEnvironment& environment,
                                                            Timestamp now, UnixTime wall) {
  auto state = std::make_unique<EngineState>();
  state->tls_client = resources.tls_client;
  state->warnings = resources.warnings;
  state->congestion_controllers = config.endpoint.congestion_controllers;
  if (resources.tls_server.has_value()) {
    auto sessions = TlsServerSessions::Create(*resources.tls_server, resources.secrets.ticket_keys,
                                              {.random = environment.random});
    if (!sessions.ok()) return sessions.status();
    state->tls_server = *std::move(sessions);
  }
  auto endpoint =
      Endpoint::Create(config.endpoint, {.random = environment.random,
                                         .events = &state->key_log,
                                         .connection_ids = environment.connection_ids,
                                         .tls_clients = state->tls_client.get(),
                                         .tls_servers = state->tls_server.get(),
                                         .stateless_reset_key = resources.secrets.reset_key});
  if (!endpoint.ok()) return endpoint.status();
  state->endpoint = *std::move(endpoint);
  state->endpoint->SetWallClock({.now = now, .wall = wall});
  state->now = now;
  state->link->engine = state.get();
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

absl::Status EngineFactory::UseTlsServer(Engine& engine, const TlsServerContext& context) {
  TlsServerSessions* const sessions = engine.state_->tls_server.get();
  if (sessions == nullptr) {
    return absl::FailedPreconditionError(
        "EngineConfig.tls_server is unset; an engine needs it to accept connections");
  }
  sessions->SetContext(context);
  return absl::OkStatus();
}

void EngineFactory::SetThreadCheck(Engine& engine, bool (*is_right_thread)(const void* context),
                                   const void* context) {
  engine.state_->link->is_right_thread = is_right_thread;
  engine.state_->link->thread_context = context;
}

}  // namespace godwit
