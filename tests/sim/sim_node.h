// SPDX-License-Identifier: Apache-2.0
//
// SimNode: a host with one endpoint and its application. It does what a program around the endpoint
// does: hand over what came as a batch, drain the events, send what is to be sent, sleep until the
// next deadline; and after every step it lets the endpoint check its invariants.
//
// Datagrams are in memory of their own, which is wiped and freed as soon as the events are drained:
// whoever looks at it later is found out.
#ifndef GODWIT_TESTS_SIM_SIM_NODE_H_
#define GODWIT_TESTS_SIM_SIM_NODE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "crypto/secret_key.h"
#include "godwit/connection_id_generator.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_app.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_trace.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {

struct NodeConfig {
  std::string name;
  SocketAddress address;
  EndpointConfig endpoint = {};
  // How long datagrams are collected before they are handed over, as a network card does. Those
  // that come at one moment always are one batch.
  Duration batching = Duration::Zero();
  // Bytes of its connection ids.
  size_t connection_id_bytes = 8;
  uint64_t checks_invariants_every = 1;  // Steps. 0: never.
};

class SimNode final : public SimHost {
 public:
  // What it shares with the others; all outlive it.
  struct World {
    EventQueue* queue;
    SimTrace* trace;
    SimNetwork* network;
    const TlsClientFactory* tls_clients;
    TlsServerFactory* tls_servers;
  };

  SimNode(const NodeConfig& config, uint64_t seed, const World& world);
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  // `app` outlives it.
  void SetApp(SimApp* app) { app_ = app; }

  // By its own clock, which is right until one of the functions below is called.
  Timestamp now() const override {
    return clock_stopped_at_.value_or(world_.queue->now() + clock_offset_);
  }
  Endpoint& endpoint() override { return *endpoint_; }
  void WakeAt(Timestamp time) override;

  SimNetwork::NodeId id() const { return id_; }
  const NodeConfig& config() const { return config_; }

  // Does `action` now, and sends what follows from it.
  void Do(const std::function<void(Endpoint&)>& action);
  ConnectionHandle Connect(const SocketAddress& server, std::string_view server_name);
  // Forgets everything, as after a crash, and goes on with the same configuration.
  void Restart();

  // Its clock, which nobody else goes by, leaps ahead, or back if `by` is negative.
  void ShiftClock(Duration by);
  // It stands still, and goes on from there. What comes from the network comes nevertheless.
  void StopClock();
  void StartClock();

  // What is wrong with it: sends without end, wakes up without end. Empty if nothing is.
  const std::string& problem() const { return problem_; }

 private:
  void Receive(SimPacket&& packet);
  void TakeBatch();
  void OnWakeup();
  void AfterStep();
  void DrainEvents();
  void SendAll();
  void ScheduleWakeup();
  void ScheduleAppWakeup(Timestamp time);
  // When, in virtual time, its clock shows `time`, if nobody touches it until then.
  Timestamp VirtualTimeOf(Timestamp time) const { return time - clock_offset_; }
  void OnClockChanged();
  void CountStep();
  void MakeEndpoint();

  NodeConfig config_;
  World world_;
  SimNetwork::NodeId id_;
  SeededRandom random_;
  std::optional<SecretKey> reset_key_;  // Outlives restarts.
  std::unique_ptr<ConnectionIdGenerator> connection_ids_;
  SimApp* app_ = nullptr;
  std::unique_ptr<Endpoint> endpoint_;

  std::vector<SimPacket> inbox_;
  bool is_batch_scheduled_ = false;
  std::set<Timestamp> app_wakeups_;              // By its own clock.
  Timestamp wakeup_at_ = Timestamp::Infinite();  // In virtual time.
  Duration clock_offset_;
  std::optional<Timestamp> clock_stopped_at_;
  Timestamp last_step_;
  uint64_t steps_at_this_time_ = 0;
  uint64_t step_count_ = 0;
  std::string problem_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_NODE_H_
