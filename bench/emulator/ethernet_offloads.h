// SPDX-License-Identifier: Apache-2.0
//
// Turns off everything by which the kernel leaves work to a network card: segmentation, joining of
// received packets, checksums. Without it, veth interfaces hand over "packets" of 64 KB without a
// checksum, which no link would carry.
#ifndef GODWIT_BENCH_EMULATOR_ETHERNET_OFFLOADS_H_
#define GODWIT_BENCH_EMULATOR_ETHERNET_OFFLOADS_H_

#include <string>

#include "absl/status/status.h"

namespace godwit {

// For `interface` of the caller's network namespace.
absl::Status TurnOffloadsOff(const std::string& interface);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_ETHERNET_OFFLOADS_H_
