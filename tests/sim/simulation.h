// SPDX-License-Identifier: Apache-2.0
//
// Simulation: a run: virtual time, a network, nodes, the TLS world, the trace, and the checkers
// that watch all of it. One seed decides everything.
//
// It stops at the first thing that is wrong, and says what it was, with the state of all
// connections.
#ifndef GODWIT_TESTS_SIM_SIMULATION_H_
#define GODWIT_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/time.h"
#include "tests/sim/amplification_checker.h"
#include "tests/sim/delivery_ledger.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/plan_app.h"
#include "tests/sim/secret_book.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_trace.h"
#include "tests/sim/wire_observer.h"

namespace godwit {

struct SimulationConfig {
  uint64_t seed = 1;
  TlsKind tls = TlsKind::kDeterministic;
  DeterministicTlsConfig deterministic_tls = {};
  // Reads the packets on the wire. For runs of few connections.
  bool observes_packets = true;
  // Every endpoint checks its invariants after every so many of its steps; 0: never. More than 1
  // for runs where it would take all the time.
  uint64_t checks_invariants_every = 1;
  // If so long nothing comes to an application of a run that is not finished, it has stalled.
  Duration stall_after = Duration::Seconds(30);
};

class Simulation {
 public:
  explicit Simulation(const SimulationConfig& config);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // With a PlanApp.
  SimNode& AddNode(const NodeConfig& config, Perspective perspective, const AppPlan& plan);
  PlanApp& app(const SimNode& node) { return *apps_[node.id()]; }
  // A link of its own from one to the other.
  SimLink& AddLink(const SimNode& from, const SimNode& to, const LinkConfig& config);

  // Until `is_done`, or what is wrong: not so by `limit`, a checker's complaint, a stall.
  testing::AssertionResult RunUntil(const std::function<bool()>& is_done, Duration limit);
  testing::AssertionResult RunFor(Duration duration);
  // All applications have sent and read everything.
  bool IsSettled() const;

  EventQueue& queue() { return queue_; }
  SimTrace& trace() { return trace_; }
  SimNetwork& network() { return network_; }
  DeliveryLedger& ledger() { return ledger_; }
  WireObserver& observer() { return observer_; }
  std::string_view server_name() const { return tls_.server_name(); }
  Timestamp now() const { return queue_.now(); }
  // Since the start.
  Duration elapsed() const { return queue_.now() - kStart; }

  // The state of all connections, for people.
  std::string Describe();

 private:
  static constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);

  std::string FindProblem();
  testing::AssertionResult Failure(const std::string& what);

  const SimulationConfig config_;
  SeededRandom random_;
  EventQueue queue_{kStart};
  SimTrace trace_;
  SimNetwork network_;
  SecretBook secrets_;
  TlsWorld tls_;
  DeliveryLedger ledger_;
  AmplificationChecker amplification_;
  WireObserver observer_;
  std::vector<std::unique_ptr<PlanApp>> apps_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIMULATION_H_
