// SPDX-License-Identifier: Apache-2.0
//
// Plays the runs of the congestion study and writes what they showed: the figures to standard
// output, the samples as CSV files for bench/plot_congestion.py.
//   bazel run --config=opt //tests/sim:congestion_report -- DIRECTORY
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/congestion_study.h"

namespace godwit {
namespace {

constexpr StudyInterval kFair = {Duration::Seconds(60), Duration::Seconds(180)};
constexpr StudyInterval kSteady = {Duration::Seconds(20), Duration::Seconds(60)};
// Plots show no more than this, and files stay small.
constexpr Duration kPlotInterval = Duration::Milliseconds(100);

double Milliseconds(Duration duration) { return duration.ToSecondsDouble() * 1e3; }

class CsvFile {
 public:
  CsvFile(const std::string& directory, const std::string& name)
      : path_(directory + "/" + name), file_(std::fopen(path_.c_str(), "w")) {
    if (file_ == nullptr) std::perror(path_.c_str());
  }
  ~CsvFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  bool is_open() const { return file_ != nullptr; }
  void Line(const std::string& line) { std::fprintf(file_, "%s\n", line.c_str()); }

 private:
  std::string path_;
  std::FILE* file_;
};

std::string Joined(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) {
    char number[32];
    std::snprintf(number, sizeof(number), "%.6g", value);
    text += text.empty() ? number : "," + std::string(number);
  }
  return text;
}

// One line each `interval`: time, queue, rate of the link, then of each flow window, bytes in
// flight, RTT and rate of what it received; KB, ms, Mbit/s.
bool WriteSamples(const StudyRun& run, const std::string& directory, const std::string& name,
                  Duration interval) {
  CsvFile file(directory, name);
  if (!file.is_open()) return false;
  std::string header = "s,queue_kb,link_mbps";
  for (size_t i = 0; i < run.logs.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    header += ",window_kb_" + number + ",in_flight_kb_" + number + ",rtt_ms_" + number +
              ",received_mbps_" + number;
  }
  file.Line(header);
  const StudySample* last = &run.samples.front();
  for (const StudySample& sample : run.samples) {
    if (sample.at < last->at + interval) continue;
    const double to_mbps = 8e-6 / (sample.at - last->at).ToSecondsDouble();
    std::vector<double> values = {
        sample.at.ToSecondsDouble(), static_cast<double>(sample.queue_bytes) / 1e3,
        static_cast<double>(sample.carried_bytes - last->carried_bytes) * to_mbps};
    for (size_t i = 0; i < sample.flows.size(); ++i) {
      const FlowSample& flow = sample.flows[i];
      values.push_back(static_cast<double>(flow.window_bytes) / 1e3);
      values.push_back(static_cast<double>(flow.bytes_in_flight) / 1e3);
      values.push_back(Milliseconds(flow.rtt));
      values.push_back(static_cast<double>(flow.received_bytes - last->flows[i].received_bytes) *
                       to_mbps);
    }
    file.Line(Joined(values));
    last = &sample;
  }
  return true;
}

// The stages that are complete: time, window, and what the formula says, in KB.
bool WriteStages(const StudyRun& run, const std::string& directory) {
  CsvFile file(directory, "curve.csv");
  if (!file.is_open()) return false;
  file.Line("s,window_kb,formula_kb,max_kb,stage");
  int number = 0;
  for (const StageFit& fit : FitStages(run.logs[0], run.datagram_bytes)) {
    ++number;
    std::printf("  stage %d: from %.2f s, %.2f s long, W_max %.0f KB, K %.2f s: off by %.3f %%\n",
                number, StudyRun::SinceStart(fit.stage.points.front().at).ToSecondsDouble(),
                (fit.stage.points.back().at - fit.stage.points.front().at).ToSecondsDouble(),
                fit.formula.max_bytes / 1e3, fit.formula.K(), 100 * fit.largest_deviation);
    Timestamp next = fit.stage.points.front().at;
    for (const WindowLog::Point& point : fit.stage.points) {
      if (point.at < next) continue;
      next = point.at + kPlotInterval;
      const double t = (point.at - fit.stage.points.front().at).ToSecondsDouble();
      file.Line(
          Joined({StudyRun::SinceStart(point.at).ToSecondsDouble(),
                  static_cast<double>(point.window_bytes) / 1e3, fit.formula.WindowAt(t) / 1e3,
                  fit.formula.max_bytes / 1e3, static_cast<double>(number)}));
    }
  }
  return true;
}

bool IsSound(const StudyRun& run) {
  if (!run.problem.empty()) std::fprintf(stderr, "%s\n", run.problem.c_str());
  return run.problem.empty();
}

bool ReportOneFlow(const std::string& directory) {
  const StudyRun run = RunStudy({}, kSteady.end);
  if (!IsSound(run)) return false;
  std::printf("one flow, 20 s to 60 s: link %.2f %%, streams %.2f %%, %d packets dropped\n",
              100 * LinkShare(run, kSteady), 100 * GoodputShare(run, kSteady),
              static_cast<int>(QueueDrops(run, kSteady)));
  return WriteSamples(run, directory, "one_flow.csv", kPlotInterval) && WriteStages(run, directory);
}

bool ReportTwoFlows(const std::string& directory) {
  CsvFile file(directory, "fairness.csv");
  if (!file.is_open()) return false;
  file.Line("seed,fairness,mean_of_seconds,link");
  std::vector<double> values;
  std::vector<double> means;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const StudyRun run = RunStudy(TwoFlows(seed), kFair.end);
    if (!IsSound(run)) return false;
    values.push_back(Fairness(run, kFair));
    means.push_back(MeanFairnessOfSeconds(run, kFair));
    const double link = LinkShare(run, kFair);
    std::printf(
        "two flows, seed %d, second from %.3f s: Jain %.4f, mean of seconds %.4f, "
        "link %.2f %%\n",
        static_cast<int>(seed), run.config.starts[1].ToSecondsDouble(), values.back(), means.back(),
        100 * link);
    std::fflush(stdout);
    file.Line(Joined({static_cast<double>(seed), values.back(), means.back(), link}));
    if (seed == 1 && !WriteSamples(run, directory, "two_flows.csv", Duration::Milliseconds(400))) {
      return false;
    }
  }
  std::printf("two flows, median: Jain %.4f, mean of seconds %.4f\n", Median(values),
              Median(means));
  return true;
}

