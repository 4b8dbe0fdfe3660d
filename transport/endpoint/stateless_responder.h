// SPDX-License-Identifier: Apache-2.0
//
// StatelessResponder: the packets of an endpoint that belong to no connection: Version Negotiation
// (RFC 9000 §6.1), stateless resets (§10.3) and refusals (§5.2.2). It decides whether one is sent,
// keeps each kind within its rate, and keeps them until they leave.
//
// It does not decide that a datagram belongs to no connection, and reads none that it answers.
//
// Invariants: no answer is larger than what provoked it, a reset strictly smaller; nothing that is
// itself an answer is answered for ever.
#ifndef GODWIT_TRANSPORT_ENDPOINT_STATELESS_RESPONDER_H_
#define GODWIT_TRANSPORT_ENDPOINT_STATELESS_RESPONDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/environment.h"
#include "base/transport_error_code.h"
#include "crypto/stateless_reset_key.h"
#include "godwit/connection_id.h"
#include "godwit/datagram.h"
#include "godwit/drop_reason.h"
#include "godwit/four_tuple.h"
#include "godwit/time.h"
#include "transport/endpoint/initial_close.h"
#include "transport/endpoint/rate_rule.h"
#include "transport/wire/invariant_header.h"

namespace godwit {

class StatelessResponder {
 public:
  // What is answered.
  struct Occasion {
    FourTuple four_tuple;
    size_t datagram_bytes;
    Timestamp now;
  };
  struct SentCounts {
    uint64_t version_negotiations = 0;
    uint64_t stateless_resets = 0;
    uint64_t refusals = 0;
  };

  // So many of each kind. `reset_key` is that of our connection ids.
  StatelessResponder(const StatelessResetKey& reset_key, Random& random,
                     uint64_t replies_per_second);

  // Each puts its answer into the queue, or says why one that is due is not sent: kRateLimited or
  // kQueueFull. None is due to a datagram that is too small for one.

  // `header` is long and has a version that we do not speak, not that of Version Negotiation.
  std::optional<DropReason> OnUnsupportedVersion(const InvariantHeader& header,
                                                 const Occasion& occasion);
  // A short header came with `id`, which leads nowhere and is not empty.
  std::optional<DropReason> OnUnknownConnectionId(const ConnectionId& id, const Occasion& occasion);
  // A client's first Initial packet, in a datagram of 1200 bytes or more.
  std::optional<DropReason> OnRefused(const ClientInitialIds& ids, TransportErrorCode error,
                                      const Occasion& occasion);

  bool has_pending() const { return count_ > 0; }
  // The oldest; empty if there is none. Valid until the next call of a non-const function.
  Transmit PollTransmit();

  // What went into the queue.
  const SentCounts& sent_counts() const { return sent_counts_; }

 private:
  // A Version Negotiation packet with two ids of 255 bytes and two versions.
  static constexpr size_t kMaxReplyBytes =
      InvariantLongHeaderSize(UINT8_MAX, UINT8_MAX) + 2 * sizeof(uint32_t);

  struct Reply {
    FourTuple four_tuple;
    size_t size = 0;
    std::array<uint8_t, kMaxReplyBytes> bytes;
  };
  struct Bucket {
    Timestamp full_at = RateRule::Full();
  };

  // The place of the next reply, or null and the reason.
  Reply* Reserve(const Occasion& occasion, Bucket& bucket, DropReason* reason);

  StatelessResetKey reset_key_;
  Random& random_;
  RateRule rule_;
  Bucket version_negotiations_;
  Bucket stateless_resets_;
  Bucket refusals_;
  SentCounts sent_counts_;
  // A ring, allocated with the first one.
  std::vector<Reply> replies_;
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_STATELESS_RESPONDER_H_
