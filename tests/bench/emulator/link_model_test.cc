// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/link_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <vector>

#include "bench/emulator/link_profile.h"
#include "godwit/bandwidth.h"

namespace godwit {
namespace {

constexpr size_t kPacketBytes = 1'000;

Timestamp At(Duration since_start) { return Timestamp::Zero() + since_start; }
Timestamp AtMicroseconds(int64_t count) { return At(Duration::Microseconds(count)); }

// One millisecond for a packet of kPacketBytes.
LinkProfile MillisecondAPacket() {
  LinkProfile profile;
  profile.rate = Bandwidth::MegabitsPerSecond(8);
  return profile;
}

// A packet that tells its number.
std::vector<uint8_t> Packet(uint32_t number) {
  std::vector<uint8_t> packet(kPacketBytes);
  for (int i = 0; i < 4; ++i) packet[i] = static_cast<uint8_t>(number >> (8 * i));
  return packet;
}

uint32_t NumberOf(const std::vector<uint8_t>& packet) {
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number |= uint32_t{packet[i]} << (8 * i);
  return number;
}

struct Seen {
  Timestamp time;
  uint32_t number;

  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> PollAll(LinkModel& link, Timestamp now) {
  std::vector<Seen> all;
  while (const auto delivery = link.PollDelivery(now)) {
    all.push_back({delivery->time, NumberOf(delivery->packet)});
  }
  return all;
}

// Packets 0 .. count-1, one every `interval`, and everything that arrives.
std::vector<Seen> RunPackets(LinkModel& link, uint32_t count, Duration interval) {
  for (uint32_t i = 0; i < count; ++i) {
    link.OnPacket(Packet(i), At(static_cast<int64_t>(i) * interval));
  }
  std::vector<Seen> all = PollAll(link, Timestamp::FromNanoseconds(1'000'000'000'000));
  EXPECT_EQ(link.pending_packets(), 0u);
  link.CheckInvariants();
  return all;
}

std::vector<uint32_t> NumbersOf(const std::vector<Seen>& all) {
  std::vector<uint32_t> numbers;
  for (const Seen& seen : all) numbers.push_back(seen.number);
  return numbers;
}

TEST(LinkModelTest, PerfectLinkDeliversAtOnce) {
  LinkModel link(LinkProfile(), 1);

  link.OnPacket(Packet(7), AtMicroseconds(5));

  EXPECT_EQ(link.next_deadline(), AtMicroseconds(5));
  EXPECT_EQ(PollAll(link, AtMicroseconds(5)), (std::vector<Seen>{{AtMicroseconds(5), 7}}));
  EXPECT_EQ(link.next_deadline(), Timestamp::Infinite());
}

TEST(LinkModelTest, PacketArrivesWhenItHasLeftTheWireAndTravelled) {
  LinkProfile profile = MillisecondAPacket();
  profile.delay = Duration::Milliseconds(10);
  LinkModel link(profile, 1);

  link.OnPacket(Packet(0), AtMicroseconds(0));

  EXPECT_EQ(link.next_deadline(), AtMicroseconds(11'000));
  EXPECT_TRUE(PollAll(link, AtMicroseconds(10'999)).empty());
  EXPECT_EQ(PollAll(link, AtMicroseconds(11'000)).size(), 1u);
}

TEST(LinkModelTest, PacketsLeaveOneAfterTheOther) {
  LinkModel link(MillisecondAPacket(), 1);

  const std::vector<Seen> seen = RunPackets(link, 3, Duration::Microseconds(300));

  EXPECT_EQ(seen, (std::vector<Seen>{{AtMicroseconds(1'000), 0},
                                     {AtMicroseconds(2'000), 1},
                                     {AtMicroseconds(3'000), 2}}));
}

TEST(LinkModelTest, IdleWireIsNotSavedUp) {
  LinkModel link(MillisecondAPacket(), 1);

  const std::vector<Seen> seen = RunPackets(link, 2, Duration::Milliseconds(50));

  EXPECT_EQ(seen[1].time, AtMicroseconds(51'000));
}

TEST(LinkModelTest, LateArrivalOfATimeInThePastWaitsForTheWire) {
  LinkModel link(MillisecondAPacket(), 1);
  link.OnPacket(Packet(0), AtMicroseconds(0));
  EXPECT_EQ(PollAll(link, AtMicroseconds(1'500)).size(), 1u);

  link.OnPacket(Packet(1), AtMicroseconds(900));

  EXPECT_EQ(link.next_deadline(), AtMicroseconds(2'000));
}

TEST(LinkModelTest, QueueIsBoundedInPackets) {
  LinkProfile profile = MillisecondAPacket();
  profile.queue = {.packets = 2, .bytes = std::nullopt, .wait = std::nullopt};
  LinkModel link(profile, 1);

  EXPECT_EQ(link.OnPacket(Packet(0), AtMicroseconds(0)), Admission::kQueued);
  EXPECT_EQ(link.OnPacket(Packet(1), AtMicroseconds(0)), Admission::kQueued);
  EXPECT_EQ(link.OnPacket(Packet(2), AtMicroseconds(999)), Admission::kQueueFull);
  EXPECT_EQ(link.OnPacket(Packet(3), AtMicroseconds(1'000)), Admission::kQueued);

  EXPECT_EQ(link.counters().dropped_queue_full, 1u);
  EXPECT_EQ(link.counters().largest_queue_packets, 2u);
}

TEST(LinkModelTest, QueueIsBoundedInBytes) {
  LinkProfile profile = MillisecondAPacket();
  profile.queue = {.packets = std::nullopt, .bytes = 2'999, .wait = std::nullopt};
  LinkModel link(profile, 1);

  EXPECT_EQ(link.OnPacket(Packet(0), AtMicroseconds(0)), Admission::kQueued);
  EXPECT_EQ(link.OnPacket(Packet(1), AtMicroseconds(0)), Admission::kQueued);
  EXPECT_EQ(link.OnPacket(Packet(2), AtMicroseconds(0)), Admission::kQueueFull);
  EXPECT_EQ(link.counters().largest_queue_bytes, 2'000u);
}

TEST(LinkModelTest, QueueIsBoundedInTime) {
  LinkProfile profile = MillisecondAPacket();
  profile.queue = {
      .packets = std::nullopt, .bytes = std::nullopt, .wait = Duration::Microseconds(1'500)};
  LinkModel link(profile, 1);

  EXPECT_EQ(link.OnPacket(Packet(0), AtMicroseconds(0)), Admission::kQueued);       // Waits 0.
  EXPECT_EQ(link.OnPacket(Packet(1), AtMicroseconds(0)), Admission::kQueued);       // Waits 1 ms.
  EXPECT_EQ(link.OnPacket(Packet(2), AtMicroseconds(499)), Admission::kQueueFull);  // 1.501 ms.
  EXPECT_EQ(link.OnPacket(Packet(3), AtMicroseconds(500)), Admission::kQueued);
}

TEST(LinkModelTest, IdleLinkTakesAPacketWhateverItsBounds) {
  LinkProfile profile = MillisecondAPacket();
  profile.queue = {.packets = 0, .bytes = 0, .wait = Duration::Zero()};
  LinkModel link(profile, 1);

  EXPECT_EQ(link.OnPacket(Packet(0), AtMicroseconds(0)), Admission::kQueued);
  EXPECT_EQ(link.OnPacket(Packet(1), AtMicroseconds(0)), Admission::kQueueFull);
}

TEST(LinkModelTest, PacketLargerThanTheMtuIsRefused) {
  LinkProfile profile;
  profile.mtu_bytes = kPacketBytes - 1;
  LinkModel link(profile, 1);
  EXPECT_EQ(link.OnPacket(Packet(0), AtMicroseconds(0)), Admission::kTooBig);

  profile.mtu_bytes = kPacketBytes;
  link.ChangeProfile(profile, AtMicroseconds(1));

  EXPECT_EQ(link.OnPacket(Packet(1), AtMicroseconds(2)), Admission::kQueued);
  EXPECT_EQ(link.counters().dropped_too_big, 1u);
}

TEST(LinkModelTest, NewRateHoldsForTheRestOfThePacketOnTheWireAndTheQueue) {
  LinkProfile profile = MillisecondAPacket();
  LinkModel link(profile, 1);
  link.OnPacket(Packet(0), AtMicroseconds(0));
  link.OnPacket(Packet(1), AtMicroseconds(0));

  profile.rate = Bandwidth::MegabitsPerSecond(4);
  link.ChangeProfile(profile, AtMicroseconds(500));

  EXPECT_EQ(PollAll(link, AtMicroseconds(10'000)),
            (std::vector<Seen>{{AtMicroseconds(1'500), 0}, {AtMicroseconds(3'500), 1}}));
}

TEST(LinkModelTest, UnlimitedRateEmptiesTheQueueAtOnce) {
  LinkModel link(MillisecondAPacket(), 1);
  link.OnPacket(Packet(0), AtMicroseconds(0));
  link.OnPacket(Packet(1), AtMicroseconds(0));

  link.ChangeProfile(LinkProfile(), AtMicroseconds(500));

  EXPECT_EQ(PollAll(link, AtMicroseconds(500)),
            (std::vector<Seen>{{AtMicroseconds(500), 0}, {AtMicroseconds(500), 1}}));
}

TEST(LinkModelTest, ShorterDelayDoesNotLetPacketsOvertake) {
  LinkProfile profile;
  profile.delay = Duration::Milliseconds(50);
  LinkModel link(profile, 1);
  link.OnPacket(Packet(0), AtMicroseconds(0));

  profile.delay = Duration::Milliseconds(5);
  link.ChangeProfile(profile, AtMicroseconds(1));
  link.OnPacket(Packet(1), AtMicroseconds(2));

  EXPECT_EQ(PollAll(link, AtMicroseconds(50'000)),
            (std::vector<Seen>{{AtMicroseconds(50'000), 0}, {AtMicroseconds(50'000), 1}}));
}

TEST(LinkModelTest, OutageLosesWhatLeavesTheWireWhileItLasts) {
  LinkModel link(MillisecondAPacket(), 1);
  link.AddOutage(AtMicroseconds(2'000), Duration::Milliseconds(2));

  const std::vector<Seen> seen = RunPackets(link, 5, Duration::Milliseconds(1));

  EXPECT_EQ(NumbersOf(seen), (std::vector<uint32_t>{0, 3, 4}));  // 1 left at 2 ms, 3 at 4 ms.
  EXPECT_EQ(link.counters().dropped_outage, 2u);
}

TEST(LinkModelTest, JitterDelaysByUpToItsSizeAndKeepsTheOrder) {
  LinkProfile profile;
  profile.jitter = Duration::Milliseconds(5);
  LinkModel link(profile, 1);

  const std::vector<Seen> seen = RunPackets(link, 1'000, Duration::Milliseconds(1));

  int late = 0;
  for (uint32_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].number, i);
    const Duration took = seen[i].time - At(Duration::Milliseconds(i));
    EXPECT_LE(took, Duration::Milliseconds(5));
    late += took > Duration::Milliseconds(2) ? 1 : 0;
  }
  EXPECT_GT(late, 300);
  EXPECT_EQ(link.counters().reordered_packets, 0u);
}

TEST(LinkModelTest, JitterWithReorderingTreatsEveryPacketAlone) {
  LinkProfile profile;
  profile.jitter = Duration::Milliseconds(5);
  profile.jitter_reorders = true;
  LinkModel link(profile, 1);

  const std::vector<Seen> seen = RunPackets(link, 1'000, Duration::Milliseconds(1));

  EXPECT_EQ(seen.size(), 1'000u);
  EXPECT_GT(link.counters().reordered_packets, 300u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end(),
                             [](const Seen& a, const Seen& b) { return a.time < b.time; }));
}

TEST(LinkModelTest, ReorderedPacketsAreOvertakenAndTheOthersAreNotHeldBack) {
  LinkProfile profile;
  profile.reorder = Probability::Percent(10);
  profile.reorder_delay = Duration::Microseconds(2'500);
  LinkModel link(profile, 1);

  const std::vector<Seen> seen = RunPackets(link, 1'000, Duration::Milliseconds(1));

  uint64_t delayed = 0;
  for (const Seen& packet : seen) {
    const Duration took = packet.time - At(Duration::Milliseconds(packet.number));
    ASSERT_TRUE(took == Duration::Zero() || took == profile.reorder_delay);
    delayed += took.is_zero() ? 0 : 1;
  }
  EXPECT_NEAR(static_cast<double>(delayed), 100, 38);  // Four standard deviations.
  EXPECT_GT(link.counters().reordered_packets, delayed / 2);
  EXPECT_LE(link.counters().reordered_packets, delayed);
}

TEST(LinkModelTest, RandomLossIsAsFrequentAsItSays) {
  LinkProfile profile;
  profile.loss = Probability::Percent(3);
  LinkModel link(profile, 1);

  RunPackets(link, 100'000, Duration::Microseconds(1));

  EXPECT_NEAR(static_cast<double>(link.counters().dropped_random_loss), 3'000, 216);
}

TEST(LinkModelTest, BurstsAreAsLongAndAsFrequentAsGilbertAndElliottSay) {
  LinkProfile profile;
  profile.burst_loss.turns_bad = Probability::Percent(1);
  profile.burst_loss.turns_good = Probability::Percent(25);
  LinkModel link(profile, 1);
  constexpr uint32_t kPackets = 100'000;

  const std::vector<Seen> seen = RunPackets(link, kPackets, Duration::Microseconds(1));

  // Bad for 1 / (1 + 25) of the packets, in bursts of 1 / 25 % = 4.
  const double lost = static_cast<double>(link.counters().dropped_burst_loss);
  EXPECT_NEAR(lost / kPackets, 1.0 / 26, 0.004);
  uint32_t bursts = 0;
  uint32_t expected = 0;
  for (const Seen& packet : seen) {
    bursts += packet.number != expected ? 1 : 0;
    expected = packet.number + 1;
  }
  EXPECT_NEAR(lost / bursts, 4.0, 0.4);
}

TEST(LinkModelTest, CopyArrivesRightBehindThePacket) {
  LinkProfile profile;
  profile.duplicate = Probability::Percent(100);
  profile.delay = Duration::Milliseconds(1);
  LinkModel link(profile, 1);

  const std::vector<Seen> seen = RunPackets(link, 3, Duration::Zero());

  EXPECT_EQ(NumbersOf(seen), (std::vector<uint32_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(link.counters().duplicated_packets, 3u);
  EXPECT_EQ(link.counters().reordered_packets, 0u);
}

TEST(LinkModelTest, CorruptedPacketDiffersInOneToThreeBits) {
  LinkProfile profile;
  profile.corrupt = Probability::Percent(100);
  LinkModel link(profile, 1);
  std::map<int, int> flips;

  for (int i = 0; i < 1'000; ++i) {
    link.OnPacket(std::vector<uint8_t>(i + 1), AtMicroseconds(i));
    const auto delivery = link.PollDelivery(AtMicroseconds(i));
    ASSERT_TRUE(delivery.has_value());
    int bits = 0;
    for (const uint8_t byte : delivery->packet) bits += std::popcount(byte);
    ++flips[bits];
  }

  EXPECT_EQ(flips.size(), 3u);
  for (const int bits : {1, 2, 3}) EXPECT_GT(flips[bits], 250);
  EXPECT_EQ(link.counters().corrupted_packets, 1'000u);
}

TEST(LinkModelTest, CopyOfACorruptedPacketIsIntact) {
  LinkProfile profile;
  profile.corrupt = Probability::Percent(100);
  profile.duplicate = Probability::Percent(100);
  LinkModel link(profile, 1);

  link.OnPacket(Packet(5), AtMicroseconds(0));

  EXPECT_NE(link.PollDelivery(AtMicroseconds(0))->packet, Packet(5));
  EXPECT_EQ(link.PollDelivery(AtMicroseconds(0))->packet, Packet(5));
}

LinkProfile EverythingGoesWrong() {
  LinkProfile profile = MillisecondAPacket();
  profile.queue = {.packets = 5, .bytes = 4'500, .wait = Duration::Milliseconds(4)};
  profile.delay = Duration::Milliseconds(3);
  profile.jitter = Duration::Milliseconds(2);
  profile.jitter_reorders = true;
  profile.reorder = Probability::Percent(5);
  profile.reorder_delay = Duration::Milliseconds(7);
  profile.loss = Probability::Percent(5);
  profile.burst_loss.turns_bad = Probability::Percent(2);
  profile.burst_loss.turns_good = Probability::Percent(30);
  profile.duplicate = Probability::Percent(5);
  return profile;
}

TEST(LinkModelTest, SeedDecidesEverything) {
  LinkModel first(EverythingGoesWrong(), 42);
  LinkModel again(EverythingGoesWrong(), 42);
  LinkModel other(EverythingGoesWrong(), 43);

  const std::vector<Seen> seen = RunPackets(first, 2'000, Duration::Microseconds(900));

  EXPECT_EQ(RunPackets(again, 2'000, Duration::Microseconds(900)), seen);
  EXPECT_EQ(again.counters(), first.counters());
  EXPECT_NE(RunPackets(other, 2'000, Duration::Microseconds(900)), seen);
}

TEST(LinkModelTest, SamePacketsAreLostWhateverElseHappensToThem) {
  LinkProfile losing;
  losing.loss = Probability::Percent(10);
  LinkProfile losing_and_more = losing;
  losing_and_more.jitter = Duration::Milliseconds(3);
  losing_and_more.reorder = Probability::Percent(10);
  losing_and_more.duplicate = Probability::Percent(10);
  LinkModel plain(losing, 9);
  LinkModel busy(losing_and_more, 9);

  std::vector<uint32_t> plain_numbers = NumbersOf(RunPackets(plain, 1'000, Duration::Zero()));
  std::vector<uint32_t> busy_numbers = NumbersOf(RunPackets(busy, 1'000, Duration::Zero()));

  std::sort(busy_numbers.begin(), busy_numbers.end());
  busy_numbers.erase(std::unique(busy_numbers.begin(), busy_numbers.end()), busy_numbers.end());
  EXPECT_LT(plain_numbers.size(), 1'000u);
  EXPECT_EQ(busy_numbers, plain_numbers);
}

TEST(LinkModelTest, CountersAddUpAtEveryStep) {
  LinkModel link(EverythingGoesWrong(), 3);
  Timestamp last = Timestamp::InfinitePast();

  for (uint32_t i = 0; i < 5'000; ++i) {
    const Timestamp now = AtMicroseconds(int64_t{i} * 700);
    link.OnPacket(Packet(i), now);
    if (i % 1'000 == 500) link.AddOutage(now, Duration::Milliseconds(10));
    if (i % 100 == 50) {
      LinkProfile profile = EverythingGoesWrong();
      profile.rate = Bandwidth::MegabitsPerSecond(1 + i / 100 % 20);
      link.ChangeProfile(profile, now);
    }
    for (const Seen& seen : PollAll(link, now)) {
      EXPECT_GE(seen.time, last);
      last = seen.time;
    }
    EXPECT_GT(link.next_deadline(), now);
    link.CheckInvariants();
  }

  EXPECT_GT(link.counters().dropped_outage, 0u);
  EXPECT_GT(link.counters().dropped_queue_full, 0u);
}

}  // namespace
}  // namespace godwit
