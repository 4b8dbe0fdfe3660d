// SPDX-License-Identifier: Apache-2.0
#include "crypto/replay_store.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

// Four and a half living keys to a bucket of eight entries: 56.25 %. In a simulation of 2 * 10^7
// calls that replaced keys at random, one met two full buckets; at 62.5 % it was 684.
size_t BucketCount(size_t capacity) { return std::max<size_t>((2 * capacity + 8) / 9, 2); }

// 0 to count-1, evenly, from 32 even bits.
size_t Scale(uint32_t bits, size_t count) {
  return static_cast<size_t>(uint64_t{bits} * count >> 32);
}

// Another 32 bits from the same 32 bits (the finalizer of MurmurHash3: a bijection).
uint32_t Mix(uint32_t bits) {
  bits ^= bits >> 16;
  bits *= 0x85eb'ca6b;
  bits ^= bits >> 13;
  bits *= 0xc2b2'ae35;
  bits ^= bits >> 16;
  return bits;
}

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// Whole seconds since `start`, rounded down; the caller knows that `time` is not before it.
int64_t SecondsDown(Timestamp time, Timestamp start) {
  return (time - start).ToNanoseconds() / kNanosecondsPerSecond;
}

// The second from which on a key that expires at `time` need not be remembered.
std::optional<uint32_t> SecondsUp(Timestamp time, Timestamp start) {
  const Duration since_start = time - start;
  if (since_start.is_infinite()) return std::nullopt;
  const int64_t ns = since_start.ToNanoseconds();
  const int64_t seconds = ns / kNanosecondsPerSecond + (ns % kNanosecondsPerSecond > 0 ? 1 : 0);
  if (seconds >= std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(std::max<int64_t>(seconds, 0));
}

}  // namespace

BoundedReplayStore::BoundedReplayStore(const Options& options, Timestamp start, Random& random)
    : options_(options),
      start_(start),
      latest_(start),
      hash_key_{random.NextUint64(), random.NextUint64()} {
  GODWIT_CHECK_GE(options.capacity, 1);
  GODWIT_CHECK_LE(options.capacity, kMaxCapacity);
  buckets_.resize(BucketCount(options.capacity));
}

BoundedReplayStore::~BoundedReplayStore() { OPENSSL_cleanse(hash_key_.data(), sizeof(hash_key_)); }

bool BoundedReplayStore::InsertIfAbsent(std::span<const uint8_t> key, Timestamp now,
                                        Timestamp expires_at) {
  latest_ = std::max(latest_, now);
  if (latest_ < options_.trusted_from || expires_at <= latest_) return false;
  const std::optional<uint32_t> expiry_seconds = SecondsUp(expires_at, start_);
  if (!expiry_seconds.has_value()) return false;
  // In range, because `latest_` is before `expires_at`.
  const auto now_seconds = static_cast<uint32_t>(SecondsDown(latest_, start_));

  const uint64_t hash = SIPHASH_24(hash_key_.data(), key.data(), key.size());
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const auto place = static_cast<uint32_t>(hash);
  const Probe first = Look(buckets_[Scale(place, buckets_.size())], tag, now_seconds);
  const Probe second = Look(buckets_[Scale(Mix(place), buckets_.size())], tag, now_seconds);
  if (first.has_tag || second.has_tag) return false;
  // The emptier of two: that is what keeps buckets from filling up by chance.
  Entry* const free = first.living <= second.living ? first.free : second.free;
  if (free == nullptr) {
    ++full_count_;
    return false;
  }
  *free = {tag, *expiry_seconds};
  return true;
}

BoundedReplayStore::Probe BoundedReplayStore::Look(Bucket& bucket, uint32_t tag,
                                                   uint32_t now_seconds) {
  Probe probe;
  for (Entry& entry : bucket.entries) {
    if (entry.expiry_seconds <= now_seconds) {
      probe.free = &entry;
      continue;
    }
    ++probe.living;
    probe.has_tag = probe.has_tag || entry.tag == tag;
  }
  return probe;
}

}  // namespace godwit
