// SPDX-License-Identifier: Apache-2.0
//
// CongestionStudy: bulk flows of whole endpoints over one simulated bottleneck, and what is to be
// known of them: how much of the link they use, how they share it, whether the window follows the
// curve of RFC 9438 §4.2. The test asserts these figures, the report writes them down.
//
// Each flow has a client and a server of its own; the servers send, their data goes over the shared
// link, acknowledgments come back over links of their own, as fast and never full.
//
// What is counted: `carried_bytes` are IP packets, so that rate times time is the most that there
// can be; `goodput_bytes` are bytes of streams that the applications have read.
#ifndef GODWIT_TESTS_SIM_CONGESTION_STUDY_H_
#define GODWIT_TESTS_SIM_CONGESTION_STUDY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "godwit/bandwidth.h"
#include "godwit/time.h"
#include "tests/sim/probed_cubic.h"

namespace godwit {

struct StudyConfig {
  uint64_t seed = 1;
  Bandwidth rate = Bandwidth::MegabitsPerSecond(100);
  Duration rtt = Duration::Milliseconds(40);  // With an empty queue.
  uint64_t queue_bytes = 500'000;             // One bandwidth-delay product of the two above.
  // When each flow connects.
  std::vector<Duration> starts = {Duration::Zero()};
  // Acknowledgments come up to this later: the hosts of a real network do not run in step.
  Duration ack_jitter = Duration::Zero();
  Duration sample_interval = Duration::Milliseconds(20);

  uint64_t bdp_bytes() const { return rate.BytesIn(rtt); }
};

// Zero before the handshake.
struct FlowSample {
  uint64_t window_bytes = 0;
  uint64_t bytes_in_flight = 0;
  Duration rtt = {};
  // UDP payload that has come to the client.
  uint64_t received_bytes = 0;
};

struct StudySample {
  Duration at = {};
  uint64_t queue_bytes = 0;
  uint64_t queue_drops = 0;
  uint64_t carried_bytes = 0;
  uint64_t goodput_bytes = 0;
  std::vector<FlowSample> flows = {};
};

struct StudyRun {
  StudyConfig config;
  std::vector<StudySample> samples;  // The first at 0, then one each sample_interval.
  std::vector<WindowLog> logs;       // By flow. Their times are those of the simulation.
  uint64_t datagram_bytes = 0;       // A segment of the RFC.
  std::string problem;               // Of a checker. Empty: none.

  // Of the time of a log, since the start.
  static Duration SinceStart(Timestamp at);
};

[[nodiscard]] StudyRun RunStudy(const StudyConfig& config, Duration length);

// The starts of two flows, the second up to ten seconds after the first, and jitter of half a
// packet's time: as `seed` has it.
[[nodiscard]] StudyConfig TwoFlows(uint64_t seed);

// Between two moments of a run that are samples of it.
struct StudyInterval {
  Duration begin;
  Duration end;
};

// Of what the link can carry, headers of IP and UDP included.
[[nodiscard]] double LinkShare(const StudyRun& run, const StudyInterval& interval);
// Of the same, but stream bytes only.
[[nodiscard]] double GoodputShare(const StudyRun& run, const StudyInterval& interval);
// Jain's index of what the flows received in all of the interval.
[[nodiscard]] double Fairness(const StudyRun& run, const StudyInterval& interval);
// Its mean over the seconds of the interval: harder, because a flow may not make up for one second
// in another.
[[nodiscard]] double MeanFairnessOfSeconds(const StudyRun& run, const StudyInterval& interval);
[[nodiscard]] uint64_t QueueDrops(const StudyRun& run, const StudyInterval& interval);
[[nodiscard]] double Median(std::vector<double> values);

// W_cubic(t) = C (t - K)^3 + W_max, in bytes and seconds.
struct CubicFormula {
  double max_bytes = 0;
  double epoch_bytes = 0;
  double datagram_bytes = 0;

  double K() const;
  double WindowAt(double t) const;
};

// A stage that the next reduction has ended, beside the formula.
struct StageFit {
  WindowLog::Stage stage;
  CubicFormula formula;
  // Between the window and the formula, as a part of the formula.
  double largest_deviation = 0;
};

// The formula is made of what is seen at reductions: the windows before them, now and last time.
[[nodiscard]] std::vector<StageFit> FitStages(const WindowLog& log, uint64_t datagram_bytes);

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_CONGESTION_STUDY_H_
