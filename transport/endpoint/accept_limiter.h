// SPDX-License-Identifier: Apache-2.0
//
// AcceptLimiter: whether a client's first packet may open a connection, and what the client is told
// if not. RFC 9000 §5.2.2, §21.5 on what a flood of them does.
//
// A source is a /24 of IPv4 or a /56 of IPv6. How fast each opens connections is remembered in a
// table of fixed size; in the place where a new source belongs, the one that has been quiet longest
// gives way. So who has very many prefixes escapes this limit, and meets the one on half-open
// connections.
//
// It counts nothing else: how many connections there are is told to it.
#ifndef GODWIT_TRANSPORT_ENDPOINT_ACCEPT_LIMITER_H_
#define GODWIT_TRANSPORT_ENDPOINT_ACCEPT_LIMITER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/environment.h"
#include "godwit/refusal_reason.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "transport/endpoint/rate_rule.h"

namespace godwit {

class AcceptLimiter {
 public:
  struct Limits {
    uint64_t max_connections;
    uint64_t max_half_open;
    uint64_t max_per_second_per_source;
  };
  struct Facts {
    SocketAddress source;
    Timestamp now;
    uint64_t connection_count;
    uint64_t half_open_count;
    bool is_stopped;
    bool has_memory;
  };

  AcceptLimiter(const Limits& limits, Random& random);

  // Nothing: it may be accepted, which counts for its source's rate.
  std::optional<RefusalReason> Refuse(const Facts& facts);

  // RFC 9000 §5.2.2: whether the client should get CONNECTION_REFUSED. Not if the reason may be
  // gone when it sends its packet again: it would take the refusal as final.
  static bool IsTold(RefusalReason reason) {
    return reason != RefusalReason::kTooManyHalfOpen && reason != RefusalReason::kSourceRate;
  }

 private:
  struct Bucket {
    uint64_t source = 0;  // 0: none.
    Timestamp full_at = RateRule::Full();
  };

  bool AdmitSource(const SocketAddress& address, Timestamp now);
  Bucket& BucketOf(uint64_t source);

  Limits limits_;
  RateRule rule_;
  std::array<uint64_t, 2> hash_keys_;
  // Allocated with the first one: a client needs none.
  std::vector<Bucket> buckets_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_ACCEPT_LIMITER_H_
