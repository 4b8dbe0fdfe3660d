// SPDX-License-Identifier: Apache-2.0
//
// What each frame type may do and what it does to its packet, in one table: which packets permit
// it, whether it asks for an acknowledgment, whether it may probe a path, whether it counts as in
// flight, who sends it. RFC 9000 §12.4 (table 3 and its notes), RFC 9221 §4,
// draft-ietf-quic-ack-frequency §3 to §5.
//
// It does not decide whether an extension was negotiated: that is a connection's knowledge.
//
// Invariant: a type is known exactly if some packet permits it.
#ifndef GODWIT_TRANSPORT_WIRE_FRAME_RULES_H_
#define GODWIT_TRANSPORT_WIRE_FRAME_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/encryption_level.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "godwit/perspective.h"
#include "transport/wire/frame_type.h"

namespace godwit {

// The rules of one type. A packet has a property if one of its frames has it, but probes a path
// only if all of them do (RFC 9000 §9.1).
class FrameRules {
 public:
  constexpr FrameRules() = default;  // Those of an unknown type.

  struct Fields {
    uint8_t permitted_in;  // Bits BitOf(EncryptionLevel).
    bool is_ack_eliciting;
    bool is_probing;
    bool is_in_flight;
    bool is_server_only;
  };
  constexpr explicit FrameRules(const Fields& fields)
      : bits_(static_cast<uint8_t>(
            fields.permitted_in | (fields.is_ack_eliciting ? kEliciting : 0) |
            (fields.is_probing ? kProbing : 0) | (fields.is_in_flight ? kInFlight : 0) |
            (fields.is_server_only ? kServerOnly : 0))) {}

  static constexpr uint8_t BitOf(EncryptionLevel level) {
    return static_cast<uint8_t>(1 << static_cast<uint8_t>(level));
  }

  constexpr bool is_known() const { return (bits_ & kLevels) != 0; }
  constexpr bool IsPermittedIn(EncryptionLevel level) const { return (bits_ & BitOf(level)) != 0; }
  constexpr bool is_ack_eliciting() const { return (bits_ & kEliciting) != 0; }
  constexpr bool is_probing() const { return (bits_ & kProbing) != 0; }
  constexpr bool is_in_flight() const { return (bits_ & kInFlight) != 0; }
  constexpr bool is_server_only() const { return (bits_ & kServerOnly) != 0; }

 private:
  static constexpr uint8_t kLevels = (1 << kEncryptionLevelCount) - 1;
  static constexpr uint8_t kEliciting = 0x10;
  static constexpr uint8_t kProbing = 0x20;
  static constexpr uint8_t kInFlight = 0x40;
  static constexpr uint8_t kServerOnly = 0x80;

