// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/emulation_plan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace godwit {
namespace {

using Words = std::span<const absl::string_view>;
using Edit = std::function<void(LinkProfile&)>;

// Beyond what a double counts exactly, and beyond what anybody means.
constexpr double kMaxUnits = 1e15;
constexpr uint64_t kMinMtuBytes = 68;  // The least that IPv4 knows.
constexpr uint64_t kMaxMtuBytes = 65'535;

absl::Status Wrong(absl::string_view word, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat("'", word, "' is not ", allowed));
}

struct Unit {
  absl::string_view name;
  double factor;
};

constexpr Unit kTimeUnits[] = {
    {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9},
};
constexpr Unit kRateUnits[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
constexpr Unit kPercentUnits[] = {{"%", static_cast<double>(Probability::kOne) / 100}};
constexpr Unit kPacketUnits[] = {{"packets", 1}};
constexpr Unit kByteUnits[] = {{"bytes", 1}, {"kbytes", 1e3}, {"mbytes", 1e6}};

constexpr absl::string_view kTimeForm = "a time such as 20ms or 1.5s (units ns, us, ms, s, min)";
constexpr absl::string_view kRateForm =
    "a rate such as 20mbit (units bit, kbit, mbit, gbit, a second each) or 'unlimited'";
constexpr absl::string_view kPercentForm = "a probability such as 0.5% (0% to 100%)";
constexpr absl::string_view kQueueForm =
    "a bound such as 100packets, 64000bytes (or kbytes, mbytes) or 50ms";

// "1.5s" with {"s", 1e9} gives 1.5e9.
absl::StatusOr<int64_t> ParseQuantity(absl::string_view word, std::span<const Unit> units,
                                      absl::string_view form) {
  const size_t digits = std::min(word.find_first_not_of("0123456789."), word.size());
  const absl::string_view unit_name = word.substr(digits);
  double number = 0;
  if (!absl::SimpleAtod(word.substr(0, digits), &number)) return Wrong(word, form);
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    const double value = number * unit.factor;
    if (value > kMaxUnits) return Wrong(word, absl::StrCat("small enough for ", form));
    return static_cast<int64_t>(std::llround(value));
  }
  return Wrong(word, form);
}

absl::StatusOr<Duration> ParseTime(absl::string_view word) {
  const absl::StatusOr<int64_t> ns = ParseQuantity(word, kTimeUnits, kTimeForm);
  if (!ns.ok()) return ns.status();
  return Duration::Nanoseconds(*ns);
}

absl::StatusOr<Probability> ParseProbability(absl::string_view word) {
  const absl::StatusOr<int64_t> parts = ParseQuantity(word, kPercentUnits, kPercentForm);
  if (!parts.ok()) return parts.status();
  if (static_cast<uint64_t>(*parts) > Probability::kOne) return Wrong(word, kPercentForm);
  return Probability::PerBillion(static_cast<uint64_t>(*parts));
}

absl::StatusOr<Edit> ParseRate(Words words) {
  if (words[0] == "unlimited") return [](LinkProfile& link) { link.rate = Bandwidth::Infinite(); };
  const absl::StatusOr<int64_t> bits = ParseQuantity(words[0], kRateUnits, kRateForm);
  if (!bits.ok()) return bits.status();
  if (*bits == 0) return Wrong(words[0], "a rate that ever ends; for a cut link use 'outage'");
  return [bits = *bits](LinkProfile& link) { link.rate = Bandwidth::BitsPerSecond(bits); };
}

absl::StatusOr<Edit> ParseQueue(Words words) {
  QueueBounds bounds{.packets = std::nullopt, .bytes = std::nullopt, .wait = std::nullopt};
  for (const absl::string_view word : words) {
    if (const auto packets = ParseQuantity(word, kPacketUnits, kQueueForm); packets.ok()) {
      bounds.packets = static_cast<uint64_t>(*packets);
    } else if (const auto bytes = ParseQuantity(word, kByteUnits, kQueueForm); bytes.ok()) {
      bounds.bytes = static_cast<uint64_t>(*bytes);
    } else if (const auto wait = ParseTime(word); wait.ok()) {
      bounds.wait = *wait;
    } else {
      return Wrong(word, kQueueForm);
    }
  }
  return [bounds](LinkProfile& link) { link.queue = bounds; };
}

