// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/accept_limiter.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/limits.h"
#include "transport/endpoint/multiply_fold.h"

namespace godwit {
namespace {

// Places in which a source may be.
constexpr size_t kWays = 8;
constexpr size_t kSetCount = kMaxAcceptSources / kWays;

static_assert(kMaxAcceptSources % kWays == 0);

// Never 0, and different for the two families.
uint64_t SourceOf(const SocketAddress& address) {
  const SocketAddress unmapped = address.Unmapped();
  const size_t prefix_bytes = unmapped.is_ipv4() ? 3 : 7;
  uint64_t source = unmapped.is_ipv4() ? 1 : 2;
  for (const uint8_t byte : unmapped.ip().first(prefix_bytes)) source = source << 8 | byte;
  return source;
}

}  // namespace

AcceptLimiter::AcceptLimiter(const Limits& limits, Random& random)
    : limits_(limits),
      rule_(limits.max_per_second_per_source),
      hash_keys_{random.NextUint64(), random.NextUint64()} {}

std::optional<RefusalReason> AcceptLimiter::Refuse(const Facts& facts) {
  if (facts.is_stopped) return RefusalReason::kStopped;
  if (facts.connection_count >= limits_.max_connections) return RefusalReason::kTooManyConnections;
  if (!facts.has_memory) return RefusalReason::kMemoryBudget;
  if (facts.half_open_count >= limits_.max_half_open) return RefusalReason::kTooManyHalfOpen;
  // Last, so that only what is accepted counts.
  if (!AdmitSource(facts.source, facts.now)) return RefusalReason::kSourceRate;
  return std::nullopt;
}

bool AcceptLimiter::AdmitSource(const SocketAddress& address, Timestamp now) {
  if (buckets_.empty()) buckets_.resize(kMaxAcceptSources);
  const uint64_t source = SourceOf(address);
  Bucket& bucket = BucketOf(source);
  if (bucket.source != source) bucket = {.source = source};
  return rule_.Admit(now, bucket.full_at);
}

AcceptLimiter::Bucket& AcceptLimiter::BucketOf(uint64_t source) {
  const uint64_t hash = MultiplyFold(source ^ hash_keys_[0], hash_keys_[1]);
  const std::span<Bucket> set =
      std::span(buckets_).subspan(static_cast<size_t>(hash % kSetCount) * kWays, kWays);
  const auto found = std::ranges::find(set, source, &Bucket::source);
  if (found != set.end()) return *found;
  return *std::ranges::min_element(set, {}, &Bucket::full_at);
}

}  // namespace godwit
