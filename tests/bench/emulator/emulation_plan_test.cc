// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/emulation_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"

namespace godwit {
namespace {

EmulationPlan Parse(absl::string_view text) {
  const absl::StatusOr<EmulationPlan> plan = ParseEmulationPlan(text);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.value_or(EmulationPlan());
}

std::string ErrorOf(absl::string_view text) {
  return std::string(ParseEmulationPlan(text).status().message());
}

const LinkProfile& Up(const EmulationPlan& plan) { return plan.link(LinkDirection::kUp); }
const LinkProfile& Down(const EmulationPlan& plan) { return plan.link(LinkDirection::kDown); }

TEST(EmulationPlanTest, NothingIsAPerfectLink) {
  const EmulationPlan plan = Parse(" \n # nothing \n;;\n");

  EXPECT_EQ(Up(plan), LinkProfile());
  EXPECT_EQ(Down(plan), LinkProfile());
  EXPECT_TRUE(plan.script.empty());
}

TEST(EmulationPlanTest, EverySettingHasItsField) {
  const EmulationPlan plan = Parse(
      "rate 1.5mbit\n"
      "queue 100packets 64kbytes 50ms\n"
      "delay 20ms\n"
      "jitter 300us reorder\n"
      "reorder 2% 5ms\n"
      "loss 0.1%\n"
      "burst-loss 1% 30% 90%\n"
      "duplicate 0.0000001%\n"
      "corrupt 100%\n"
      "mtu 1400\n"
      "too-big silent\n");

  const LinkProfile wanted = {
      .rate = Bandwidth::KilobitsPerSecond(1'500),
      .queue = {.packets = 100, .bytes = 64'000, .wait = Duration::Milliseconds(50)},
      .delay = Duration::Milliseconds(20),
      .jitter = Duration::Microseconds(300),
      .jitter_reorders = true,
      .reorder = Probability::Percent(2),
      .reorder_delay = Duration::Milliseconds(5),
      .loss = Probability::PerBillion(1'000'000),
      .burst_loss = {.turns_bad = Probability::Percent(1),
                     .turns_good = Probability::Percent(30),
                     .loss_while_bad = Probability::Percent(90)},
      .duplicate = Probability::PerBillion(1),
      .corrupt = Probability::Percent(100),
      .mtu_bytes = 1'400,
      .too_big_answer = TooBigAnswer::kSilent};
  EXPECT_EQ(Up(plan), wanted);
  EXPECT_EQ(Down(plan), wanted);
}

TEST(EmulationPlanTest, ASettingMayBeOfOneDirectionAndTheLastOneHolds) {
  const EmulationPlan plan = Parse("delay 5ms; up delay 7ms; down rate 1gbit; rate unlimited");

  EXPECT_EQ(Up(plan).delay, Duration::Milliseconds(7));
  EXPECT_EQ(Down(plan).delay, Duration::Milliseconds(5));
  EXPECT_TRUE(Down(plan).rate.is_infinite());
}

TEST(EmulationPlanTest, QueueBoundsReplaceEachOther) {
  const EmulationPlan plan = Parse("queue 10packets; queue 50ms");

  EXPECT_EQ(Up(plan).queue, (QueueBounds{.packets = std::nullopt,
                                         .bytes = std::nullopt,
                                         .wait = Duration::Milliseconds(50)}));
}

TEST(EmulationPlanTest, StepsStandInTheOrderOfTimesAndHoldAllEarlierChanges) {
  const EmulationPlan plan = Parse(
      "at 10s up rate 5mbit\n"
      "at 5s up delay 9ms\n"
      "at 0s up loss 1%\n"
      "up delay 1ms\n");

  ASSERT_EQ(plan.script.size(), 3u);
  EXPECT_EQ(Up(plan).delay, Duration::Milliseconds(1));
  EXPECT_TRUE(Up(plan).loss.is_zero());
  EXPECT_EQ(plan.script[0].at, Duration::Zero());
  EXPECT_EQ(plan.script[0].profile.delay, Duration::Milliseconds(1));
  EXPECT_EQ(plan.script[1].profile.delay, Duration::Milliseconds(9));
  EXPECT_TRUE(plan.script[1].profile.rate.is_infinite());
  EXPECT_EQ(plan.script[2].at, Duration::Seconds(10));
  EXPECT_EQ(plan.script[2].profile.rate, Bandwidth::MegabitsPerSecond(5));
  EXPECT_EQ(plan.script[2].profile.delay, Duration::Milliseconds(9));
  EXPECT_EQ(plan.script[2].profile.loss, Probability::Percent(1));
}

TEST(EmulationPlanTest, OutageIsOfBothDirectionsOrOne) {
  const EmulationPlan plan = Parse("at 5s outage 3s; at 1min down outage 10ms");

  ASSERT_EQ(plan.script.size(), 3u);
  EXPECT_EQ(plan.script[0].kind, ScriptStep::Kind::kOutage);
  EXPECT_EQ(plan.script[0].direction, LinkDirection::kUp);
  EXPECT_EQ(plan.script[1].direction, LinkDirection::kDown);
  EXPECT_EQ(plan.script[1].outage_length, Duration::Seconds(3));
  EXPECT_EQ(plan.script[2].at, Duration::Seconds(60));
  EXPECT_EQ(plan.script[2].direction, LinkDirection::kDown);
}

TEST(EmulationPlanTest, ClientAddressChangesOnce) {
  const EmulationPlan plan = Parse("at 4s client-address next");

  ASSERT_EQ(plan.script.size(), 1u);
  EXPECT_EQ(plan.script[0].kind, ScriptStep::Kind::kNextClientAddress);
  EXPECT_EQ(plan.script[0].at, Duration::Seconds(4));
}

TEST(EmulationPlanTest, CommentEndsWithItsLine) {
  const EmulationPlan plan = Parse("delay 5ms  # not 6ms; delay 7ms\nloss 1%");

  EXPECT_EQ(Up(plan).delay, Duration::Milliseconds(5));
  EXPECT_EQ(Up(plan).loss, Probability::Percent(1));
}

struct WrongText {
  const char* text;
  const char* line;
  const char* allowed;
};

TEST(EmulationPlanTest, ErrorsNameTheLineAndWhatIsAllowed) {
  const WrongText wrong[] = {
      {"delay 5ms\nrat 5mbit", "line 2: 'rat 5mbit'", "there are: rate, queue, delay"},
      {"rate 5", "line 1: 'rate 5'", "20mbit"},
      {"rate 5mb", "line 1", "20mbit"},
      {"rate 0bit", "line 1", "outage"},
      {"rate", "line 1", "rate RATE|unlimited"},
      {"rate 1mbit 2mbit", "line 1", "rate RATE|unlimited"},
      {"queue 5", "line 1", "100packets"},
      {"delay -5ms", "line 1", "20ms"},
      {"delay 5.5.5ms", "line 1", "20ms"},
      {"delay 99999999999999999s", "line 1", "small enough"},
      {"delay nanms", "line 1", "20ms"},
      {"jitter 5ms reordered", "line 1", "'reorder'"},
      {"reorder 5%", "line 1", "reorder PROBABILITY TIME"},
      {"loss 101%", "line 1", "0% to 100%"},
      {"loss 0.5", "line 1", "0.5%"},
      {"burst-loss 1%", "line 1", "TURNS-BAD TURNS-GOOD"},
      {"mtu 67", "line 1", "68 to 65535"},
      {"mtu 65536", "line 1", "68 to 65535"},
      {"too-big answer", "line 1", "'icmp' or 'silent'"},
      {"up", "line 1", "nothing to set"},
      {"at", "line 1", "20ms"},
      {"at 5s", "line 1", "nothing to set"},
      {"at noon loss 1%", "line 1", "20ms"},
      {"outage 5s", "line 1", "at TIME outage"},
      {"at 5s outage", "line 1", "outage LENGTH"},
      {"at 5s client-address 10.0.0.1", "line 1", "client-address next"},
      {"at 5s up client-address next", "line 1", "client-address next"},
      {"delay 1ms; loss 1%; los 2%", "line 1: 'los 2%'", "there are: rate"},
  };
  for (const WrongText& sample : wrong) {
    const std::string error = ErrorOf(sample.text);

    EXPECT_TRUE(absl::StartsWith(error, sample.line)) << sample.text << " gave: " << error;
    EXPECT_TRUE(absl::StrContains(error, sample.allowed)) << sample.text << " gave: " << error;
  }
}

}  // namespace
}  // namespace godwit
