// SPDX-License-Identifier: Apache-2.0
//
// Converts between godwit's Duration and absl::Duration, which the configuration and the
// programs speak. Kept apart from time.h so that code that runs per packet does not include
// abseil's time library. Points in time are not converted: only the caller knows the epoch
// of a Timestamp.
#ifndef GODWIT_INCLUDE_ABSL_TIME_H_
#define GODWIT_INCLUDE_ABSL_TIME_H_

#include "absl/time/time.h"

#include "godwit/time.h"

namespace godwit {

// Cuts off what is finer than a nanosecond, towards zero; lengths of more than about 292
// years become infinite. Safe from any thread.
[[nodiscard]] inline Duration FromAbsl(absl::Duration d) {
  return Duration::Nanoseconds(absl::ToInt64Nanoseconds(d));
}

// Exact. Safe from any thread.
[[nodiscard]] inline absl::Duration ToAbsl(Duration d) {
  if (d.is_infinite()) {
    return d > Duration::Zero() ? absl::InfiniteDuration() : -absl::InfiniteDuration();
  }
  return absl::Nanoseconds(d.ToNanoseconds());
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_ABSL_TIME_H_
