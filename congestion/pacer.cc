// SPDX-License-Identifier: Apache-2.0
#include "congestion/pacer.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace godwit {

namespace {

constexpr int64_t kCreditPerByte = 8'000'000'000;

// Longer than this is a burst in the eyes of any queue.
constexpr Duration kBurst = Duration::Milliseconds(1);

// What keeps sums and differences of credit within 64 bits: 2 Tbit/s for 1 ms.
constexpr uint64_t kMaxBurstBytes = uint64_t{1} << 28;

constexpr int64_t ToCredit(uint64_t bytes) {
  return static_cast<int64_t>(std::min(bytes, kMaxBurstBytes)) * kCreditPerByte;
}

static_assert(kMaxBurstBytes < std::numeric_limits<int64_t>::max() / (3 * kCreditPerByte));

}  // namespace

void Pacer::SetRate(Timestamp now, Bandwidth rate, uint64_t max_datagram_bytes) {
  const uint64_t burst_bytes =
      std::clamp(rate.BytesIn(kBurst), 2 * max_datagram_bytes, kMaxBurstBytes);
  if (rate == rate_ && burst_bytes == burst_bytes_) return;
  credit_ = CreditAt(now);
  credit_time_ = std::max(credit_time_, now);
  rate_ = rate;
  burst_bytes_ = burst_bytes;
  credit_ = std::clamp(credit_, -ToCredit(burst_bytes), ToCredit(burst_bytes));
}

uint64_t Pacer::BudgetBytes(Timestamp now) const {
  if (rate_.is_infinite()) return std::numeric_limits<uint64_t>::max();
  const int64_t credit = CreditAt(now);
  const uint64_t credit_bytes = credit > 0 ? static_cast<uint64_t>(credit / kCreditPerByte) : 0;
  return std::max(initial_burst_bytes_, credit_bytes);
}

Timestamp Pacer::ReleaseTime(uint64_t bytes) const {
  bytes = std::min(bytes, burst_bytes_);
  const int64_t missing = ToCredit(bytes) - credit_;
  if (rate_.is_infinite() || bytes <= initial_burst_bytes_ || missing <= 0) {
    return Timestamp::InfinitePast();
  }
  if (rate_.is_zero()) return Timestamp::Infinite();
  const int64_t bits_per_second = rate_.ToBitsPerSecond();
  const int64_t rounded_up = missing % bits_per_second != 0 ? 1 : 0;
  return credit_time_ + Duration::Nanoseconds(missing / bits_per_second + rounded_up);
}

void Pacer::OnSent(Timestamp now, uint64_t bytes) {
  credit_ = CreditAt(now);
  credit_time_ = std::max(credit_time_, now);
  const uint64_t initial_bytes = std::min(initial_burst_bytes_, bytes);
  initial_burst_bytes_ -= initial_bytes;
  if (rate_.is_infinite()) return;
  // The initial burst and the credit are used up together, so that they do not add up to a larger
  // burst; but the initial one leaves no debt.
  const int64_t after = std::max(credit_ - ToCredit(bytes), -ToCredit(burst_bytes_));
  credit_ = initial_bytes == bytes ? std::max(after, std::min<int64_t>(credit_, 0)) : after;
}

int64_t Pacer::CreditAt(Timestamp now) const {
  const int64_t most = ToCredit(burst_bytes_);
  // Fills up while there is no limit, and before anything happened.
  if (rate_.is_infinite()) return most;
  if (now <= credit_time_) return credit_;
  int64_t earned = 0;
  const bool overflow = __builtin_mul_overflow(rate_.ToBitsPerSecond(),
                                               (now - credit_time_).ToNanoseconds(), &earned);
  return overflow || earned >= most - credit_ ? most : credit_ + earned;
}

void Pacer::CheckInvariants() const {
  GODWIT_CHECK_LE(burst_bytes_, kMaxBurstBytes);
  GODWIT_CHECK_LE(credit_, ToCredit(burst_bytes_));
  GODWIT_CHECK_GE(credit_, -ToCredit(burst_bytes_));
}

}  // namespace godwit
