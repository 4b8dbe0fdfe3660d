// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/endpoint_pair.h"

#include "base/check.h"
#include "tests/sim/close_checker.h"

namespace godwit {
namespace {

// 3 PTO of closing, and an idle timeout if the CONNECTION_CLOSE is lost.
constexpr Duration kCloseLimit = Duration::Seconds(200);

NodeConfig NodeOf(const PairConfig& config, const EndConfig& end, const char* name,
                  const char* address) {
  return {.name = name,
          .address = *SocketAddress::Parse(address),
          .endpoint = end.endpoint,
          .batching = end.batching,
          .connection_id_bytes = end.connection_id_bytes,
          .checks_invariants_every = config.simulation.checks_invariants_every};
}

}  // namespace

EndpointPair::EndpointPair(const PairConfig& config)
    : config_(config),
      simulation_(config.simulation),
      client_(simulation_.AddNode(NodeOf(config, config.client, "client", "192.0.2.1:5000"),
                                  Perspective::kClient, config.client.app)),
      server_(simulation_.AddNode(NodeOf(config, config.server, "server", "198.51.100.1:443"),
                                  Perspective::kServer, config.server.app)),
      up_(simulation_.AddLink(client_, server_, config.up)),
      down_(simulation_.AddLink(server_, client_, config.down)) {}

void EndpointPair::Connect() {
  const ConnectionHandle handle =
      client_.Connect(server_.config().address, simulation_.server_name());
  simulation_.app(client_).ExpectConnection(handle);
}

testing::AssertionResult EndpointPair::Run(Duration limit) {
  const testing::AssertionResult result = RunToSettled(limit);
  return result ? Close() : result;
}

testing::AssertionResult EndpointPair::RunToSettled(Duration limit) {
  Connect();
  return simulation_.RunUntil(
      [this] {
        return simulation_.ledger().IsSettled() &&
               simulation_.app(server_).connection_count() > 0 && simulation_.IsSettled();
      },
      limit);
}

testing::AssertionResult EndpointPair::RunToHandshake(Duration limit) {
  Connect();
  return simulation_.RunUntil(
      [this] {
        return simulation_.app(server_).connection_count() > 0 &&
               client_record().confirmed_at != Timestamp::Infinite();
      },
      limit);
}

testing::AssertionResult EndpointPair::Close() {
  client_.Do([this](Endpoint& endpoint) {
    Connection* connection = endpoint.Find(client_record().handle);
    GODWIT_CHECK(connection != nullptr);
    connection->Close(kCloseCode, "done", client_.now());
  });
  const testing::AssertionResult result = simulation_.RunUntil(
      [this] {
        return client_.endpoint().connection_count() == 0 &&
               server_.endpoint().connection_count() == 0;
      },
      kCloseLimit);
  if (!result) return result;
  const std::string problem =
      FindCloseDisagreement(client_record().close_reason, server_record().close_reason);
  if (!problem.empty()) return testing::AssertionFailure() << problem << simulation_.Describe();
  if (client_record().close_reason->cause != CloseReason::Cause::kApplication) {
    return testing::AssertionFailure() << "something else closed first\n" << simulation_.Describe();
  }
  return testing::AssertionSuccess();
}

Connection* EndpointPair::ConnectionOf(SimNode& node) {
  PlanApp& app = simulation_.app(node);
  return app.connection_count() == 0 ? nullptr : node.endpoint().Find(app.record(0).handle);
}

ConnectionStats EndpointPair::ClientStats() {
  const Connection* connection = client_connection();
  GODWIT_CHECK(connection != nullptr);
  return connection->Stats();
}

ConnectionStats EndpointPair::ServerStats() {
  const Connection* connection = server_connection();
  GODWIT_CHECK(connection != nullptr);
  return connection->Stats();
}

void EndpointPair::RebindEvery(Duration interval, int64_t times, bool with_ip) {
  for (int64_t i = 1; i <= times; ++i) {
    After(interval * i, [this, with_ip] {
      if (with_ip) {
        simulation_.network().RebindIp(client_.id());
      } else {
        simulation_.network().RebindPort(client_.id());
      }
    });
  }
}

}  // namespace godwit