absl::StatusOr<Edit> ParseDelay(Words words) {
  const absl::StatusOr<Duration> delay = ParseTime(words[0]);
  if (!delay.ok()) return delay.status();
  return [delay = *delay](LinkProfile& link) { link.delay = delay; };
}

absl::StatusOr<Edit> ParseJitter(Words words) {
  const absl::StatusOr<Duration> jitter = ParseTime(words[0]);
  if (!jitter.ok()) return jitter.status();
  const bool reorders = words.size() > 1;
  if (reorders && words[1] != "reorder") return Wrong(words[1], "'reorder'");
  return [jitter = *jitter, reorders](LinkProfile& link) {
    link.jitter = jitter;
    link.jitter_reorders = reorders;
  };
}

absl::StatusOr<Edit> ParseReorder(Words words) {
  const absl::StatusOr<Probability> probability = ParseProbability(words[0]);
  if (!probability.ok()) return probability.status();
  const absl::StatusOr<Duration> delay = ParseTime(words[1]);
  if (!delay.ok()) return delay.status();
  return [probability = *probability, delay = *delay](LinkProfile& link) {
    link.reorder = probability;
    link.reorder_delay = delay;
  };
}

absl::StatusOr<Edit> ParseBurstLoss(Words words) {
  BurstLossProfile burst;
  Probability* const fields[] = {&burst.turns_bad, &burst.turns_good, &burst.loss_while_bad};
  for (size_t i = 0; i < words.size(); ++i) {
    const absl::StatusOr<Probability> probability = ParseProbability(words[i]);
    if (!probability.ok()) return probability.status();
    *fields[i] = *probability;
  }
  return [burst](LinkProfile& link) { link.burst_loss = burst; };
}

template <Probability LinkProfile::*kField>
absl::StatusOr<Edit> ParseFault(Words words) {
  const absl::StatusOr<Probability> probability = ParseProbability(words[0]);
  if (!probability.ok()) return probability.status();
  return [probability = *probability](LinkProfile& link) { link.*kField = probability; };
}

absl::StatusOr<Edit> ParseMtu(Words words) {
  uint64_t bytes = 0;
  if (!absl::SimpleAtoi(words[0], &bytes) || bytes < kMinMtuBytes || bytes > kMaxMtuBytes) {
    return Wrong(words[0], absl::StrCat("an MTU in bytes, ", kMinMtuBytes, " to ", kMaxMtuBytes));
  }
  return [bytes](LinkProfile& link) { link.mtu_bytes = bytes; };
}

absl::StatusOr<Edit> ParseTooBig(Words words) {
  if (words[0] != "icmp" && words[0] != "silent") return Wrong(words[0], "'icmp' or 'silent'");
  const TooBigAnswer answer = words[0] == "icmp" ? TooBigAnswer::kIcmp : TooBigAnswer::kSilent;
  return [answer](LinkProfile& link) { link.too_big_answer = answer; };
}

struct Setting {
  absl::string_view name;
  absl::string_view usage;
  size_t least_words;
  size_t most_words;
  absl::StatusOr<Edit> (*parse)(Words);
};

constexpr Setting kSettings[] = {
    {"rate", "RATE|unlimited", 1, 1, ParseRate},
    {"queue", "BOUND [BOUND [BOUND]]", 1, 3, ParseQueue},
    {"delay", "TIME", 1, 1, ParseDelay},
    {"jitter", "TIME [reorder]", 1, 2, ParseJitter},
    {"reorder", "PROBABILITY TIME", 2, 2, ParseReorder},
    {"loss", "PROBABILITY", 1, 1, ParseFault<&LinkProfile::loss>},
    {"burst-loss", "TURNS-BAD TURNS-GOOD [LOSS-WHILE-BAD]", 2, 3, ParseBurstLoss},
    {"duplicate", "PROBABILITY", 1, 1, ParseFault<&LinkProfile::duplicate>},
    {"corrupt", "PROBABILITY", 1, 1, ParseFault<&LinkProfile::corrupt>},
    {"mtu", "BYTES", 1, 1, ParseMtu},
    {"too-big", "icmp|silent", 1, 1, ParseTooBig},
};

std::string SettingNames() {
  return absl::StrJoin(kSettings, ", ", [](std::string* out, const Setting& setting) {
    absl::StrAppend(out, setting.name);
  });
}

