// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/stateless_responder.h"

#include "base/check.h"
#include "base/limits.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/version.h"

namespace godwit {

static_assert(kMaxInitialCloseBytes <= kMinInitialDatagramBytes);

StatelessResponder::StatelessResponder(const StatelessResetKey& reset_key, Random& random,
                                       uint64_t replies_per_second)
    : reset_key_(reset_key), random_(random), rule_(replies_per_second) {}

std::optional<DropReason> StatelessResponder::OnUnsupportedVersion(const InvariantHeader& header,
                                                                   const Occasion& occasion) {
  GODWIT_CHECK(header.is_long());
  GODWIT_CHECK_NE(*header.version, kVersionNegotiation);
  // RFC 9000 §5.2.2: only what is large enough to open a connection in some version that we speak.
  static_assert(kMaxReplyBytes <= kMinInitialDatagramBytes);
  if (occasion.datagram_bytes < kMinInitialDatagramBytes) return std::nullopt;
  DropReason reason = DropReason::kRateLimited;
  Reply* const reply = Reserve(occasion, version_negotiations_, &reason);
  if (reply == nullptr) return reason;

  const uint64_t random_bits = random_.NextUint64();
  // RFC 9000 §6.3: a reserved version, so that clients keep ignoring what they do not know.
  const uint32_t versions[] = {
      MakeReservedVersionOtherThan(*header.version, static_cast<uint32_t>(random_bits >> 32)),
      kVersion1};
  ByteWriter writer(reply->bytes);
  WriteVersionNegotiation({.received_dcid = header.dcid,
                           .received_scid = header.scid,
                           .received_version = *header.version,
                           .supported_versions = versions,
                           .random_bits = static_cast<uint8_t>(random_bits)},
                          writer);
  reply->size = writer.position();
  ++sent_counts_.version_negotiations;
  return std::nullopt;
}

std::optional<DropReason> StatelessResponder::OnUnknownConnectionId(const ConnectionId& id,
                                                                    const Occasion& occasion) {
  // RFC 9000 §10.3.3: each is smaller than what provoked it, so that two endpoints cannot answer
  // each other's for ever.
  const std::optional<size_t> size = StatelessResetSize(occasion.datagram_bytes, random_);
  if (!size.has_value()) return std::nullopt;
  GODWIT_CHECK_LT(*size, occasion.datagram_bytes);
  DropReason reason = DropReason::kRateLimited;
  Reply* const reply = Reserve(occasion, stateless_resets_, &reason);
  if (reply == nullptr) return reason;
  WriteStatelessReset(reset_key_.TokenFor(id), random_, std::span(reply->bytes).first(*size));
  reply->size = *size;
  ++sent_counts_.stateless_resets;
  return std::nullopt;
}

std::optional<DropReason> StatelessResponder::OnRefused(const ClientInitialIds& ids,
                                                        TransportErrorCode error,
                                                        const Occasion& occasion) {
  GODWIT_CHECK_GE(occasion.datagram_bytes, kMinInitialDatagramBytes);
  DropReason reason = DropReason::kRateLimited;
  Reply* const reply = Reserve(occasion, refusals_, &reason);
  if (reply == nullptr) return reason;
  reply->size = WriteInitialClose(ids, error, reply->bytes);
  ++sent_counts_.refusals;
  return std::nullopt;
}

Transmit StatelessResponder::PollTransmit() {
  if (count_ == 0) return {};
  const Reply& reply = replies_[first_];
  first_ = (first_ + 1) % replies_.size();
  --count_;
  return {.payload = std::span(reply.bytes).first(reply.size),
          .segment_size = reply.size,
          .four_tuple = reply.four_tuple};
}

StatelessResponder::Reply* StatelessResponder::Reserve(const Occasion& occasion, Bucket& bucket,
                                                       DropReason* reason) {
  if (count_ == kMaxStatelessRepliesQueued) {
    *reason = DropReason::kQueueFull;
    return nullptr;
  }
  if (!rule_.Admit(occasion.now, bucket.full_at)) {
    *reason = DropReason::kRateLimited;
    return nullptr;
  }
  if (replies_.empty()) replies_.resize(kMaxStatelessRepliesQueued);
  Reply& reply = replies_[(first_ + count_) % replies_.size()];
  ++count_;
  reply.four_tuple = occasion.four_tuple;
  return &reply;
}

}  // namespace godwit
