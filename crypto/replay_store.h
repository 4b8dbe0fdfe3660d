// SPDX-License-Identifier: Apache-2.0
//
// BoundedReplayStore: the ReplayStore of one thread. It remembers every key until it expires, in
// memory that is fixed when it is made, and rather refuses a new key than forget an old one (RFC
// 9000 §8.1.4, RFC 9001 §9.2, RFC 8446 §8.2). Refused costs a client a round trip; forgotten would
// let an attacker replay.
//
// Every key has two buckets of eight entries, chosen by a keyed hash; an entry is a 32-bit tag of
// the key and the second at which it expires. A lookup reads two cache lines, whatever happens.
// Each entry has its own time, so short-lived and long-lived keys share the table and room is free
// again as soon as a key expires, which generations of Bloom filters cannot do.
//
// Wrong answers, all on the side of "not new":
//  - a new key has the tag of a living one in its buckets: at most 16 in 2^32 calls
//    (kFalsePositiveRate), whatever the store holds;
//  - both buckets are full: counted in full_count(). Up to capacity() living keys, which take
//    56.25 % of the entries, less than one call in a million;
//  - the key expires more than 2^32 - 2 seconds after the store was made, has expired already, or
//    comes before Options::trusted_from.
// The hash is keyed with a secret, so nobody can aim at another key's tag or fill chosen buckets.
//
// Invariant: once InsertIfAbsent(key) returned true, it returns false for that key until its
// expires_at, and up to a second longer. Times that run backwards count as the latest seen.
#ifndef GODWIT_CRYPTO_REPLAY_STORE_H_
#define GODWIT_CRYPTO_REPLAY_STORE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/environment.h"
#include "godwit/time.h"

namespace godwit {

class BoundedReplayStore final : public ReplayStore {
 public:
  struct Options {
    // Keys that can live at a time; the store takes 14.2 bytes for each. Tokens live for days:
    // count the clients that come back in that time.
    size_t capacity = 65'536;
    // A store that starts empty cannot know what was used before a restart. Until this time it
    // answers "not new" to every key. The default trusts at once: for 0-RTT that is enough, because
    // TlsServerSessions waits by itself (RFC 8446 §8.2); for tokens set it to the start plus their
    // life, if that is short.
    Timestamp trusted_from = Timestamp::InfinitePast();
  };

  static constexpr size_t kMaxCapacity = size_t{1} << 28;
  static constexpr double kFalsePositiveRate = 16.0 / 4'294'967'296.0;

  // `start`: the present time. `random` is used only here. `options.capacity` must be 1 to
  // kMaxCapacity; all memory is allocated now.
  BoundedReplayStore(const Options& options, Timestamp start, Random& random);
  ~BoundedReplayStore() override;
  BoundedReplayStore(const BoundedReplayStore&) = delete;
  BoundedReplayStore& operator=(const BoundedReplayStore&) = delete;

  bool InsertIfAbsent(std::span<const uint8_t> key, Timestamp now, Timestamp expires_at) override;

  size_t capacity() const { return options_.capacity; }
  size_t memory_bytes() const { return buckets_.size() * sizeof(Bucket); }
  // Keys that were refused because both of their buckets were full. If it grows, the capacity is
  // too small for the traffic.
  uint64_t full_count() const { return full_count_; }

 private:
  struct Entry {
    uint32_t tag = 0;
    uint32_t expiry_seconds = 0;  // Since start_, rounded up. Free from then on.
  };
  struct alignas(64) Bucket {
    static constexpr size_t kEntries = 8;

    std::array<Entry, kEntries> entries;
  };
  static_assert(sizeof(Bucket) == 64);

  // What one bucket says about a tag.
  struct Probe {
    bool has_tag = false;
    size_t living = 0;
    Entry* free = nullptr;
  };
  static Probe Look(Bucket& bucket, uint32_t tag, uint32_t now_seconds);

  Options options_;
  Timestamp start_;
  Timestamp latest_;
  std::array<uint64_t, 2> hash_key_;
  std::vector<Bucket> buckets_;
  uint64_t full_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_REPLAY_STORE_H_
