// SPDX-License-Identifier: Apache-2.0
//
// Shows what the transport does today: a client downloads over links of several kinds, in virtual
// time, while every byte is checked. No socket is involved; the same code will run over them.
#include <cstdio>
#include <string_view>
#include <vector>

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;
constexpr uint64_t kDownloadBytes = 20 * kMegabyte;

struct Scene {
  const char* name;
  LinkConfig link;
  // Of the client, while the download runs.
  bool changes_address = false;
  Duration blackout = Duration::Zero();
};

std::vector<Scene> Scenes() {
  const LinkConfig clean = {.rate = Bandwidth::MegabitsPerSecond(50),
                            .queue_bytes = 300'000,
                            .delay = Duration::Milliseconds(25)};
  LinkConfig lossy = clean;
  lossy.loss = Chance::Percent(2);
  LinkConfig reordering = clean;
  reordering.reorder = Chance::Percent(10);
  LinkConfig satellite = clean;
  satellite.delay = Duration::Milliseconds(300);
  satellite.queue_bytes = 3'000'000;
  return {{.name = "50 Mbit/s, round trip 50 ms", .link = clean},
          {.name = "the same, 2 % random loss", .link = lossy},
          {.name = "the same, 10 % reordered", .link = reordering},
          {.name = "the same, 3 s black-out", .link = clean, .blackout = Duration::Seconds(3)},
          {.name = "the same, address changes twice", .link = clean, .changes_address = true},
          {.name = "50 Mbit/s, round trip 600 ms", .link = satellite}};
}

void Play(const Scene& scene) {
  PairConfig config;
  config.Link(scene.link);
  config.server.app.streams = Bulk(kDownloadBytes);
  config.simulation.checks_invariants_every = 50;
  config.simulation.observes_packets = false;
  EndpointPair pair(config);
  const Timestamp begin = pair.simulation().now();
  if (!scene.blackout.is_zero()) {
    pair.up().AddBlackout(begin + Duration::Seconds(1), scene.blackout);
    pair.down().AddBlackout(begin + Duration::Seconds(1), scene.blackout);
  }
  if (scene.changes_address) pair.RebindEvery(Duration::Seconds(1), 2, /*with_ip=*/true);
  const testing::AssertionResult result = pair.RunToSettled(Duration::Seconds(300));
  const double seconds = (pair.simulation().now() - begin).ToSecondsDouble();
  const ConnectionStats stats = pair.ServerStats();
  std::printf(
      "%-34s %6.2f s %6.1f Mbit/s %6llu packets, %5llu lost (%llu not really), %llu probe "
      "timeouts%s\n",
      scene.name, seconds, static_cast<double>(8 * kDownloadBytes) / seconds / 1e6,
      static_cast<unsigned long long>(stats.packets_sent),
      static_cast<unsigned long long>(stats.packets_lost),
      static_cast<unsigned long long>(stats.packets_spuriously_lost),
      static_cast<unsigned long long>(stats.ptos), result ? "" : "   FAILED");
  if (!result) std::printf("%s\n", result.message());
  std::fflush(stdout);
}

}  // namespace
}  // namespace godwit

int main() {
  std::printf("20 MB from a server to a client, Cubic, every byte checked, in virtual time:\n\n");
  for (const godwit::Scene& scene : godwit::Scenes()) godwit::Play(scene);
}
