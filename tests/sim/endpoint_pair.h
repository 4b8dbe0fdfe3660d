// SPDX-License-Identifier: Apache-2.0
//
// EndpointPair: the scene of most scenarios: a client and a server, a link each way, one connection
// that the client opens, does its work on, and closes.
#ifndef GODWIT_TESTS_SIM_ENDPOINT_PAIR_H_
#define GODWIT_TESTS_SIM_ENDPOINT_PAIR_H_

#include <cstdint>
#include <functional>

#include "gtest/gtest.h"

#include "godwit/bandwidth.h"
#include "godwit/time.h"
#include "tests/sim/app_plan.h"
#include "tests/sim/sim_link.h"
#include "tests/sim/simulation.h"
#include "transport/endpoint/endpoint_config.h"

namespace godwit {

inline constexpr uint64_t kCloseCode = 0x2a;

// A link of a city network: 100 Mbit/s and a queue of about 40 ms.
inline LinkConfig Broadband(Duration delay = Duration::Milliseconds(10)) {
  return {.rate = Bandwidth::MegabitsPerSecond(100), .queue_bytes = 500'000, .delay = delay};
}

struct EndConfig {
  AppPlan app = {};
  EndpointConfig endpoint = {};
  Duration batching = Duration::Zero();
  size_t connection_id_bytes = 8;
};

struct PairConfig {
  SimulationConfig simulation = {};
  LinkConfig up = Broadband();    // From the client to the server.
  LinkConfig down = Broadband();  // From the server to the client.
  EndConfig client = {};
  EndConfig server = {};

  // The same for both directions.
  PairConfig& Link(const LinkConfig& config) {
    up = config;
    down = config;
    return *this;
  }
};

class EndpointPair {
 public:
  explicit EndpointPair(const PairConfig& config);

  // Opens the connection.
  void Connect();
  // Opens it, lets the applications do all they want, closes, and waits until both ends know it.
  // `limit` is for the work; closing has its own bound.
  testing::AssertionResult Run(Duration limit);
  // The parts of Run().
  testing::AssertionResult RunToSettled(Duration limit);
  testing::AssertionResult RunToHandshake(Duration limit);
  testing::AssertionResult Close();

  // In virtual time, counted from now.
  void After(Duration delay, std::function<void()> action) {
    simulation_.queue().After(delay, std::move(action));
  }

  Simulation& simulation() { return simulation_; }
  SimNode& client() { return client_; }
  SimNode& server() { return server_; }
  SimLink& up() { return up_; }
  SimLink& down() { return down_; }

  // Null before the handshake is complete there, or after the end.
  Connection* client_connection() { return ConnectionOf(client_); }
  Connection* server_connection() { return ConnectionOf(server_); }
  const ConnectionRecord& client_record() { return simulation_.app(client_).record(0); }
  const ConnectionRecord& server_record() { return simulation_.app(server_).record(0); }
  ConnectionStats ClientStats();
  ConnectionStats ServerStats();
  void RebindEvery(Duration interval, int64_t times, bool with_ip);

 private:
  Connection* ConnectionOf(SimNode& node);

  PairConfig config_;
  Simulation simulation_;
  SimNode& client_;
  SimNode& server_;
  SimLink& up_;
  SimLink& down_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_ENDPOINT_PAIR_H_