absl::StatusOr<Edit> ParseSetting(Words words) {
  for (const Setting& setting : kSettings) {
    if (setting.name != words[0]) continue;
    const Words values = words.subspan(1);
    if (values.size() < setting.least_words || values.size() > setting.most_words) {
      return absl::InvalidArgumentError(
          absl::StrCat("write '", setting.name, " ", setting.usage, "'"));
    }
    return setting.parse(values);
  }
  return Wrong(words[0], absl::StrCat("a setting; there are: ", SettingNames(),
                                      "; after 'at TIME' also: outage, client-address"));
}

// A line, before the changes of earlier times are known.
struct Line {
  ScriptStep step;  // All but the profile.
  Edit edit;        // Of kChangeProfile.
};

class PlanParser {
 public:
  absl::Status OnLine(absl::string_view text);
  EmulationPlan Finish();

 private:
  absl::Status OnEvent(Words words, Duration at, Words directions);
  void Add(const Line& line, Words directions);

  EmulationPlan plan_;
  std::vector<Line> script_;
};

absl::Status PlanParser::OnLine(absl::string_view text) {
  const std::vector<absl::string_view> all =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  Words words = all;
  if (words.empty()) return absl::OkStatus();

  std::optional<Duration> at;
  if (words[0] == "at") {
    if (words.size() < 2) return Wrong("at", absl::StrCat("followed by ", kTimeForm));
    const absl::StatusOr<Duration> time = ParseTime(words[1]);
    if (!time.ok()) return time.status();
    at = *time;
    words = words.subspan(2);
  }
  Words directions;
  if (!words.empty() && (words[0] == "up" || words[0] == "down")) {
    directions = words.subspan(0, 1);
    words = words.subspan(1);
  }
  if (words.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("nothing to set; there are: ", SettingNames(),
                     "; after 'at TIME' also: outage, client-address"));
  }

  if (words[0] == "outage" || words[0] == "client-address") {
    if (!at.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("write 'at TIME ", words[0], " ...': it happens at a time"));
    }
    return OnEvent(words, *at, directions);
  }
  const absl::StatusOr<Edit> edit = ParseSetting(words);
  if (!edit.ok()) return edit.status();
  // Without a time it holds from the start.
  Add({ScriptStep{.at = at.value_or(-Duration::Infinite())}, *edit}, directions);
  return absl::OkStatus();
}

absl::Status PlanParser::OnEvent(Words words, Duration at, Words directions) {
  if (words[0] == "client-address") {
    if (words.size() != 2 || words[1] != "next" || !directions.empty()) {
      return absl::InvalidArgumentError("write 'at TIME client-address next'");
    }
    script_.push_back(
        {ScriptStep{.at = at, .kind = ScriptStep::Kind::kNextClientAddress}, nullptr});
    return absl::OkStatus();
  }
  if (words.size() != 2) {
    return absl::InvalidArgumentError("write 'at TIME [up|down] outage LENGTH'");
  }
  const absl::StatusOr<Duration> length = ParseTime(words[1]);
  if (!length.ok()) return length.status();
  const ScriptStep step{.at = at, .kind = ScriptStep::Kind::kOutage, .outage_length = *length};
  Add({step, nullptr}, directions);
  return absl::OkStatus();
}

void PlanParser::Add(const Line& line, Words directions) {
  for (const LinkDirection direction : kLinkDirections) {
    const absl::string_view name = direction == LinkDirection::kUp ? "up" : "down";
    if (!directions.empty() && directions[0] != name) continue;
    script_.push_back(line);
    script_.back().step.direction = direction;
  }
}

EmulationPlan PlanParser::Finish() {
  std::stable_sort(script_.begin(), script_.end(),
                   [](const Line& a, const Line& b) { return a.step.at < b.step.at; });
  auto links = plan_.links;
  for (Line& line : script_) {
    LinkProfile& link = links[IndexOf(line.step.direction)];
    if (line.edit != nullptr) line.edit(link);
    if (line.step.at.is_infinite()) {
      plan_.links = links;
      continue;
    }
    line.step.profile = link;
    plan_.script.push_back(line.step);
  }
  return plan_;
}

}  // namespace

absl::StatusOr<EmulationPlan> ParseEmulationPlan(absl::string_view text) {
  PlanParser parser;
  int line_number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    // A comment ends with its line, whatever it holds.
    for (const absl::string_view part : absl::StrSplit(line.substr(0, line.find('#')), ';')) {
      const absl::Status status = parser.OnLine(part);
      if (status.ok()) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", line_number, ": '", absl::StripAsciiWhitespace(part), "': ", status.message()));
    }
  }
  return parser.Finish();
}

}  // namespace godwit
