// SPDX-License-Identifier: Apache-2.0
//
// The catalogue once more, as the RFCs read and not as base/protocol_errors.h does: the number that
// stands in the CONNECTION_CLOSE frame, and the section that asks for it. Where a section leaves
// the choice between two codes, the one that godwit has settled on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/result.h"

namespace godwit {
namespace {

struct Row {
  const ProtocolError* error;
  uint64_t code;
  std::string_view section;
};

constexpr Row kRows[] = {
    {&kStreamDataChanged, 0x0a, "RFC 9000 §2.2"},
    {&kConnectionDataAboveLimit, 0x03, "RFC 9000 §19.9"},
    {&kStreamDataAboveLimit, 0x03, "RFC 9000 §19.10"},
    {&kFinalSizeChanged, 0x06, "RFC 9000 §4.5"},
    {&kFinalSizeBelowReceivedData, 0x06, "RFC 9000 §4.5"},
    {&kStreamDataBeyondFinalSize, 0x06, "RFC 9000 §4.5"},
    {&kStreamIdAboveLimit, 0x04, "RFC 9000 §4.6"},
    {&kConnectionIdsAboveLimit, 0x09, "RFC 9000 §5.1.1"},
    {&kConnectionIdRetirementsAboveLimit, 0x09, "RFC 9000 §5.1.2"},
    {&kInitialSourceConnectionIdMissing, 0x08, "RFC 9000 §7.3"},
    {&kInitialSourceConnectionIdMismatch, 0x08, "RFC 9000 §7.3"},
    {&kOriginalDestinationConnectionIdMissing, 0x08, "RFC 9000 §7.3"},
    {&kOriginalDestinationConnectionIdMismatch, 0x08, "RFC 9000 §7.3"},
    {&kRetrySourceConnectionIdMissing, 0x08, "RFC 9000 §7.3"},
    {&kRetrySourceConnectionIdMismatch, 0x08, "RFC 9000 §7.3"},
    {&kRetrySourceConnectionIdUnexpected, 0x08, "RFC 9000 §7.3"},
    {&kTransportParametersMissing, 0x16d, "RFC 9001 §8.2"},
    {&kTransportParametersTooLong, 0x08, "RFC 9000 §20.1"},
    {&kTransportParameterTruncated, 0x08, "RFC 9000 §20.1"},
    {&kTransportParameterDuplicate, 0x08, "RFC 9000 §7.4"},
    {&kTransportParameterIntegerMalformed, 0x08, "RFC 9000 §18.2"},
    {&kServerParameterFromClient, 0x08, "RFC 9000 §18.2"},
    {&kConnectionIdParameterTooLong, 0x08, "RFC 9000 §18.2"},
    {&kStatelessResetTokenLengthInvalid, 0x08, "RFC 9000 §18.2"},
    {&kMaxUdpPayloadSizeTooSmall, 0x08, "RFC 9000 §18.2"},
    {&kInitialMaxStreamsBidiTooLarge, 0x08, "RFC 9000 §4.6"},
    {&kInitialMaxStreamsUniTooLarge, 0x08, "RFC 9000 §4.6"},
    {&kAckDelayExponentTooLarge, 0x08, "RFC 9000 §18.2"},
    {&kMaxAckDelayTooLarge, 0x08, "RFC 9000 §18.2"},
    {&kDisableActiveMigrationNotEmpty, 0x08, "RFC 9000 §18.2"},
    {&kPreferredAddressMalformed, 0x08, "RFC 9000 §18.2"},
    {&kPreferredAddressConnectionIdInvalid, 0x08, "RFC 9000 §18.2"},
    {&kPreferredAddressWithoutConnectionIds, 0x08, "RFC 9000 §18.2"},
    {&kActiveConnectionIdLimitTooSmall, 0x08, "RFC 9000 §18.2"},
    {&kGreaseQuicBitNotEmpty, 0x08, "RFC 9287 §3"},
    {&kMinAckDelayAboveMaxAckDelay, 0x08, "draft-ietf-quic-ack-frequency §3"},
    {&kVersionInformationLengthInvalid, 0x08, "RFC 9368 §4"},
    {&kVersionInformationVersionZero, 0x08, "RFC 9368 §4"},
    {&kVersionInformationChosenVersionUnlisted, 0x08, "RFC 9368 §4"},
    {&kChosenVersionNotOffered, 0x11, "RFC 9368 §4"},
    {&kChosenVersionNotInUse, 0x11, "RFC 9368 §4"},
    {&kZeroRttLimitReduced, 0x0a, "RFC 9000 §7.4.1"},
    {&kZeroRttDatagramSizeReduced, 0x0a, "RFC 9221 §3"},
    {&kZeroRttAckAfterRejection, 0x0a, "RFC 9001 §4.6.2"},
    {&kCryptoBufferExceeded, 0x0d, "RFC 9000 §7.5"},
    {&kCryptoDataAtOldLevel, 0x0a, "RFC 9001 §4.1.3"},
    {&kCryptoDataAtFutureLevel, 0x0a, "RFC 9001 §4.1.3"},
    {&kCryptoDataLeftAtLevel, 0x0a, "RFC 9001 §4.1.3"},
    {&kApplicationProtocolMissing, 0x178, "RFC 9001 §8.1"},
    {&kPostHandshakeCertificateRequest, 0x0a, "RFC 9001 §4.4"},
    {&kEarlyDataSizeInvalid, 0x0a, "RFC 9001 §4.6.1"},
    {&kCompatibilityModeRequested, 0x0a, "RFC 9001 §8.4"},
    {&kRetryTokenInvalid, 0x0b, "RFC 9000 §8.1.2"},
    {&kKeyUpdateUnconfirmed, 0x0e, "RFC 9001 §6.2"},
    {&kKeyUpdateNotFollowed, 0x0e, "RFC 9001 §6.2"},
    {&kKeyPhaseReversed, 0x0e, "RFC 9001 §6.4"},
    {&kConfidentialityLimitReached, 0x0f, "RFC 9001 §6.6"},
    {&kIntegrityLimitReached, 0x0f, "RFC 9001 §6.6"},
    {&kLongHeaderReservedBitsSet, 0x0a, "RFC 9000 §17.2"},
    {&kShortHeaderReservedBitsSet, 0x0a, "RFC 9000 §17.3.1"},
    {&kPacketWithoutFrames, 0x0a, "RFC 9000 §12.4"},
    {&kAckOfUnsentPacket, 0x0a, "RFC 9000 §13.1"},
    {&kAckOfSkippedPacket, 0x0a, "RFC 9000 §21.4"},
    {&kFrameTypeUnknown, 0x07, "RFC 9000 §12.4"},
    {&kFrameTypeNotMinimal, 0x0a, "RFC 9000 §12.4"},
    {&kFrameNotPermitted, 0x0a, "RFC 9000 §12.4"},
    {&kFrameTruncated, 0x07, "RFC 9000 §20.1"},
    {&kFrameLengthBeyondPacket, 0x07, "RFC 9000 §20.1"},
    {&kAckRangeBelowZero, 0x07, "RFC 9000 §19.3.1"},
    {&kResetStreamForSendOnlyStream, 0x05, "RFC 9000 §19.4"},
    {&kResetStreamForUncreatedStream, 0x05, "RFC 9000 §20.1"},
    {&kStopSendingForReceiveOnlyStream, 0x05, "RFC 9000 §19.5"},
    {&kStopSendingForUncreatedStream, 0x05, "RFC 9000 §19.5"},
    {&kCryptoOffsetTooLarge, 0x07, "RFC 9000 §19.6"},
    {&kNewTokenEmpty, 0x07, "RFC 9000 §19.7"},
    {&kNewTokenFromClient, 0x0a, "RFC 9000 §19.7"},
    {&kStreamOffsetTooLarge, 0x07, "RFC 9000 §19.8"},
    {&kStreamFrameForSendOnlyStream, 0x05, "RFC 9000 §19.8"},
    {&kStreamFrameForUncreatedStream, 0x05, "RFC 9000 §19.8"},
    {&kMaxStreamDataForReceiveOnlyStream, 0x05, "RFC 9000 §19.10"},
    {&kMaxStreamDataForUncreatedStream, 0x05, "RFC 9000 §19.10"},
    {&kMaxStreamsTooLarge, 0x07, "RFC 9000 §19.11"},
    {&kStreamDataBlockedForSendOnlyStream, 0x05, "RFC 9000 §19.13"},
    {&kStreamDataBlockedForUncreatedStream, 0x05, "RFC 9000 §20.1"},
    {&kStreamsBlockedTooLarge, 0x07, "RFC 9000 §19.14"},
    {&kNewConnectionIdLengthInvalid, 0x07, "RFC 9000 §19.15"},
    {&kNewConnectionIdRetirePriorToTooLarge, 0x07, "RFC 9000 §19.15"},
    {&kNewConnectionIdAfterEmptyConnectionId, 0x0a, "RFC 9000 §19.15"},
    {&kNewConnectionIdRepeated, 0x0a, "RFC 9000 §19.15"},
    {&kNewConnectionIdSequenceReused, 0x0a, "RFC 9000 §19.15"},
    {&kNewConnectionIdTokenReused, 0x0a, "RFC 9000 §10.3.2"},
    {&kRetireConnectionIdUnissued, 0x0a, "RFC 9000 §19.16"},
    {&kRetireConnectionIdInUse, 0x0a, "RFC 9000 §19.16"},
    {&kRetireConnectionIdWithoutConnectionIds, 0x0a, "RFC 9000 §19.16"},
    {&kHandshakeDoneFromClient, 0x0a, "RFC 9000 §19.20"},
    {&kDatagramNotNegotiated, 0x0a, "RFC 9221 §3"},
    {&kDatagramTooLarge, 0x0a, "RFC 9221 §3"},
    {&kAckFrequencyNotNegotiated, 0x07, "RFC 9000 §12.4"},
    {&kImmediateAckNotNegotiated, 0x07, "RFC 9000 §12.4"},
    {&kAckFrequencyMaxAckDelayTooSmall, 0x0a, "draft-ietf-quic-ack-frequency §4"},
    {&kAckFrequencyMaxAckDelayTooLarge, 0x0a, "draft-ietf-quic-ack-frequency §4"},
};

TEST(ProtocolErrorTableTest, EveryEntryHasTheCodeAndTheSectionOfTheRfcs) {
  for (const Row& row : kRows) {
    EXPECT_EQ(static_cast<uint64_t>(row.error->code), row.code) << row.error->reason;
    EXPECT_EQ(row.error->rfc, row.section) << row.error->reason;
  }
}

TEST(ProtocolErrorTableTest, TheTableHasEveryEntryOnce) {
  for (const ProtocolError* error : kAllProtocolErrors) {
    EXPECT_EQ(std::ranges::count(kRows, error, &Row::error), 1) << error->reason;
  }
  EXPECT_EQ(std::size(kRows), std::size(kAllProtocolErrors));
}

}  // namespace
}  // namespace godwit
