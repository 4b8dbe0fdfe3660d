// SPDX-License-Identifier: Apache-2.0
//
// DropReason: why a datagram, or one packet in it, was put away unread. Dropping is no error:
// anyone can send anything to a UDP port. But it is never silent: every drop is counted under its
// reason.
//
// A packet whose content was authenticated and breaks a rule is not dropped: it closes
// the connection.
#ifndef GODWIT_INCLUDE_DROP_REASON_H_
#define GODWIT_INCLUDE_DROP_REASON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace godwit {

enum class DropReason : uint8_t {
  // Too few bytes for the header, the packet that its Length announces, or the sample of header
  // protection. A Length that lies cannot be told from a datagram that was cut. RFC 9000 §10.3,
  // RFC 9001 §5.4.2.
  kTooShort,
  // RFC 9000 §12.2, §17.2, §17.3.1: fixed bit 0, connection id above 20 bytes, Retry or Version
  // Negotiation behind another packet; or a datagram larger than UDP allows.
  kInvalidHeader,
  // RFC 9000 §5.2: a version that we do not speak, or not the one of this connection.
  kUnknownVersion,
  // RFC 9000 §5.2: no connection has this connection id, and the packet cannot open one.
  kUnknownConnectionId,
  // RFC 9000 §7.2: a long header with a source connection id other than the peer's first.
  kConnectionIdMismatch,
  // RFC 9000 §12.2: a coalesced packet for another connection id than the datagram's first packet.
  kCoalescedMismatch,
  // RFC 9000 §9: a server's address that the client never learned.
  kUnknownPeerAddress,
  // RFC 9000 §9: the peer moved although we forbade it or the handshake is not confirmed.
  kMigrationForbidden,
  // RFC 9000 §14.1: a client's Initial packet in a datagram below 1200 bytes.
  kInitialTooSmall,
  // RFC 9000 §7.2: a client's first Initial packet with a destination connection id below 8 bytes.
  kInitialConnectionIdTooShort,
  // RFC 9000 §8.1.3, §17.2.2: a token where none may be, or one that we cannot accept.
  kUnexpectedToken,
  // RFC 9000 §17.2.5.2: a Retry packet that comes late or twice, is empty, or fails its integrity
  // tag.
  kRetryInvalid,
  // RFC 9000 §6.2: a Version Negotiation packet that a client must not act on.
  kVersionNegotiationIgnored,
  // RFC 9001 §5.7: the keys of this level are not there yet, and no room was left to wait for them.
  kKeysUnavailable,
  // RFC 9001 §4.9: the keys of this level are gone, or 0-RTT was refused.
  kKeysDiscarded,
  // RFC 9001 §5.5: the AEAD did not open it.
  kDecryptFailed,
  // RFC 9000 §12.3: a packet with this number was processed before.
  kDuplicate,
  // RFC 9000 §12.3: below the duplicate window, so perhaps processed before.
  kTooOld,
  // A queue is full.
  kQueueFull,
  // The endpoint's memory budget is spent.
  kMemoryBudget,
  // New connections, Retry, Version Negotiation or stateless resets come faster than we allow.
  kRateLimited,
  // RFC 9000 §5.2.2: it would open a connection, and none is taken now: there are too many, or the
  // endpoint stops.
  kConnectionRefused,
  // RFC 9000 §10.2: the connection is closing or draining.
  kConnectionClosed,
};

// Of the enumerators, which count from 0 without gaps; kConnectionClosed is the last.
inline constexpr size_t kDropReasonCount = static_cast<size_t>(DropReason::kConnectionClosed) + 1;

[[nodiscard]] constexpr std::string_view ToString(DropReason reason) {
  switch (reason) {
    case DropReason::kTooShort:
      return "too_short";
    case DropReason::kInvalidHeader:
      return "invalid_header";
    case DropReason::kUnknownVersion:
      return "unknown_version";
    case DropReason::kUnknownConnectionId:
      return "unknown_connection_id";
    case DropReason::kConnectionIdMismatch:
      return "connection_id_mismatch";
    case DropReason::kCoalescedMismatch:
      return "coalesced_mismatch";
    case DropReason::kUnknownPeerAddress:
      return "unknown_peer_address";
    case DropReason::kMigrationForbidden:
      return "migration_forbidden";
    case DropReason::kInitialTooSmall:
      return "initial_too_small";
    case DropReason::kInitialConnectionIdTooShort:
      return "initial_connection_id_too_short";
    case DropReason::kUnexpectedToken:
      return "unexpected_token";
    case DropReason::kRetryInvalid:
      return "retry_invalid";
    case DropReason::kVersionNegotiationIgnored:
      return "version_negotiation_ignored";
    case DropReason::kKeysUnavailable:
      return "keys_unavailable";
    case DropReason::kKeysDiscarded:
      return "keys_discarded";
    case DropReason::kDecryptFailed:
      return "decrypt_failed";
    case DropReason::kDuplicate:
      return "duplicate";
    case DropReason::kTooOld:
      return "too_old";
    case DropReason::kQueueFull:
      return "queue_full";
    case DropReason::kMemoryBudget:
      return "memory_budget";
    case DropReason::kRateLimited:
      return "rate_limited";
    case DropReason::kConnectionRefused:
      return "connection_refused";
    case DropReason::kConnectionClosed:
      return "connection_closed";
  }
  return "invalid";
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_DROP_REASON_H_
