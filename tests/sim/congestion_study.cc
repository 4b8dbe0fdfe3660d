// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/congestion_study.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/seeded_random.h"
#include "tests/sim/simulation.h"

namespace godwit {
namespace {

// No run has time for so much.
constexpr uint64_t kEndlessBytes = uint64_t{1} << 40;
// Checking every step would take most of the time; other simulations do.
constexpr uint64_t kStepsPerCheck = 10'000;
// Where the clock of a simulation starts.
constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);

struct Flow {
  ProbedCubicFactory factory;
  SimNode* client = nullptr;
  SimNode* server = nullptr;
};

class Bottleneck {
 public:
  explicit Bottleneck(const StudyConfig& config);

  StudyRun Run(Duration length);

 private:
  void AddFlow(size_t index);
  StudySample Sample();
  const Connection* Find(SimNode& node);

  const StudyConfig config_;
  Simulation simulation_;
  std::vector<std::unique_ptr<Flow>> flows_;
  SimLink* link_ = nullptr;
};

Bottleneck::Bottleneck(const StudyConfig& config)
    : config_(config),
      simulation_({.seed = config.seed,
                   .observes_packets = false,
                   .checks_invariants_every = kStepsPerCheck}) {
  for (size_t i = 0; i < config.starts.size(); ++i) AddFlow(i);
}

void Bottleneck::AddFlow(size_t index) {
  flows_.push_back(std::make_unique<Flow>());
  Flow& flow = *flows_.back();
  EndpointConfig sender;
  GODWIT_CHECK(
      sender.congestion_controllers.Register(ProbedCubic::kProbedCubic, &flow.factory).ok());
  sender.congestion_controller = std::string(ProbedCubic::kProbedCubic);
  // Neither the sender's buffer nor the receiver's window is to be what limits a flow.
  sender.connection.streams.max_send_buffer_bytes = uint64_t{64} << 20;

  const std::string number = absl::StrCat(index + 1);
  flow.client = &simulation_.AddNode({.name = "client" + number,
                                      .address = *SocketAddress::Parse("192.0.2." + number + ":5"),
                                      .checks_invariants_every = kStepsPerCheck},
                                     Perspective::kClient, {});
  flow.server =
      &simulation_.AddNode({.name = "server" + number,
                            .address = *SocketAddress::Parse("198.51.100." + number + ":443"),
                            .endpoint = sender,
                            .checks_invariants_every = kStepsPerCheck},
                           Perspective::kServer, {.streams = Bulk(kEndlessBytes)});
  LinkConfig link = {
      .rate = config_.rate, .queue_bytes = config_.queue_bytes, .delay = config_.rtt / 2};
  if (link_ == nullptr) {
    link_ = &simulation_.AddLink(*flow.server, *flow.client, link);
  } else {
    simulation_.network().SetRoute(flow.server->id(), flow.client->id(), link_);
  }
  link.jitter = config_.ack_jitter;
  simulation_.AddLink(*flow.client, *flow.server, link);
  simulation_.queue().After(config_.starts[index], [this, &flow] {
    const ConnectionHandle handle =
        flow.client->Connect(flow.server->config().address, simulation_.server_name());
    simulation_.app(*flow.client).ExpectConnection(handle);
  });
}

const Connection* Bottleneck::Find(SimNode& node) {
  PlanApp& app = simulation_.app(node);
  return app.connection_count() == 0 ? nullptr : node.endpoint().Find(app.record(0).handle);
}

StudySample Bottleneck::Sample() {
  StudySample sample = {
      .at = simulation_.elapsed(),
      .queue_bytes = link_->queued_bytes(),
      .queue_drops = link_->queue_drops(),
      .carried_bytes = link_->delivered_bytes() + link_->delivered_packets() * kUdpIpOverheadBytes,
      .goodput_bytes = simulation_.ledger().read_bytes()};
  for (const std::unique_ptr<Flow>& flow : flows_) {
    const Connection* server = Find(*flow->server);
    const Connection* client = Find(*flow->client);
    FlowSample& to = sample.flows.emplace_back();
    if (server == nullptr || client == nullptr) continue;
    const ConnectionStats stats = server->Stats();
    to = {.window_bytes = stats.congestion_window_bytes,
          .bytes_in_flight = stats.bytes_in_flight,
          .rtt = stats.latest_rtt,
          .received_bytes = client->Stats().bytes_received};
  }
  return sample;
}

StudyRun Bottleneck::Run(Duration length) {
  StudyRun run;
  run.config = config_;
  run.samples.push_back(Sample());
  while (simulation_.elapsed() < length) {
    const testing::AssertionResult result = simulation_.RunFor(config_.sample_interval);
    if (!result) {
      run.problem = result.message();
      break;
    }
    run.samples.push_back(Sample());
  }
  for (const std::unique_ptr<Flow>& flow : flows_) run.logs.push_back(flow->factory.log());
  if (const Connection* server = Find(*flows_.front()->server)) {
    run.datagram_bytes = server->Stats().max_datagram_bytes;
  }
  return run;
}

const StudySample& SampleAt(const StudyRun& run, Duration at) {
  const auto found = std::find_if(run.samples.begin(), run.samples.end(),
                                  [at](const StudySample& sample) { return sample.at >= at; });
  GODWIT_CHECK(found != run.samples.end());
  return *found;
}

double Capacity(const StudyRun& run, const StudyInterval& interval) {
  return static_cast<double>(run.config.rate.BytesIn(interval.end - interval.begin));
}

}  // namespace

