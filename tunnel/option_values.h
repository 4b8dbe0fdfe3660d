// SPDX-License-Identifier: Apache-2.0
//
// The values that flags and configuration files have beside hosts, forwards, patterns and
// fingerprints: times, numbers, the address of a TUN interface. Errors are one line with the flag,
// its value and the right form.
#ifndef GODWIT_TUNNEL_OPTION_VALUES_H_
#define GODWIT_TUNNEL_OPTION_VALUES_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

#include "godwit/time.h"
#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

// A whole number with ms, s, m or h behind it; s may be left out. From `min` to `max`.
absl::StatusOr<Duration> ParseTime(std::string_view flag, std::string_view text, Duration min,
                                   Duration max);

// A whole number from `min` to `max`.
absl::StatusOr<uint64_t> ParseNumber(std::string_view flag, std::string_view text, uint64_t min,
                                     uint64_t max);

// Of --tun NAME and --address ADDRESS/BITS.
absl::StatusOr<TunInterface> ParseTun(std::string_view name, std::string_view address);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_OPTION_VALUES_H_
