// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_process.h"

#include <sched.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

#include "bench/report_writer.h"

namespace godwit {
namespace {

int Fail(const char* program_name, const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "%s: %s\n", program_name, std::string(status.message()).c_str());
  return exit_code;
}

}  // namespace

absl::Status PinToCpu(uint32_t cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--cpu: cannot run on CPU ", cpu, ": ", std::strerror(errno)));
}

void AnnounceListening(const SocketAddress& address) {
  std::printf("listening on %s\n", address.ToString().c_str());
  std::fflush(stdout);
}

int RunTransferProgram(TransferProgram program, int argc, const char* const* argv,
                       absl::Status (*run)(const TransferOptions& options)) {
  const char* const path = argc > 0 ? argv[0] : "transfer";
  const char* const slash = std::strrchr(path, '/');
  const char* const name = slash == nullptr ? path : slash + 1;
  const absl::StatusOr<TransferOptions> options = ParseTransferOptions(program, argc, argv);
  if (!options.ok()) return Fail(name, options.status(), kUsageExitCode);
  if (options->wants_help) {
    std::fputs(TransferUsage(program).c_str(), stdout);
    return 0;
  }
  if (options->cpu) {
    if (absl::Status status = PinToCpu(*options->cpu); !status.ok()) {
      return Fail(name, status, kUsageExitCode);
    }
  }
  if (absl::Status status = ClearReport(options->json_path); !status.ok()) {
    return Fail(name, status, kUsageExitCode);
  }
  signal(SIGPIPE, SIG_IGN);
  const absl::Status status = run(*options);
  if (status.ok()) return 0;
  // Values that only the kernel or the transport can judge.
  return Fail(name, status, absl::IsInvalidArgument(status) ? kUsageExitCode : 1);
}

}  // namespace godwit
