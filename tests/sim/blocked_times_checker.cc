// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/blocked_times_checker.h"

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

std::string Complaint(const char* what, Duration total, Duration expected) {
  return absl::StrCat(what, ": ", total.ToNanoseconds(), " ns instead of ",
                      expected.ToNanoseconds());
}

}  // namespace

std::string BlockedTimesChecker::Check(const SendBlockedTimes& times, bool is_open, Timestamp now) {
  const Duration total = times.total();
  if (!began_at_.has_value()) began_at_ = now - total;
  // A clock that went back: the connection waits until it has caught up.
  if (now < latest_) return {};
  latest_ = now;
  const Duration age = now - *began_at_;
  if (is_open) {
    return total == age ? "" : Complaint("what blocks has taken not its age", total, age);
  }
  if (!final_total_.has_value()) final_total_ = total;
  if (total != *final_total_) return Complaint("time passes after the end", total, *final_total_);
  return total <= age ? "" : Complaint("what blocks has taken more than its age", total, age);
}

}  // namespace godwit
