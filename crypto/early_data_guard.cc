// SPDX-License-Identifier: Apache-2.0
#include "crypto/early_data_guard.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "crypto/boringssl.h"

namespace godwit {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// Until the span after the one in which a ticket was seen is over, by a wall clock that may have
// been set back as far as is tolerated.
constexpr Duration kMemory =
    Duration::Seconds(2 * EarlyDataGuard::kSpanSeconds + 2 * EarlyDataGuard::kToleratedSkewSeconds);

}  // namespace

void EarlyDataGuard::OnClientHello(TlsTime time) {
  const int64_t now_seconds = time.now.ToNanoseconds() / kNanosecondsPerSecond;
  const UnixTime origin = time.wall.PlusSeconds(-now_seconds);
  const auto close_until = [this](UnixTime until) {
    closed_until_ = closed_until_ ? std::max(*closed_until_, until) : until;
  };
  if (distrusts_past_) {
    distrusts_past_ = false;
    close_until(time.wall.PlusSeconds(kSpanSeconds));
  }
  if (origin_ && origin.SecondsSince(*origin_) < -kToleratedSkewSeconds) {
    // A hello that was seen before passes again when the clock gets there a second time. The latest
    // that it can have been then is what the clock would show now.
    close_until(origin_->PlusSeconds(now_seconds).PlusSeconds(kSpanSeconds));
    origin_ = origin;
  }
  origin_ = origin_ ? std::max(*origin_, origin) : origin;
}

bool EarlyDataGuard::Admit(std::span<const uint8_t> ticket, TlsTime time) {
  if (store_ == nullptr) return false;
  const int64_t span = time.wall.seconds() / kSpanSeconds;
  // Both are noted: that of the span before does no harm, because only this span asks for it.
  const bool is_new_in_this = IsNew(ticket, span, time.now);
  const bool is_new_in_last = IsNew(ticket, span - 1, time.now);
  const bool is_closed = closed_until_ && time.wall < *closed_until_;
  return is_new_in_this && is_new_in_last && !is_closed;
}

bool EarlyDataGuard::IsNew(std::span<const uint8_t> ticket, int64_t span, Timestamp now) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> key;
  SHA256_CTX hash;
  SHA256_Init(&hash);
  // In one byte order: servers may share the store.
  std::array<uint8_t, sizeof(span)> span_bytes;
  for (size_t i = 0; i < span_bytes.size(); ++i) {
    span_bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(span) >> 8 * i);
  }
  SHA256_Update(&hash, span_bytes.data(), span_bytes.size());
  SHA256_Update(&hash, ticket.data(), ticket.size());
  SHA256_Final(key.data(), &hash);
  return store_->InsertIfAbsent(key, now, now + kMemory);
}

}  // namespace godwit
