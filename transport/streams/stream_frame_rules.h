// SPDX-License-Identifier: Apache-2.0
//
// Which part of a stream each frame about a stream is for, and what a peer has done wrong that
// sends it for a stream without that part, or for one that only we can open. RFC 9000 §19.4, §19.5,
// §19.8, §19.10, §19.13.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_FRAME_RULES_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_FRAME_RULES_H_

#include "base/protocol_errors.h"
#include "transport/streams/stream_table.h"

namespace godwit {

inline constexpr StreamTable::FrameRules kStreamFrameRules = {
    StreamTable::Part::kRecv, &kStreamFrameForSendOnlyStream, &kStreamFrameForUncreatedStream};
inline constexpr StreamTable::FrameRules kResetStreamRules = {
    StreamTable::Part::kRecv, &kResetStreamForSendOnlyStream, &kResetStreamForUncreatedStream};
inline constexpr StreamTable::FrameRules kStreamDataBlockedRules = {
    StreamTable::Part::kRecv, &kStreamDataBlockedForSendOnlyStream,
    &kStreamDataBlockedForUncreatedStream};
inline constexpr StreamTable::FrameRules kStopSendingRules = {
    StreamTable::Part::kSend, &kStopSendingForReceiveOnlyStream, &kStopSendingForUncreatedStream};
inline constexpr StreamTable::FrameRules kMaxStreamDataRules = {StreamTable::Part::kSend,
                                                                &kMaxStreamDataForReceiveOnlyStream,
                                                                &kMaxStreamDataForUncreatedStream};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_FRAME_RULES_H_
