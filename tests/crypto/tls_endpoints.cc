// SPDX-License-Identifier: Apache-2.0
#include "tests/crypto/tls_endpoints.h"

#include <optional>
#include <utility>

namespace godwit {

TlsEndpoints::TlsEndpoints()
    : root_(TestAuthority()),
      random_(1),
      replay_store_({.capacity = 1024}, kTestTime.now, random_) {
  server_config.certificates = {
      root_.Issue({.common_name = "server", .names = "DNS:server.example"}).Config()};
  server_config.application_protocols = {"echo"};
  client_config.application_protocols = {"echo"};
  client_config.server_verification = PeerVerification::Authorities({root_.Source()});
  ticket_keys = {SecretKey::Generate(random_)};
}

void TlsEndpoints::Rebuild() {
  client_ = TlsClientContext::Create(client_config, kTestNow).value();
  const TlsServerContext context = TlsServerContext::Create(server_config, kTestNow).value();
  server_ = TlsServerSessions::Create(context, ticket_keys,
                                      {.random = &random_, .replay_store = &replay_store_})
                .value();
  if (has_run_for_a_while) MakePair().Run(nullptr, After(-3600));
}

TlsServerSessions& TlsEndpoints::server() {
  if (server_ == nullptr) Rebuild();
  return *server_;
}

const TlsClientContext& TlsEndpoints::client() {
  if (client_ == nullptr) Rebuild();
  return *client_;
}

TlsPair TlsEndpoints::MakePair(const std::vector<uint8_t>& ticket, TlsTime time) {
  return {.client = TlsEnd(client()
                               .NewSession({.server_name = server_name,
                                            .local_transport_parameters = client_parameters,
                                            .resumption_ticket = ticket},
                                           time)
                               .value()),
          .server = TlsEnd(server()
                               .NewSession({.local_transport_parameters = server_parameters,
                                            .early_data_context = early_data_context})
                               .value())};
}

TlsPair TlsEndpoints::Connect(const std::vector<uint8_t>& ticket, TlsTime time) {
  TlsPair pair = MakePair(ticket, time);
  pair.Run(nullptr, time);
  return pair;
}

std::vector<uint8_t> TlsEndpoints::Ticket(TlsTime time) {
  TlsPair pair = Connect({}, time);
  const std::vector<uint8_t> state = {'s', 't', 'a', 't', 'e'};
  return pair.client.session().PollResumptionTicket(state).value();
}

}  // namespace godwit
