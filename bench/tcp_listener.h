// SPDX-License-Identifier: Apache-2.0
//
// ListenAndAnnounce(): how a TCP server of these programs begins. Who accepts is the caller.
#ifndef GODWIT_BENCH_TCP_LISTENER_H_
#define GODWIT_BENCH_TCP_LISTENER_H_

#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/transfer_options.h"

namespace godwit {

// A socket that listens where the options say; the address is told with the kernel's port.
absl::StatusOr<FileDescriptor> ListenAndAnnounce(const TransferOptions& options);

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_LISTENER_H_