bool ReportSlowStart(const std::string& directory) {
  for (const uint64_t bdps : {1, 2, 4, 6, 8, 10, 12, 16, 24}) {
    StudyConfig config = {.sample_interval = Duration::Milliseconds(5)};
    config.queue_bytes = bdps * config.bdp_bytes();
    const StudyRun run = RunStudy(config, Duration::Seconds(4));
    if (!IsSound(run)) return false;
    const std::optional<WindowLog::SlowStartEnd>& end = run.logs[0].slow_start_end;
    if (!end.has_value()) return false;
    std::printf(
        "slow start, queue of %2d BDP: ends at %.3f s, window %.2f BDP, %d packets dropped\n",
        static_cast<int>(bdps), StudyRun::SinceStart(end->at).ToSecondsDouble(),
        static_cast<double>(end->window_bytes) / static_cast<double>(config.bdp_bytes()),
        static_cast<int>(run.samples.back().queue_drops));
    if (bdps == 16 && !WriteSamples(run, directory, "slow_start.csv", config.sample_interval)) {
      return false;
    }
  }
  return true;
}

bool Report(const std::string& directory) {
  return ReportOneFlow(directory) && ReportSlowStart(directory) && ReportTwoFlows(directory);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: congestion_report DIRECTORY\n");
    return 2;
  }
  return godwit::Report(argv[1]) ? 0 : 1;
}
