// SPDX-License-Identifier: Apache-2.0
//
// EmulationPlan: what a run of the link emulator does, read from text: the profile of each
// direction at the start, and a script of changes. docs/link-emulator.md describes the text.
//
// Invariants: steps stand in the order of their times; those of one time stand in the order of the
// text. A step that changes a profile holds the whole profile, with all changes before it.
#ifndef GODWIT_BENCH_EMULATOR_EMULATION_PLAN_H_
#define GODWIT_BENCH_EMULATOR_EMULATION_PLAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "bench/emulator/link_profile.h"
#include "godwit/time.h"

namespace godwit {

enum class LinkDirection : uint8_t {
  kUp,    // Client to server.
  kDown,  // Server to client.
};
inline constexpr std::array kLinkDirections = {LinkDirection::kUp, LinkDirection::kDown};

constexpr size_t IndexOf(LinkDirection direction) { return static_cast<size_t>(direction); }

struct ScriptStep {
  enum class Kind : uint8_t {
    kChangeProfile,
    kOutage,
    kNextClientAddress,  // Of no direction.
  };

  Duration at;  // Since the start of the run.
  Kind kind = Kind::kChangeProfile;
  LinkDirection direction = LinkDirection::kUp;
  LinkProfile profile = {};     // kChangeProfile
  Duration outage_length = {};  // kOutage
};

struct EmulationPlan {
  const LinkProfile& link(LinkDirection direction) const { return links[IndexOf(direction)]; }

  std::array<LinkProfile, kLinkDirections.size()> links;
  std::vector<ScriptStep> script;
};

// Lines end with '\n' or ';'. An error names the line, and what would be allowed there.
absl::StatusOr<EmulationPlan> ParseEmulationPlan(absl::string_view text);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_EMULATION_PLAN_H_
