// SPDX-License-Identifier: Apache-2.0
//
// LogLimiter: whether one more line is logged of something that a peer can bring about as often as
// it likes: kLines of them in kPeriod, so that nobody fills a disk or hides other lines.
#ifndef GODWIT_TUNNEL_LOG_LIMITER_H_
#define GODWIT_TUNNEL_LOG_LIMITER_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "godwit/time.h"

namespace godwit::tunnel {

class LogLimiter {
 public:
  static constexpr uint64_t kLines = 20;
  static constexpr Duration kPeriod = Duration::Seconds(60);

  // Nothing: not now. Else how many were left out since the last one that was logged.
  std::optional<uint64_t> Admit(Timestamp now) {
    if (lines_ == 0 || now >= began_at_ + kPeriod) {
      began_at_ = now;
      lines_ = 0;
    }
    if (lines_ == kLines) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

 private:
  Timestamp began_at_;
  uint64_t lines_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_LOG_LIMITER_H_
