// SPDX-License-Identifier: Apache-2.0
//
// What a run of the emulator did, in two forms: a few lines for people, and JSON for programs. The
// names in the JSON are described in docs/link-emulator.md and stay.
#ifndef GODWIT_BENCH_EMULATOR_RUN_REPORT_H_
#define GODWIT_BENCH_EMULATOR_RUN_REPORT_H_

#include <array>
#include <cstdint>
#include <string>

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/link_router.h"

namespace godwit {

struct RunReport {
  uint64_t seed = 0;
  // By direction.
  std::array<DirectionReport, kLinkDirections.size()> directions;
};

std::string ToJson(const RunReport& report);
std::string ToText(const RunReport& report);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_RUN_REPORT_H_