Duration StudyRun::SinceStart(Timestamp at) { return at - kStart; }

StudyRun RunStudy(const StudyConfig& config, Duration length) {
  return Bottleneck(config).Run(length);
}

StudyConfig TwoFlows(uint64_t seed) {
  SeededRandom random(seed);
  const uint64_t lag_ms = random.UniformBelow(10'000);
  return {.seed = seed,
          .starts = {Duration::Zero(), Duration::Milliseconds(static_cast<int64_t>(lag_ms))},
          .ack_jitter = Duration::Microseconds(60)};
}

double LinkShare(const StudyRun& run, const StudyInterval& interval) {
  const uint64_t bytes =
      SampleAt(run, interval.end).carried_bytes - SampleAt(run, interval.begin).carried_bytes;
  return static_cast<double>(bytes) / Capacity(run, interval);
}

double GoodputShare(const StudyRun& run, const StudyInterval& interval) {
  const uint64_t bytes =
      SampleAt(run, interval.end).goodput_bytes - SampleAt(run, interval.begin).goodput_bytes;
  return static_cast<double>(bytes) / Capacity(run, interval);
}

double Fairness(const StudyRun& run, const StudyInterval& interval) {
  const StudySample& begin = SampleAt(run, interval.begin);
  const StudySample& end = SampleAt(run, interval.end);
  double sum = 0;
  double sum_of_squares = 0;
  for (size_t i = 0; i < end.flows.size(); ++i) {
    const double bytes =
        static_cast<double>(end.flows[i].received_bytes - begin.flows[i].received_bytes);
    sum += bytes;
    sum_of_squares += bytes * bytes;
  }
  GODWIT_CHECK(sum > 0);
  return sum * sum / (static_cast<double>(end.flows.size()) * sum_of_squares);
}

double MeanFairnessOfSeconds(const StudyRun& run, const StudyInterval& interval) {
  double sum = 0;
  int count = 0;
  for (Duration at = interval.begin; at < interval.end; at = at + Duration::Seconds(1)) {
    sum += Fairness(run, {at, at + Duration::Seconds(1)});
    ++count;
  }
  return sum / count;
}

uint64_t QueueDrops(const StudyRun& run, const StudyInterval& interval) {
  return SampleAt(run, interval.end).queue_drops - SampleAt(run, interval.begin).queue_drops;
}

double Median(std::vector<double> values) {
  GODWIT_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// RFC 9438 §4.2, §5.1, in segments.
double CubicFormula::K() const {
  return std::cbrt((max_bytes - epoch_bytes) / datagram_bytes / 0.4);
}

double CubicFormula::WindowAt(double t) const {
  return max_bytes + 0.4 * std::pow(t - K(), 3) * datagram_bytes;
}

std::vector<StageFit> FitStages(const WindowLog& log, uint64_t datagram_bytes) {
  std::vector<StageFit> fits;
  double last_max_bytes = 0;
  for (const WindowLog::Stage& stage : log.stages) {
    const double before_bytes = static_cast<double>(stage.before_bytes);
    // RFC 9438 §4.7: fast convergence.
    const double max_bytes = before_bytes < last_max_bytes ? 0.85 * before_bytes : before_bytes;
    last_max_bytes = max_bytes;
    if (stage.points.empty() || !stage.is_complete) continue;
    // RFC 9438 §4.6: what the window must have become.
    const CubicFormula formula = {.max_bytes = max_bytes,
                                  .epoch_bytes = 0.7 * before_bytes,
                                  .datagram_bytes = static_cast<double>(datagram_bytes)};
    double largest = 0;
    for (const WindowLog::Point& point : stage.points) {
      const double t = (point.at - stage.points.front().at).ToSecondsDouble();
      const double expected_bytes = formula.WindowAt(t);
      const double off_bytes = std::abs(static_cast<double>(point.window_bytes) - expected_bytes);
      largest = std::max(largest, off_bytes / expected_bytes);
    }
    fits.push_back({.stage = stage, .formula = formula, .largest_deviation = largest});
  }
  return fits;
}

}  // namespace godwit