  uint8_t bits_ = 0;
};

static_assert(sizeof(FrameRules) == 1);

namespace frame_rules_internal {

// The letters of RFC 9000 §12.4: Initial, Handshake, 0-RTT, 1-RTT.
inline constexpr uint8_t kI = FrameRules::BitOf(EncryptionLevel::kInitial);
inline constexpr uint8_t kH = FrameRules::BitOf(EncryptionLevel::kHandshake);
inline constexpr uint8_t k0 = FrameRules::BitOf(EncryptionLevel::kZeroRtt);
inline constexpr uint8_t k1 = FrameRules::BitOf(EncryptionLevel::kOneRtt);

struct Row {
  FrameType first;
  FrameType last;
  FrameRules::Fields rules;
};

// Two rows differ from the letters of table 3, as the text around it asks:
// - RETIRE_CONNECTION_ID is not for 0-RTT. RFC 9000 §12.5 names it, with ACK and CRYPTO, as a frame
//   that a 0-RTT packet cannot hold: the client was not yet given an id that it could retire.
// - CONNECTION_CLOSE is not in flight. Column C refers to RFC 9002, where §2 and §3 count only
//   packets that are ack-eliciting or hold PADDING.
inline constexpr bool kYes = true;
inline constexpr bool kNo = false;
using enum FrameType;

// clang-format off
inline constexpr Row kRows[] = {
    // First              Last                   Permitted in       Ack-  Prob- In    Server
    // type               type                   (as in table 3)    elic. ing   fl.   only
    {kPadding,             kPadding,             {kI | kH | k0 | k1, kNo,  kYes, kYes, kNo }},
    {kPing,                kPing,                {kI | kH | k0 | k1, kYes, kNo,  kYes, kNo }},
    {kAck,                 kAckWithEcn,          {kI | kH      | k1, kNo,  kNo,  kNo,  kNo }},
    {kResetStream,         kResetStream,         {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kStopSending,         kStopSending,         {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kCrypto,              kCrypto,              {kI | kH      | k1, kYes, kNo,  kYes, kNo }},
    {kNewToken,            kNewToken,            {               k1, kYes, kNo,  kYes, kYes}},
    {kStream,              kStreamLast,          {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kMaxData,             kMaxData,             {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kMaxStreamData,       kMaxStreamData,       {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kMaxStreamsBidi,      kMaxStreamsUni,       {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kDataBlocked,         kDataBlocked,         {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kStreamDataBlocked,   kStreamDataBlocked,   {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kStreamsBlockedBidi,  kStreamsBlockedUni,   {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kNewConnectionId,     kNewConnectionId,     {          k0 | k1, kYes, kYes, kYes, kNo }},
    {kRetireConnectionId,  kRetireConnectionId,  {               k1, kYes, kNo,  kYes, kNo }},
    {kPathChallenge,       kPathChallenge,       {          k0 | k1, kYes, kYes, kYes, kNo }},
    {kPathResponse,        kPathResponse,        {               k1, kYes, kYes, kYes, kNo }},
    {kConnectionClose,     kConnectionClose,     {kI | kH | k0 | k1, kNo,  kNo,  kNo,  kNo }},
    {kApplicationClose,    kApplicationClose,    {          k0 | k1, kNo,  kNo,  kNo,  kNo }},
    {kHandshakeDone,       kHandshakeDone,       {               k1, kYes, kNo,  kYes, kYes}},
    {kImmediateAck,        kImmediateAck,        {               k1, kYes, kNo,  kYes, kNo }},
    {kDatagram,            kDatagramWithLength,  {          k0 | k1, kYes, kNo,  kYes, kNo }},
    {kAckFrequency,        kAckFrequency,        {               k1, kYes, kNo,  kYes, kNo }},
};
// clang-format on

inline constexpr std::array<FrameRules, 256> kRulesByType = [] {
  std::array<FrameRules, 256> rules{};
  for (const Row& row : kRows) {
    for (size_t type = static_cast<size_t>(row.first); type <= static_cast<size_t>(row.last);
         ++type) {
      rules[type] = FrameRules(row.rules);
    }
  }
  return rules;
}();

}  // namespace frame_rules_internal

constexpr FrameRules RulesOf(FrameType type) {
  return frame_rules_internal::kRulesByType[static_cast<uint8_t>(type)];
}

// Whether `type`, as read from the wire, is a FrameType.
constexpr bool IsKnownFrameType(uint64_t type) {
  return type < frame_rules_internal::kRulesByType.size() &&
         frame_rules_internal::kRulesByType[type].is_known();
}

// Whether `sender` may put a frame of that type into a packet of that level; `type` is known.
inline Result CheckFrameAllowed(FrameType type, EncryptionLevel level, Perspective sender) {
  const FrameRules rules = RulesOf(type);
  // RFC 9000 §12.4: a frame in a packet that does not permit it is a PROTOCOL_VIOLATION.
  if (!rules.IsPermittedIn(level)) [[unlikely]] {
    return kFrameNotPermitted;
  }
  if (rules.is_server_only() && sender == Perspective::kClient) [[unlikely]] {
    // RFC 9000 §19.7, §19.20: a server treats either frame as a PROTOCOL_VIOLATION.
    return type == FrameType::kNewToken ? Result(kNewTokenFromClient)
                                        : Result(kHandshakeDoneFromClient);
  }
  return Result::Ok();
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_FRAME_RULES_H_
