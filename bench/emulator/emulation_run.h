// SPDX-License-Identifier: Apache-2.0
//
// A whole run of the emulator: makes the lab, starts the server's command and then the client's,
// routes between them until the client's has ended, stops the server's, writes what was asked for.
//
// Interrupted by SIGINT or SIGTERM, it hands the signal on and gives both commands a few seconds,
// in which the link still works; a second signal ends them at once. Nothing is left behind.
#ifndef GODWIT_BENCH_EMULATOR_EMULATION_RUN_H_
#define GODWIT_BENCH_EMULATOR_EMULATION_RUN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/run_report.h"
#include "godwit/time.h"

namespace godwit {

struct EmulationOptions {
  EmulationPlan plan;
  uint64_t seed = 1;
  uint64_t interface_mtu_bytes = 1'500;

  std::string client_command;
  std::string server_command;  // Empty: none.
  // The client starts, and the script's clock, this long after the server.
  Duration client_after = Duration::Milliseconds(300);

  // Files to write; empty: none.
  std::string sent_pcap_path;
  std::string delivered_pcap_path;
  std::string counters_path;
};

struct EmulationResult {
  // The client's; 128 + signal if we were interrupted before it ended.
  int exit_code = 0;
  std::string report;  // For people.
};

// One thread, and no other children of the process: they would be collected too.
absl::StatusOr<EmulationResult> RunEmulation(const EmulationOptions& options);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_EMULATION_RUN_H_
