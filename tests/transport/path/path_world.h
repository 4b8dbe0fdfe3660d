// SPDX-License-Identifier: Apache-2.0
//
// PathWorld: a PathManager and what a connection and its network do with it: datagrams arrive,
// packets in them are authenticated, path frames are written into datagrams whose size and credit
// are accounted for, time passes. Checks the invariants after every step.
#ifndef GODWIT_TESTS_TRANSPORT_PATH_PATH_WORLD_H_
#define GODWIT_TESTS_TRANSPORT_PATH_PATH_WORLD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/path_id.h"
#include "base/seeded_random.h"
#include "godwit/congestion_controller.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "tests/transport/path/path_fixture.h"
#include "tests/transport/path/path_packet.h"
#include "transport/path/path_manager.h"
#include "transport/wire/frame.h"

namespace godwit {

class PathWorld {
 public:
  static constexpr Duration kPto = Duration::Milliseconds(100);
  static constexpr uint64_t kDatagramBytes = 1'200;
  // Of a datagram that carries path frames and cannot be expanded.
  static constexpr uint64_t kShortDatagramBytes = 60;

  struct Setup {
    PathManager::Config config = {};
    FourTuple first = TupleFrom("192.0.2.1:1000");
    PathId first_id = PathId(0);
    bool is_first_validated = true;
    uint64_t seed = 1;
  };
  PathWorld() : PathWorld(Setup{}) {}
  explicit PathWorld(const Setup& setup)
      : random(setup.seed),
        manager({.id = setup.first_id,
                 .four_tuple = setup.first,
                 .factory = Factory(kCubic),
                 .is_validated = setup.is_first_validated,
                 .now = now},
                setup.config) {
    manager.CheckInvariants();
  }

  struct Arrival {
    PathId path;
    bool is_known;  // It is no path that began with this datagram.
    std::optional<DropReason> drop = std::nullopt;
    std::optional<PathId> evicted = std::nullopt;
  };
  Arrival Arrive(const FourTuple& from, uint64_t bytes = kDatagramBytes) {
    if (Path* const path = manager.Find(from)) {
      path->OnDatagramReceived(bytes);
      manager.CheckInvariants();
      return {.path = path->id(), .is_known = true};
    }
    const PathManager::Arrival arrival = manager.OnUnknownFourTuple(from, bytes, true, now);
    manager.CheckInvariants();
    return {.path = arrival.path,
            .is_known = false,
            .drop = arrival.drop,
            .evicted = arrival.evicted};
  }

  enum class Packet { kNonProbing, kProbing, kOld };
  // A datagram arrives, with one packet that is what it should be.
  PathManager::Migration Receive(const FourTuple& from, Packet packet = Packet::kNonProbing,
                                 uint64_t bytes = kDatagramBytes) {
    const Arrival arrival = Arrive(from, bytes);
    if (arrival.drop.has_value()) return PathManager::Migration::kNone;
    const PathManager::Migration migration =
        manager.OnPacketAuthenticated({.path = arrival.path,
                                       .is_largest_packet_number = packet != Packet::kOld,
                                       .is_probing = packet == Packet::kProbing,
                                       .now = now,
                                       .pto = kPto},
                                      random);
    manager.CheckInvariants();
    return migration;
  }

  struct Sent {
    FourTuple to;
    PathPacket::Content content;
    uint64_t bytes;
  };
  // Sends one datagram with what the path has to say; nothing is written if credit forbids it.
  Sent SendOn(PathId id) {
    Path& path = *manager.Find(id);
    Sent sent{.to = path.four_tuple(), .content = {}, .bytes = 0};
    const bool is_full = manager.PathNeedsFullDatagram(id);
    const uint64_t bytes = is_full ? kDatagramBytes : kShortDatagramBytes;
    if (path.AmplificationCredit() < bytes) return sent;
    PathPacket packet(next_number++,
                      &path == &manager.active() ? PacketMode::kNormal : PacketMode::kPathOnly);
    manager.WriteFrames(packet.writer(), id, now);
    sent.content = packet.Read();
    sent.bytes = bytes;
    path.OnDatagramSent(bytes);
    manager.CheckInvariants();
    return sent;
  }
  // All that path frames want to be sent now.
  std::vector<Sent> SendAll() {
    std::vector<Sent> all;
    while (const std::optional<PathId> id = manager.NextPathWithFrames()) {
      all.push_back(SendOn(*id));
      if (all.back().bytes == 0) break;
    }
    return all;
  }
  // The challenge that goes to this address now; the others are lost.
  std::optional<PathChallengeData> ChallengeTo(const FourTuple& to) {
    std::optional<PathChallengeData> data;
    for (const Sent& sent : SendAll()) {
      if (sent.to == to && !sent.content.challenges.empty()) data = sent.content.challenges[0];
    }
    return data;
  }

  void Answer(const PathChallengeData& data) {
    GODWIT_CHECK(manager.OnPathResponseFrame({.data = data}, now, random).ok());
    manager.CheckInvariants();
  }

  PathManager::TimeoutOutcome TimeOut() {
    PathManager::TimeoutOutcome outcome = manager.OnTimeout(now, random);
    manager.CheckInvariants();
    GODWIT_CHECK(manager.next_deadline() > now);
    return outcome;
  }
  // Time passes and timers fire; what the paths want to send is sent and lost. What happened.
  struct Passed {
    size_t reverted_count = 0;
    size_t no_viable_path_count = 0;
    std::vector<PathId> abandoned;
    std::vector<Sent> sent;
  };
  Passed Pass(Duration duration) {
    Passed passed;
    const Timestamp end = now + duration;
    while (true) {
      for (const Sent& sent : SendAll()) passed.sent.push_back(sent);
      if (manager.next_deadline() > end) break;
      now = std::max(now, manager.next_deadline());
      const PathManager::TimeoutOutcome outcome = TimeOut();
      passed.reverted_count += outcome.reverted ? 1 : 0;
      passed.no_viable_path_count += outcome.no_viable_path ? 1 : 0;
      passed.abandoned.insert(passed.abandoned.end(), outcome.abandoned.begin(),
                              outcome.abandoned.end());
    }
    now = end;
    return passed;
  }

  const FourTuple& active_tuple() const { return manager.active().four_tuple(); }

  Timestamp now = Timestamp::FromNanoseconds(7'000'000'000);
  SeededRandom random;
  uint64_t next_number = 0;
  PathManager manager;
};

inline const FourTuple kHome = TupleFrom("192.0.2.1:1000");
inline const FourTuple kOtherPort = TupleFrom("192.0.2.1:2000");
inline const FourTuple kElsewhere = TupleFrom("203.0.113.5:3000");
inline const FourTuple kAttacker = TupleFrom("198.18.0.66:666");

// Any number of addresses, all of different IP addresses and ports if below 250.
inline FourTuple NumberedTuple(size_t i) {
  return TupleFrom("198.18.1." + std::to_string(1 + i % 250) + ":" + std::to_string(1 + i));
}

// The path in use gets an RTT and a window of its own, and has 5 packets in flight; the window.
inline uint64_t UseActive(PathWorld& world) {
  Path& path = world.manager.active();
  const std::vector<TransmittedPacket> packets = Send(path, 10, world.now);
  path.rtt().OnMeasurement({.rtt = Duration::Milliseconds(30)});
  path.OnFates({.now = world.now, .acked = std::span(packets).first(5), .has_rtt_sample = true});
  return path.controller().congestion_window_bytes();
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_PATH_PATH_WORLD_H_
