// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/random_run.h"

#include <algorithm>
#include <string_view>

#include "base/seeded_random.h"
#include "congestion/builtin_controllers.h"
#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kRealTlsEvery = 5;
// For the slowest links with the worst faults. What matters is that it ends.
constexpr Duration kLimit = Duration::Seconds(900);
constexpr Duration kStallAfter = Duration::Seconds(60);

// Throws the dice for everything that a run needs.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  uint64_t Between(uint64_t least, uint64_t most) {
    return least + random_.UniformBelow(most - least + 1);
  }
  // All magnitudes alike.
  uint64_t Magnitude(uint64_t least, uint64_t most) {
    uint64_t top = least;
    uint64_t doublings = 0;
    for (; top < most; top *= 2) ++doublings;
    const uint64_t floor = least << Between(0, doublings);
    return std::min(most, Between(floor, floor * 2));
  }
  bool OneIn(uint64_t count) { return random_.UniformBelow(count) == 0; }
  Duration Milliseconds(uint64_t least, uint64_t most) {
    return Duration::Milliseconds(static_cast<int64_t>(Between(least, most)));
  }
  Chance UpToPercent(uint64_t most) { return Chance::PerMillion(Between(0, most * 10'000)); }

 private:
  SeededRandom random_;
};

LinkConfig RandomLink(Dice& dice) {
  LinkConfig link;
  const uint64_t kilobits = dice.Magnitude(500, 1'000'000);
  link.rate = Bandwidth::KilobitsPerSecond(static_cast<int64_t>(kilobits));
  link.delay = dice.Milliseconds(0, dice.OneIn(8) ? 400 : 60);
  // At least a packet, at most some round trips.
  link.queue_bytes = dice.Magnitude(12'000, 1'000'000);
  if (dice.OneIn(3)) {
    link.jitter = dice.Milliseconds(0, 30);
    link.jitter_reorders = dice.OneIn(2);
  }
  if (dice.OneIn(3)) link.loss = dice.UpToPercent(dice.OneIn(4) ? 20 : 4);
  if (dice.OneIn(6)) {
    link.bursts = {.turns_bad = dice.UpToPercent(1), .turns_good = Chance::Percent(20)};
  }
  if (dice.OneIn(4)) {
    link.reorder = dice.UpToPercent(20);
    link.reorder_delay = dice.Milliseconds(1, 40);
  }
  if (dice.OneIn(5)) link.duplicate = dice.UpToPercent(20);
  if (dice.OneIn(5)) link.corrupt = dice.UpToPercent(3);
  const uint64_t mtus[] = {1'200 + kUdpIpOverheadBytes, 1'280, 1'400, 1'500, 9'000};
  link.mtu_bytes = mtus[dice.Between(0, 4)];
  return link;
}

StreamPlan RandomStream(Dice& dice) {
  StreamPlan plan;
  if (dice.OneIn(2)) plan.direction = StreamDirection::kUnidirectional;
  plan.bytes = dice.OneIn(10) ? 0 : dice.Magnitude(1, dice.OneIn(5) ? 400'000 : 30'000);
  plan.write_bytes = dice.Magnitude(1, 100'000);
  if (plan.bytes / plan.write_bytes > 2'000) plan.write_bytes = plan.bytes / 2'000;
  if (dice.OneIn(5) && plan.bytes / plan.write_bytes < 200) {
    plan.write_interval = dice.Milliseconds(1, 20);
  }
  plan.writes_cords = dice.OneIn(2);
  plan.start_after = dice.OneIn(2) ? Duration::Zero() : dice.Milliseconds(1, 3'000);
  if (dice.OneIn(8)) plan.reset_at = dice.Between(0, plan.bytes);
  if (dice.OneIn(3)) {
    plan.priority = {.urgency = static_cast<uint8_t>(dice.Between(0, 7)),
                     .is_incremental = dice.OneIn(2)};
  }
  return plan;
}

AppPlan RandomApp(Dice& dice) {
  AppPlan app;
  const uint64_t streams = dice.Between(0, dice.OneIn(6) ? 60 : 8);
  for (uint64_t i = 0; i < streams; ++i) app.streams.push_back(RandomStream(dice));
  if (dice.OneIn(6)) {
    app.reads.speed = ReadPlan::Speed::kSlow;
    app.reads.bytes = dice.Magnitude(500, 50'000);
    app.reads.interval = dice.Milliseconds(1, 20);
  }
  if (dice.OneIn(8)) app.reads.stop_at = dice.Magnitude(1, 50'000);
  const uint64_t answer = dice.Between(0, 2);
  if (answer == 1) app.answers.kind = AnswerPlan::Kind::kEcho;
  if (answer == 2) app.answers = {AnswerPlan::Kind::kBytes, dice.Magnitude(1, 50'000)};
  if (dice.OneIn(3)) {
    app.datagrams = {.count = dice.Between(1, 200),
                     .bytes = dice.Between(8, 1'500),
                     .at_a_time = dice.Between(1, 20),
                     .interval = dice.Milliseconds(1, 50)};
  }
  return app;
}

EndConfig RandomEnd(Dice& dice) {
  EndConfig end;
  end.app = RandomApp(dice);
  if (dice.OneIn(3))
    end.batching = Duration::Microseconds(static_cast<int64_t>(dice.Between(10, 2'000)));
  end.connection_id_bytes = dice.Between(4, 20);
  if (dice.OneIn(4)) end.endpoint.congestion_controller = "new_reno";

  ConnectionConfig& connection = end.endpoint.connection;
  connection.handshake_timeout = Duration::Seconds(120);
  connection.idle.max_idle_timeout = Duration::Seconds(120);
  if (dice.OneIn(4)) connection.max_ack_delay = dice.Milliseconds(1, 100);
  if (dice.OneIn(4)) connection.mtu.enabled = false;
  if (dice.OneIn(4)) connection.mtu.max_mtu = dice.Between(1'200, 9'000);
  StreamConfig& streams = connection.streams;
  if (dice.OneIn(4)) {
    streams.initial_max_data = dice.Magnitude(2'000, 1 << 20);
    streams.initial_max_stream_data_bidi_local = dice.Magnitude(1'000, 1 << 18);
    streams.initial_max_stream_data_bidi_remote = dice.Magnitude(1'000, 1 << 18);
    streams.initial_max_stream_data_uni = dice.Magnitude(1'000, 1 << 18);
  }
  if (dice.OneIn(4)) {
    streams.max_streams_bidi = dice.Between(1, 10);
    streams.max_streams_uni = dice.Between(1, 10);
  }
  if (dice.OneIn(6)) streams.max_send_buffer_bytes = dice.Magnitude(5'000, 1 << 20);
  return end;
}

PairConfig RandomConfig(uint64_t seed, Dice& dice) {
  PairConfig config;
  config.simulation.seed = seed;
  config.simulation.stall_after = kStallAfter;
  if (seed % kRealTlsEvery == 0) config.simulation.tls = TlsKind::kReal;
  DeterministicTlsConfig& tls = config.simulation.deterministic_tls;
  tls.seed = seed;
  if (dice.OneIn(3)) tls.client_hello_bytes = dice.Between(300, 2'500);
  if (dice.OneIn(3)) tls.certificate_bytes = dice.Between(500, 10'000);
  config.up = RandomLink(dice);
  config.down = dice.OneIn(3) ? RandomLink(dice) : config.up;
  config.client = RandomEnd(dice);
  config.server = RandomEnd(dice);
  if (dice.OneIn(5)) config.client.connection_id_bytes = 0;
  // A client that only receives does not notice that its NAT has forgotten it.
  config.client.endpoint.connection.idle.keep_alive_interval = Duration::Seconds(5);
  return config;
}

// ---- What happens meanwhile ----

bool IsConfirmedAtBothEnds(EndpointPair& pair) {
  Connection* client = pair.client_connection();
  Connection* server = pair.server_connection();
  return client != nullptr && server != nullptr && client->is_handshake_confirmed() &&
         server->is_handshake_confirmed();
}

void PlanBlackouts(EndpointPair& pair, Dice& dice) {
  const uint64_t count = dice.OneIn(4) ? dice.Between(1, 3) : 0;
  for (uint64_t i = 0; i < count; ++i) {
    const Timestamp begin = pair.simulation().now() + dice.Milliseconds(0, 5'000);
    const Duration length = dice.Milliseconds(10, dice.OneIn(3) ? 10'000 : 1'000);
    const uint64_t which = dice.Between(0, 2);
    if (which != 1) pair.up().AddBlackout(begin, length);
    if (which != 2) pair.down().AddBlackout(begin, length);
  }
}

void PlanPathChanges(EndpointPair& pair, Dice& dice) {
  const uint64_t rebindings = dice.OneIn(4) ? dice.Between(1, 5) : 0;
  for (uint64_t i = 0; i < rebindings; ++i) {
    pair.After(dice.Milliseconds(100, 6'000), [&pair, with_ip = dice.OneIn(2)] {
      // RFC 9000 §9: nobody may move before.
      if (!IsConfirmedAtBothEnds(pair)) return;
      if (with_ip) {
        pair.simulation().network().RebindIp(pair.client().id());
      } else {
        pair.simulation().network().RebindPort(pair.client().id());
      }
    });
  }
  const uint64_t changes = dice.OneIn(4) ? dice.Between(1, 4) : 0;
  for (uint64_t i = 0; i < changes; ++i) {
    pair.After(dice.Milliseconds(100, 4'000), [&link = dice.OneIn(2) ? pair.up() : pair.down(),
                                               config = RandomLink(dice)] { link.Change(config); });
  }
}

void PlanCommands(EndpointPair& pair, Dice& dice) {
  const uint64_t count = dice.OneIn(3) ? dice.Between(1, 8) : 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t command = dice.Between(0, 2);
    pair.After(dice.Milliseconds(50, 4'000), [&pair, command, by_client = dice.OneIn(2)] {
      Connection* connection = by_client ? pair.client_connection() : pair.server_connection();
      if (connection == nullptr || !connection->is_handshake_confirmed()) return;
      SimNode& node = by_client ? pair.client() : pair.server();
      node.Do([&](Endpoint&) {
        static const CongestionControllerRegistry registry;
        const bool is_cubic = connection->Stats().congestion_controller == "cubic";
        if (command == 0) {
          static_cast<void>(connection->UpdateKeys(node.now()));
        } else if (command == 1) {
          connection->RotateConnectionIds();
        } else {
          connection->SwitchCongestionController(
              *FindCongestionControllerFactory(registry, is_cubic ? "new_reno" : "cubic"),
              node.now());
        }
      });
    });
  }
}

}  // namespace

RandomRunOutcome PlayRandomRun(uint64_t seed) {
  Dice dice(seed);
  EndpointPair pair(RandomConfig(seed, dice));
  PlanBlackouts(pair, dice);
  PlanPathChanges(pair, dice);
  PlanCommands(pair, dice);
  const testing::AssertionResult result = pair.Run(kLimit);
  return {result, pair.simulation().trace().hash()};
}

}  // namespace godwit
