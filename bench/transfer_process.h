// SPDX-License-Identifier: Apache-2.0
//
// What the transfer programs do as processes, all in the same way: run on one CPU, say where they
// listen, tell what went wrong.
#ifndef GODWIT_BENCH_TRANSFER_PROCESS_H_
#define GODWIT_BENCH_TRANSFER_PROCESS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/transfer_options.h"
#include "godwit/socket_address.h"

namespace godwit {

// The calling thread and those that it starts from now on.
absl::Status PinToCpu(uint32_t cpu);

// "listening on ADDR:PORT" on standard output, flushed.
void AnnounceListening(const SocketAddress& address);

// The whole main() of a transfer program: reads the options, pins the process, ignores SIGPIPE,
// runs it. Returns the exit code: 0, 1 if it failed, kUsageExitCode if the options are wrong; the
// reason is one line on standard error.
int RunTransferProgram(TransferProgram program, int argc, const char* const* argv,
                       absl::Status (*run)(const TransferOptions& options));

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_PROCESS_H_
