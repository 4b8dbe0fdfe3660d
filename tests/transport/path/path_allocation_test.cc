// SPDX-License-Identifier: Apache-2.0
//
// Once warm, a path takes nothing from the heap for a packet, nor does its manager, whoever sends.
// This binary counts operator new.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "tests/base/heap_counter.h"
#include "tests/transport/path/path_world.h"

namespace godwit {
namespace {

TEST(PathAllocationTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().allocations;

  delete new int(1);

  EXPECT_EQ(CountHeap().allocations, before + 1);
}

TEST(PathAllocationTest, TransferTakesNothing) {
  for (const std::string_view name : {kCubic, kNewReno}) {
    PathWorld world;
    PathManager& manager = world.manager;
    manager.SwitchController(*Factory(name), world.now);
    std::vector<TransmittedPacket> packets;
    packets.reserve(1'000'000);
    size_t resolved = 0;
    const FourTuple from = manager.active().four_tuple();

    const uint64_t before = CountHeap().allocations;
    while (packets.size() < 20'000) {
      Path& path = manager.active();
      const Path::Budget budget = path.BudgetFor(world.now, PacketMode::kNormal, 1'200);
      for (uint64_t bytes = 0; bytes < budget.bytes; bytes += 1'200) {
        packets.push_back(path.OnPacketSent(packets.size(), 1'200, world.now));
      }
      if (budget.bytes != 0) {
        path.OnTrainSent(world.now, budget.bytes);
        path.OnDatagramSent(budget.bytes);
      }
      world.now += Duration::Microseconds(500);
      manager.Find(from)->OnDatagramReceived(50);
      manager.OnPacketAuthenticated({.path = path.id(),
                                     .is_largest_packet_number = true,
                                     .is_probing = false,
                                     .now = world.now,
                                     .pto = PathWorld::kPto},
                                    world.random);
      const size_t first = resolved;
      while (resolved < packets.size() &&
             packets[resolved].sent_time + Duration::Milliseconds(20) <= world.now) {
        ++resolved;
      }
      if (resolved == first) continue;
      const std::span<const TransmittedPacket> fated(packets.data() + first, resolved - first);
      const size_t lost = first % 997 == 0 ? 1 : 0;
      path.rtt().OnMeasurement({.rtt = world.now - fated.back().sent_time});
      path.OnFates({.now = world.now,
                    .acked = fated.subspan(lost),
                    .lost = fated.first(lost),
                    .has_rtt_sample = true});
      path.OnAppLimited(world.now);
    }

    EXPECT_EQ(CountHeap().allocations, before);
  }
}

TEST(PathAllocationTest, FloodOfAddressesTakesNothing) {
  PathWorld world;
  world.Arrive(TupleFrom("203.0.113.1:1"));
  std::vector<FourTuple> addresses;
  for (int i = 0; i < 1'000; ++i) {
    addresses.push_back(TupleFrom("203.0.113.2:" + std::to_string(i + 1)));
  }

  const uint64_t before = CountHeap().allocations;
  for (const FourTuple& address : addresses) {
    world.manager.OnUnknownFourTuple(address, 100, true, world.now);
  }

  EXPECT_EQ(CountHeap().allocations, before);
}

}  // namespace
}  // namespace godwit
