// SPDX-License-Identifier: Apache-2.0
//
// BlockedTimesChecker: whether the times of what blocks a connection, all together, are the time
// that has passed, as long as it is open, and stand still afterwards. One for each connection.
#ifndef GODWIT_TESTS_SIM_BLOCKED_TIMES_CHECKER_H_
#define GODWIT_TESTS_SIM_BLOCKED_TIMES_CHECKER_H_

#include <optional>
#include <string>

#include "godwit/connection_stats.h"
#include "godwit/time.h"

namespace godwit {

class BlockedTimesChecker {
 public:
  // `times` are those at `now`. What is wrong; empty if nothing is.
  std::string Check(const SendBlockedTimes& times, bool is_open, Timestamp now);

 private:
  // When the connection began, if its times are right; as of the first look.
  std::optional<Timestamp> began_at_;
  Timestamp latest_ = Timestamp::InfinitePast();
  std::optional<Duration> final_total_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_BLOCKED_TIMES_CHECKER_H_
