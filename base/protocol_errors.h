// SPDX-License-Identifier: Apache-2.0
//
// The catalogue: every way in which a peer can break a rule, each with the error code that the
// connection is closed with, the section that has the rule, and what the peer did. Grouped by
// section; kAllProtocolErrors at the end lists them all.
//
// Where an RFC leaves the choice between two codes, ours is the one named here. Where it only
// permits to close ("MAY"), an entry here means that we can. What we answer by dropping the packet
// is in base/drop_reason.h.
//
// Invariants (tests/base/protocol_errors_test.cc): no two entries have the same reason; each is in
// kAllProtocolErrors once, and once in tests/base/protocol_error_table_test.cc.
#ifndef GODWIT_BASE_PROTOCOL_ERRORS_H_
#define GODWIT_BASE_PROTOCOL_ERRORS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "base/transport_error_code.h"

namespace godwit {

// ---- Streams and flow control. RFC 9000 §2.2, §4. ----

inline constexpr ProtocolError kStreamDataChanged{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §2.2",
    "sent different data for an offset already received"};
inline constexpr ProtocolError kConnectionDataAboveLimit{
    TransportErrorCode::kFlowControlError, "RFC 9000 §19.9",
    "sent more data than the connection's limit allows"};
inline constexpr ProtocolError kStreamDataAboveLimit{
    TransportErrorCode::kFlowControlError, "RFC 9000 §19.10",
    "sent more data than the stream's limit allows"};
inline constexpr ProtocolError kFinalSizeChanged{
    TransportErrorCode::kFinalSizeError, "RFC 9000 §4.5", "changed the final size of a stream"};
inline constexpr ProtocolError kFinalSizeBelowReceivedData{
    TransportErrorCode::kFinalSizeError, "RFC 9000 §4.5",
    "ended a stream below data already received"};
inline constexpr ProtocolError kStreamDataBeyondFinalSize{
    TransportErrorCode::kFinalSizeError, "RFC 9000 §4.5",
    "sent data beyond the final size of a stream"};
inline constexpr ProtocolError kStreamIdAboveLimit{TransportErrorCode::kStreamLimitError,
                                                   "RFC 9000 §4.6",
                                                   "used a stream id above the limit granted"};

// ---- Connection ids. RFC 9000 §5.1. ----

inline constexpr ProtocolError kConnectionIdsAboveLimit{
    TransportErrorCode::kConnectionIdLimitError, "RFC 9000 §5.1.1",
    "issued more connection ids than active_connection_id_limit"};
inline constexpr ProtocolError kConnectionIdRetirementsAboveLimit{
    TransportErrorCode::kConnectionIdLimitError, "RFC 9000 §5.1.2",
    "demanded more retirements of connection ids than are tracked"};

// ---- Authentication of the handshake's connection ids. RFC 9000 §7.3. ----

inline constexpr ProtocolError kInitialSourceConnectionIdMissing{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "left out initial_source_connection_id"};
inline constexpr ProtocolError kInitialSourceConnectionIdMismatch{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "sent an initial_source_connection_id unlike the one of its packets"};
inline constexpr ProtocolError kOriginalDestinationConnectionIdMissing{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "left out original_destination_connection_id"};
inline constexpr ProtocolError kOriginalDestinationConnectionIdMismatch{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "sent an original_destination_connection_id unlike the one it was sent"};
inline constexpr ProtocolError kRetrySourceConnectionIdMissing{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "left out retry_source_connection_id after a Retry packet"};
inline constexpr ProtocolError kRetrySourceConnectionIdMismatch{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "sent a retry_source_connection_id unlike the one of its Retry packet"};
inline constexpr ProtocolError kRetrySourceConnectionIdUnexpected{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.3",
    "sent retry_source_connection_id without a Retry packet"};

// ---- Transport parameters as a block. RFC 9000 §7.4, §18.2, §20.1; RFC 9001 §8.2. ----

// The TLS alert missing_extension.
inline constexpr ProtocolError kTransportParametersMissing{
    MakeCryptoError(109), "RFC 9001 §8.2", "left out the transport parameters extension"};
inline constexpr ProtocolError kTransportParametersTooLong{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §20.1",
    "sent more bytes of transport parameters than are accepted"};
inline constexpr ProtocolError kTransportParameterTruncated{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §20.1",
    "ended the transport parameters in the middle of one"};
inline constexpr ProtocolError kTransportParameterDuplicate{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §7.4",
    "sent a transport parameter twice"};
inline constexpr ProtocolError kTransportParameterIntegerMalformed{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent an integer parameter that does not fill its length"};
inline constexpr ProtocolError kServerParameterFromClient{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a server's transport parameter as a client"};

// ---- Values of transport parameters. RFC 9000 §18.2, RFC 9287 §3, RFC 9368 §4,
// draft-ietf-quic-ack-frequency §3. ----

inline constexpr ProtocolError kConnectionIdParameterTooLong{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a connection id parameter above 20 bytes"};
inline constexpr ProtocolError kStatelessResetTokenLengthInvalid{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a stateless_reset_token of other than 16 bytes"};
inline constexpr ProtocolError kMaxUdpPayloadSizeTooSmall{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a max_udp_payload_size below 1200"};
inline constexpr ProtocolError kInitialMaxStreamsBidiTooLarge{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §4.6",
    "sent an initial_max_streams_bidi above 2^60"};
inline constexpr ProtocolError kInitialMaxStreamsUniTooLarge{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §4.6",
    "sent an initial_max_streams_uni above 2^60"};
inline constexpr ProtocolError kAckDelayExponentTooLarge{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent an ack_delay_exponent above 20"};
inline constexpr ProtocolError kMaxAckDelayTooLarge{TransportErrorCode::kTransportParameterError,
                                                    "RFC 9000 §18.2",
                                                    "sent a max_ack_delay of 2^14 or above"};
inline constexpr ProtocolError kDisableActiveMigrationNotEmpty{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent disable_active_migration with a value"};
inline constexpr ProtocolError kPreferredAddressMalformed{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a preferred_address of the wrong length"};
inline constexpr ProtocolError kPreferredAddressConnectionIdInvalid{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent a preferred_address whose connection id is empty or above 20 bytes"};
inline constexpr ProtocolError kPreferredAddressWithoutConnectionIds{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent preferred_address after choosing an empty connection id"};
inline constexpr ProtocolError kActiveConnectionIdLimitTooSmall{
    TransportErrorCode::kTransportParameterError, "RFC 9000 §18.2",
    "sent an active_connection_id_limit below 2"};
inline constexpr ProtocolError kGreaseQuicBitNotEmpty{TransportErrorCode::kTransportParameterError,
                                                      "RFC 9287 §3",
                                                      "sent grease_quic_bit with a value"};
inline constexpr ProtocolError kMinAckDelayAboveMaxAckDelay{
    TransportErrorCode::kTransportParameterError, "draft-ietf-quic-ack-frequency §3",
    "sent a min_ack_delay above its max_ack_delay"};
inline constexpr ProtocolError kVersionInformationLengthInvalid{
    TransportErrorCode::kTransportParameterError, "RFC 9368 §4",
    "sent a version_information that is not one or more whole versions"};
inline constexpr ProtocolError kVersionInformationVersionZero{
    TransportErrorCode::kTransportParameterError, "RFC 9368 §4",
    "sent a version_information with version 0"};
inline constexpr ProtocolError kVersionInformationChosenVersionUnlisted{
    TransportErrorCode::kTransportParameterError, "RFC 9368 §4",
    "sent a version_information that does not list its chosen version"};

// ---- Versions. RFC 9368 §4. ----

inline constexpr ProtocolError kChosenVersionNotOffered{
    TransportErrorCode::kVersionNegotiationError, "RFC 9368 §4",
    "chose a version that it was not offered"};
inline constexpr ProtocolError kChosenVersionNotInUse{TransportErrorCode::kVersionNegotiationError,
                                                      "RFC 9368 §4",
                                                      "chose a version other than the one in use"};

// ---- 0-RTT. RFC 9000 §7.4.1, RFC 9001 §4.6.2, RFC 9221 §3. ----

inline constexpr ProtocolError kZeroRttLimitReduced{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §7.4.1",
    "accepted 0-RTT but reduced a remembered limit"};
inline constexpr ProtocolError kZeroRttDatagramSizeReduced{
    TransportErrorCode::kProtocolViolation, "RFC 9221 §3",
    "accepted 0-RTT but reduced max_datagram_frame_size"};
inline constexpr ProtocolError kZeroRttAckAfterRejection{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.6.2",
    "acknowledged a 0-RTT packet after rejecting 0-RTT"};

// ---- Handshake data and tokens. RFC 9000 §7.5, §8.1; RFC 9001 §4, §8. ----

inline constexpr ProtocolError kCryptoBufferExceeded{
    TransportErrorCode::kCryptoBufferExceeded, "RFC 9000 §7.5",
    "sent more out-of-order handshake data than is buffered"};
inline constexpr ProtocolError kCryptoDataAtOldLevel{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.1.3",
    "sent new handshake data at an encryption level already left"};
inline constexpr ProtocolError kCryptoDataAtFutureLevel{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.1.3",
    "sent handshake data at an encryption level not yet reached"};
inline constexpr ProtocolError kCryptoDataLeftAtLevel{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.1.3",
    "changed keys in the middle of its handshake data"};
// The TLS alert no_application_protocol.
inline constexpr ProtocolError kApplicationProtocolMissing{MakeCryptoError(120), "RFC 9001 §8.1",
                                                           "agreed on no application protocol"};
inline constexpr ProtocolError kPostHandshakeCertificateRequest{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.4",
    "asked for a certificate after the handshake"};
inline constexpr ProtocolError kEarlyDataSizeInvalid{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §4.6.1",
    "issued a ticket that limits 0-RTT data within TLS"};
inline constexpr ProtocolError kCompatibilityModeRequested{
    TransportErrorCode::kProtocolViolation, "RFC 9001 §8.4",
    "asked for the middlebox compatibility mode of TLS"};
inline constexpr ProtocolError kRetryTokenInvalid{TransportErrorCode::kInvalidToken,
                                                  "RFC 9000 §8.1.2",
                                                  "returned a Retry token that is not valid"};

// ---- Packet protection and key updates. RFC 9001 §6. ----

inline constexpr ProtocolError kKeyUpdateUnconfirmed{
    TransportErrorCode::kKeyUpdateError, "RFC 9001 §6.2",
    "updated keys again before the last update was acknowledged"};
inline constexpr ProtocolError kKeyUpdateNotFollowed{
    TransportErrorCode::kKeyUpdateError, "RFC 9001 §6.2",
    "acknowledged a packet with new keys in one with old keys"};
inline constexpr ProtocolError kKeyPhaseReversed{
    TransportErrorCode::kKeyUpdateError, "RFC 9001 §6.4",
    "used old keys for a packet number above those of new keys"};
inline constexpr ProtocolError kConfidentialityLimitReached{
    TransportErrorCode::kAeadLimitReached, "RFC 9001 §6.6",
    "acknowledged too little for keys to be updated before their limit"};
inline constexpr ProtocolError kIntegrityLimitReached{
    TransportErrorCode::kAeadLimitReached, "RFC 9001 §6.6",
    "sent as many packets that fail authentication as the cipher bears"};

// ---- Packets. RFC 9000 §12.4, §13.1, §17, §21.4. ----

inline constexpr ProtocolError kLongHeaderReservedBitsSet{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §17.2", "set reserved bits of a long header"};
inline constexpr ProtocolError kShortHeaderReservedBitsSet{TransportErrorCode::kProtocolViolation,
                                                           "RFC 9000 §17.3.1",
                                                           "set reserved bits of a short header"};
inline constexpr ProtocolError kPacketWithoutFrames{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §12.4", "sent a packet without frames"};
inline constexpr ProtocolError kAckOfUnsentPacket{TransportErrorCode::kProtocolViolation,
                                                  "RFC 9000 §13.1",
                                                  "acknowledged a packet that was never sent"};
inline constexpr ProtocolError kAckOfSkippedPacket{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §21.4",
    "acknowledged a packet number skipped on purpose"};

// ---- Frames of every type. RFC 9000 §12.4, §20.1. ----

inline constexpr ProtocolError kFrameTypeUnknown{TransportErrorCode::kFrameEncodingError,
                                                 "RFC 9000 §12.4", "sent a frame of unknown type"};
inline constexpr ProtocolError kFrameTypeNotMinimal{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §12.4",
    "encoded a frame type in more bytes than it needs"};
inline constexpr ProtocolError kFrameNotPermitted{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §12.4",
    "sent a frame in a type of packet that does not permit it"};
inline constexpr ProtocolError kFrameTruncated{TransportErrorCode::kFrameEncodingError,
                                               "RFC 9000 §20.1",
                                               "ended a packet in the middle of a frame's fields"};
inline constexpr ProtocolError kFrameLengthBeyondPacket{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §20.1",
    "declared a frame longer than the rest of its packet"};

// ---- Frames by type. RFC 9000 §19. ----

inline constexpr ProtocolError kAckRangeBelowZero{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.3.1",
    "sent an ACK range that reaches below packet number 0"};
inline constexpr ProtocolError kResetStreamForSendOnlyStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.4",
    "sent RESET_STREAM for a stream on which only we send"};
inline constexpr ProtocolError kResetStreamForUncreatedStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §20.1",
    "sent RESET_STREAM for a stream of ours not yet created"};
inline constexpr ProtocolError kStopSendingForReceiveOnlyStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.5",
    "sent STOP_SENDING for a stream on which only it sends"};
inline constexpr ProtocolError kStopSendingForUncreatedStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.5",
    "sent STOP_SENDING for a stream of ours not yet created"};
inline constexpr ProtocolError kCryptoOffsetTooLarge{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.6",
    "sent a CRYPTO frame that ends beyond offset 2^62-1"};
inline constexpr ProtocolError kNewTokenEmpty{TransportErrorCode::kFrameEncodingError,
                                              "RFC 9000 §19.7",
                                              "sent NEW_TOKEN with an empty token"};
inline constexpr ProtocolError kNewTokenFromClient{TransportErrorCode::kProtocolViolation,
                                                   "RFC 9000 §19.7", "sent NEW_TOKEN as a client"};
inline constexpr ProtocolError kStreamOffsetTooLarge{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.8",
    "sent a STREAM frame that ends beyond offset 2^62-1"};
inline constexpr ProtocolError kStreamFrameForSendOnlyStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.8",
    "sent STREAM for a stream on which only we send"};
inline constexpr ProtocolError kStreamFrameForUncreatedStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.8",
    "sent STREAM for a stream of ours not yet created"};
inline constexpr ProtocolError kMaxStreamDataForReceiveOnlyStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.10",
    "sent MAX_STREAM_DATA for a stream on which only it sends"};
inline constexpr ProtocolError kMaxStreamDataForUncreatedStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.10",
    "sent MAX_STREAM_DATA for a stream of ours not yet created"};
inline constexpr ProtocolError kMaxStreamsTooLarge{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.11", "sent MAX_STREAMS above 2^60"};
inline constexpr ProtocolError kStreamDataBlockedForSendOnlyStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §19.13",
    "sent STREAM_DATA_BLOCKED for a stream on which only we send"};
inline constexpr ProtocolError kStreamDataBlockedForUncreatedStream{
    TransportErrorCode::kStreamStateError, "RFC 9000 §20.1",
    "sent STREAM_DATA_BLOCKED for a stream of ours not yet created"};
inline constexpr ProtocolError kStreamsBlockedTooLarge{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.14", "sent STREAMS_BLOCKED above 2^60"};
inline constexpr ProtocolError kNewConnectionIdLengthInvalid{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.15",
    "sent NEW_CONNECTION_ID with an id that is empty or above 20 bytes"};
inline constexpr ProtocolError kNewConnectionIdRetirePriorToTooLarge{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §19.15",
    "sent NEW_CONNECTION_ID with Retire Prior To above its sequence number"};
inline constexpr ProtocolError kNewConnectionIdAfterEmptyConnectionId{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.15",
    "sent NEW_CONNECTION_ID after choosing an empty connection id"};
inline constexpr ProtocolError kNewConnectionIdRepeated{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.15",
    "issued a connection id again with another sequence number or token"};
inline constexpr ProtocolError kNewConnectionIdSequenceReused{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.15",
    "issued two connection ids with one sequence number"};
inline constexpr ProtocolError kNewConnectionIdTokenReused{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §10.3.2",
    "issued two connection ids with one stateless reset token"};
inline constexpr ProtocolError kRetireConnectionIdUnissued{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.16",
    "retired a connection id that it was never given"};
inline constexpr ProtocolError kRetireConnectionIdInUse{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.16",
    "retired the connection id of the packet that says so"};
inline constexpr ProtocolError kRetireConnectionIdWithoutConnectionIds{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.16",
    "sent RETIRE_CONNECTION_ID although our connection id is empty"};
inline constexpr ProtocolError kHandshakeDoneFromClient{
    TransportErrorCode::kProtocolViolation, "RFC 9000 §19.20", "sent HANDSHAKE_DONE as a client"};

// ---- Frames of extensions. RFC 9221 §3, draft-ietf-quic-ack-frequency §4. ----
//
// RFC 9000 §12.4: a frame of an extension that was not offered is one of unknown type. RFC 9221 has
// a code of its own for it.

inline constexpr ProtocolError kDatagramNotNegotiated{
    TransportErrorCode::kProtocolViolation, "RFC 9221 §3",
    "sent DATAGRAM although max_datagram_frame_size was not offered"};
inline constexpr ProtocolError kDatagramTooLarge{
    TransportErrorCode::kProtocolViolation, "RFC 9221 §3",
    "sent a DATAGRAM frame above max_datagram_frame_size"};
inline constexpr ProtocolError kAckFrequencyNotNegotiated{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §12.4",
    "sent ACK_FREQUENCY although min_ack_delay was not offered"};
inline constexpr ProtocolError kImmediateAckNotNegotiated{
    TransportErrorCode::kFrameEncodingError, "RFC 9000 §12.4",
    "sent IMMEDIATE_ACK although min_ack_delay was not offered"};
inline constexpr ProtocolError kAckFrequencyMaxAckDelayTooSmall{
    TransportErrorCode::kProtocolViolation, "draft-ietf-quic-ack-frequency §4",
    "sent ACK_FREQUENCY with a delay below min_ack_delay"};
inline constexpr ProtocolError kAckFrequencyMaxAckDelayTooLarge{
    TransportErrorCode::kProtocolViolation, "draft-ietf-quic-ack-frequency §4",
    "sent ACK_FREQUENCY with a delay of 2^14 ms or above"};

// ---- TLS alerts. RFC 9001 §4.8. ----
//
// Not in kAllProtocolErrors: what the peer did is in the alert, the low byte of the code.

inline constexpr std::array<ProtocolError, 256> kTlsAlertErrors = [] {
  std::array<ProtocolError, 256> errors{};
  for (size_t alert = 0; alert < errors.size(); ++alert) {
    errors[alert] = {MakeCryptoError(static_cast<uint8_t>(alert)), "RFC 9001 §4.8",
                     "failed the TLS handshake"};
  }
  return errors;
}();

// The error for an alert that our TLS raises about the peer's messages.
constexpr const ProtocolError& TlsAlertError(uint8_t tls_alert) {
  return kTlsAlertErrors[tls_alert];
}

// ---- All of them, in the order above. ----

inline constexpr const ProtocolError* kAllProtocolErrors[] = {
    &kStreamDataChanged,
    &kConnectionDataAboveLimit,
    &kStreamDataAboveLimit,
    &kFinalSizeChanged,
    &kFinalSizeBelowReceivedData,
    &kStreamDataBeyondFinalSize,
    &kStreamIdAboveLimit,
    &kConnectionIdsAboveLimit,
    &kConnectionIdRetirementsAboveLimit,
    &kInitialSourceConnectionIdMissing,
    &kInitialSourceConnectionIdMismatch,
    &kOriginalDestinationConnectionIdMissing,
    &kOriginalDestinationConnectionIdMismatch,
    &kRetrySourceConnectionIdMissing,
    &kRetrySourceConnectionIdMismatch,
    &kRetrySourceConnectionIdUnexpected,
    &kTransportParametersMissing,
    &kTransportParametersTooLong,
    &kTransportParameterTruncated,
    &kTransportParameterDuplicate,
    &kTransportParameterIntegerMalformed,
    &kServerParameterFromClient,
    &kConnectionIdParameterTooLong,
    &kStatelessResetTokenLengthInvalid,
    &kMaxUdpPayloadSizeTooSmall,
    &kInitialMaxStreamsBidiTooLarge,
    &kInitialMaxStreamsUniTooLarge,
    &kAckDelayExponentTooLarge,
    &kMaxAckDelayTooLarge,
    &kDisableActiveMigrationNotEmpty,
    &kPreferredAddressMalformed,
    &kPreferredAddressConnectionIdInvalid,
    &kPreferredAddressWithoutConnectionIds,
    &kActiveConnectionIdLimitTooSmall,
    &kGreaseQuicBitNotEmpty,
    &kMinAckDelayAboveMaxAckDelay,
    &kVersionInformationLengthInvalid,
    &kVersionInformationVersionZero,
    &kVersionInformationChosenVersionUnlisted,
    &kChosenVersionNotOffered,
    &kChosenVersionNotInUse,
    &kZeroRttLimitReduced,
    &kZeroRttDatagramSizeReduced,
    &kZeroRttAckAfterRejection,
    &kCryptoBufferExceeded,
    &kCryptoDataAtOldLevel,
    &kCryptoDataAtFutureLevel,
    &kCryptoDataLeftAtLevel,
    &kApplicationProtocolMissing,
    &kPostHandshakeCertificateRequest,
    &kEarlyDataSizeInvalid,
    &kCompatibilityModeRequested,
    &kRetryTokenInvalid,
    &kKeyUpdateUnconfirmed,
    &kKeyUpdateNotFollowed,
    &kKeyPhaseReversed,
    &kConfidentialityLimitReached,
    &kIntegrityLimitReached,
    &kLongHeaderReservedBitsSet,
    &kShortHeaderReservedBitsSet,
    &kPacketWithoutFrames,
    &kAckOfUnsentPacket,
    &kAckOfSkippedPacket,
    &kFrameTypeUnknown,
    &kFrameTypeNotMinimal,
    &kFrameNotPermitted,
    &kFrameTruncated,
    &kFrameLengthBeyondPacket,
    &kAckRangeBelowZero,
    &kResetStreamForSendOnlyStream,
    &kResetStreamForUncreatedStream,
    &kStopSendingForReceiveOnlyStream,
    &kStopSendingForUncreatedStream,
    &kCryptoOffsetTooLarge,
    &kNewTokenEmpty,
    &kNewTokenFromClient,
    &kStreamOffsetTooLarge,
    &kStreamFrameForSendOnlyStream,
    &kStreamFrameForUncreatedStream,
    &kMaxStreamDataForReceiveOnlyStream,
    &kMaxStreamDataForUncreatedStream,
    &kMaxStreamsTooLarge,
    &kStreamDataBlockedForSendOnlyStream,
    &kStreamDataBlockedForUncreatedStream,
    &kStreamsBlockedTooLarge,
    &kNewConnectionIdLengthInvalid,
    &kNewConnectionIdRetirePriorToTooLarge,
    &kNewConnectionIdAfterEmptyConnectionId,
    &kNewConnectionIdRepeated,
    &kNewConnectionIdSequenceReused,
    &kNewConnectionIdTokenReused,
    &kRetireConnectionIdUnissued,
    &kRetireConnectionIdInUse,
    &kRetireConnectionIdWithoutConnectionIds,
    &kHandshakeDoneFromClient,
    &kDatagramNotNegotiated,
    &kDatagramTooLarge,
    &kAckFrequencyNotNegotiated,
    &kImmediateAckNotNegotiated,
    &kAckFrequencyMaxAckDelayTooSmall,
    &kAckFrequencyMaxAckDelayTooLarge,
};

}  // namespace godwit

#endif  // GODWIT_BASE_PROTOCOL_ERRORS_H_
