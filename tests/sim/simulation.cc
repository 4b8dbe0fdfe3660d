// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/simulation.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace godwit {
namespace {

std::string_view ToText(SendBlockedBy blocked_by) {
  switch (blocked_by) {
    case SendBlockedBy::kNothing:
      return "nothing";
    case SendBlockedBy::kApplication:
      return "application";
    case SendBlockedBy::kPeerFlowControl:
      return "peer's flow control";
    case SendBlockedBy::kCongestionWindow:
      return "congestion window";
    case SendBlockedBy::kPacing:
      return "pacing";
    case SendBlockedBy::kAmplification:
      return "amplification";
    case SendBlockedBy::kHandshake:
      return "handshake";
  }
  return "?";
}

std::string DescribeConnection(const Connection& connection) {
  const ConnectionStats stats = connection.Stats();
  return absl::StrFormat(
      "complete %d, confirmed %d, blocked by %s, in flight %d of %d, mtu %d, srtt %.1f ms,\n"
      "    sent %d packets in %d datagrams, received %d in %d, dropped %d, lost %d (%d spurious), "
      "ptos %d\n",
      connection.is_handshake_complete(), connection.is_handshake_confirmed(),
      ToText(stats.blocked_by), stats.bytes_in_flight, stats.congestion_window_bytes,
      stats.max_datagram_bytes, stats.smoothed_rtt.ToSecondsDouble() * 1e3, stats.packets_sent,
      stats.datagrams_sent, stats.packets_received, stats.datagrams_received, stats.packets_dropped,
      stats.packets_lost, stats.packets_spuriously_lost, stats.ptos);
}

}  // namespace

Simulation::Simulation(const SimulationConfig& config)
    : config_(config),
      random_(config.seed),
      network_(random_.NextUint64(), &queue_, &trace_),
      tls_(config.tls, config.deterministic_tls, &secrets_),
      amplification_(
          config.observes_packets
              ? [this](const SimPacket& packet) { return observer_.CarriesPathResponse(packet); }
              : std::function<bool(const SimPacket&)>()),
      observer_(&secrets_, &queue_, &trace_) {
  network_.AddObserver(&amplification_);
  if (config.observes_packets) network_.AddObserver(&observer_);
  if (std::getenv("GODWIT_SIM_TRACE") != nullptr) {
    trace_.SetSink([](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
  }
}

Simulation::~Simulation() = default;

SimNode& Simulation::AddNode(const NodeConfig& config, Perspective perspective,
                             const AppPlan& plan) {
  const bool is_server = perspective == Perspective::kServer;
  apps_.push_back(std::make_unique<PlanApp>(plan, perspective, &ledger_));
  nodes_.push_back(std::make_unique<SimNode>(
      config, random_.NextUint64(),
      SimNode::World{.queue = &queue_,
                     .trace = &trace_,
                     .network = &network_,
                     .tls_clients = tls_.clients(),
                     .tls_servers = is_server ? tls_.servers() : nullptr}));
  SimNode& node = *nodes_.back();
  node.SetApp(apps_.back().get());
  if (is_server) amplification_.AddServer(node.id());
  observer_.AddEnd(node.id(), {.perspective = perspective,
                               .name = config.name,
                               .connection_id_bytes = config.connection_id_bytes,
                               .streams = config.endpoint.connection.streams});
  return node;
}

SimLink& Simulation::AddLink(const SimNode& from, const SimNode& to, const LinkConfig& config) {
  SimLink* link = network_.AddLink(absl::StrCat(from.config().name, ">", to.config().name), config);
  network_.SetRoute(from.id(), to.id(), link);
  return *link;
}

bool Simulation::IsSettled() const {
  if (!ledger_.IsSettled()) return false;
  for (const std::unique_ptr<PlanApp>& app : apps_) {
    if (!app->IsDone()) return false;
  }
  return true;
}

testing::AssertionResult Simulation::RunUntil(const std::function<bool()>& is_done,
                                              Duration limit) {
  const Timestamp end = queue_.now() + limit;
  Timestamp last_progress_at = queue_.now();
  uint64_t last_progress = ledger_.progress();
  while (!is_done()) {
    if (queue_.empty()) return Failure("nothing will ever happen again");
    if (queue_.next_time() > end) return Failure("it is not finished in time");
    queue_.RunNext();
    const std::string problem = FindProblem();
    if (!problem.empty()) return Failure(problem);
    if (ledger_.progress() != last_progress) {
      last_progress = ledger_.progress();
      last_progress_at = queue_.now();
    } else if (queue_.now() - last_progress_at > config_.stall_after && !IsSettled()) {
      return Failure("a stall");
    }
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult Simulation::RunFor(Duration duration) {
  const Timestamp end = queue_.now() + duration;
  // So that time goes by although nothing happens.
  queue_.At(end, [] {});
  while (queue_.now() < end) {
    queue_.RunNext();
    const std::string problem = FindProblem();
    if (!problem.empty()) return Failure(problem);
  }
  return testing::AssertionSuccess();
}

std::string Simulation::FindProblem() {
  if (!ledger_.problems().empty()) return ledger_.problems().front();
  if (!amplification_.problem().empty()) return amplification_.problem();
  if (!observer_.problem().empty()) return observer_.problem();
  for (const std::unique_ptr<SimNode>& node : nodes_) {
    if (!node->problem().empty()) return node->problem();
    const std::string problem = apps_[node->id()]->FindBlockedTimesProblem(*node);
    if (!problem.empty()) return absl::StrCat(node->config().name, ": ", problem);
  }
  return {};
}

testing::AssertionResult Simulation::Failure(const std::string& what) {
  return testing::AssertionFailure() << what << "\n" << Describe();
}

std::string Simulation::Describe() {
  std::string text = absl::StrFormat("seed %d, %.6f s after the start, trace hash %016x\n",
                                     config_.seed, elapsed().ToSecondsDouble(), trace_.hash());
  for (const std::unique_ptr<SimNode>& node : nodes_) {
    PlanApp& app = *apps_[node->id()];
    absl::StrAppend(&text, "  ", node->config().name, ": ", app.connection_count(),
                    " connections heard of, ", node->endpoint().connection_count(), " there\n");
    for (size_t i = 0; i < app.connection_count() && i < 3; ++i) {
      const ConnectionRecord& record = app.record(i);
      if (const Connection* connection = node->endpoint().Find(record.handle)) {
        absl::StrAppend(&text, "    ", DescribeConnection(*connection));
      }
      if (record.close_reason.has_value()) {
        const std::string_view cause = ToString(record.close_reason->cause);
        absl::StrAppend(&text, "    closed: ", absl::string_view(cause.data(), cause.size()),
                        ", code ", record.close_reason->error_code, ", frame type ",
                        record.close_reason->frame_type, ", ", record.close_reason->reason, "\n");
      }
    }
  }
  absl::StrAppend(&text, "  streams: ", ledger_.stream_count(), ", written ",
                  ledger_.written_bytes(), ", read ", ledger_.read_bytes(), "\n",
                  ledger_.DescribeUnsettled());
  absl::StrAppend(&text, "  to see every packet: --test_env=GODWIT_SIM_TRACE=1\n");
  return text;
}

}  // namespace godwit
