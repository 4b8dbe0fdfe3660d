// SPDX-License-Identifier: Apache-2.0
//
// Every bound of godwit, in one place: the ranges that the protocol sets, and how much we keep of
// what a peer can make us keep. Each says its unit and its reason. What the user may configure is
// in the configuration; these are the ends of its ranges and everything that is not configurable.
//
// A value that a peer sends beyond a bound of the protocol is a ProtocolError or a DropReason; one
// that we make is caught by GODWIT_CHECK.
#ifndef GODWIT_BASE_LIMITS_H_
#define GODWIT_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace godwit {

// ---- Numbers on the wire ----

// RFC 9000 §16: the largest variable-length integer.
inline constexpr uint64_t kMaxVarint = (uint64_t{1} << 62) - 1;

// Bytes of the longest variable-length integer. RFC 9000 §16.
inline constexpr size_t kMaxVarintBytes = 8;

// RFC 9000 §12.3.
inline constexpr uint64_t kMaxPacketNumber = kMaxVarint;

// Bytes. RFC 9000 §19.6, §19.8: the sum of offset and length of a CRYPTO or STREAM frame.
inline constexpr uint64_t kMaxStreamOffset = kMaxVarint;

// Streams of one type that a connection can ever open. RFC 9000 §4.6: more would need stream ids
// above kMaxVarint, two bits of which say type and initiator.
inline constexpr uint64_t kMaxStreams = uint64_t{1} << 60;

// RFC 9000 §18.2: greater exponents of the ACK Delay field are invalid.
inline constexpr uint64_t kMaxAckDelayExponent = 20;

// Milliseconds. RFC 9000 §18.2: 2^14 and above are invalid.
inline constexpr uint64_t kMaxAckDelayMs = (uint64_t{1} << 14) - 1;

static_assert(kMaxStreams * 4 - 1 == kMaxVarint);

// ---- Datagrams ----

// Bytes of UDP payload. RFC 9000 §14.1: the least that a path must carry, and the least datagram
// that may carry a client's Initial packet.
inline constexpr size_t kMinInitialDatagramBytes = 1200;

// Bytes of UDP payload. RFC 9000 §18.2: what the length field of UDP allows.
inline constexpr size_t kMaxDatagramBytes = 65527;

// Datagrams that one send call hands to the kernel as a train (UDP_MAX_SEGMENTS of Linux).
inline constexpr size_t kMaxGsoSegments = 64;

// Bytes of such a train: the kernel builds it as one datagram, and an IPv4 packet of 65535 bytes
// has headers of 20 and 8. IPv6 would allow 20 more; one bound for both is simpler.
inline constexpr size_t kMaxGsoBytes = 65507;

static_assert(kMinInitialDatagramBytes <= kMaxGsoBytes);
static_assert(kMaxGsoBytes <= kMaxDatagramBytes);

// ---- Connection ids ----

// RFC 9000 §17.2: in version 1.
inline constexpr size_t kMaxConnectionIdBytes = 20;

// RFC 9000 §7.2: the destination connection id of a client's first Initial packet, which stands in
// for a secret until the server answers.
inline constexpr size_t kMinInitialConnectionIdBytes = 8;

// RFC 9000 §18.2: the least active_connection_id_limit, and its default.
inline constexpr uint64_t kMinActiveConnectionIdLimit = 2;

// NEW_CONNECTION_ID frames of a connection that await acknowledgment, and so the connection ids
// beyond the first that a peer gets from us however high its active_connection_id_limit is. Each
// takes an entry in the endpoint's routing table; a peer needs one a path and one in reserve.
inline constexpr size_t kMaxNewConnectionIdsPending = 8;

// Connection ids of ours that find a connection, ones that the peer has retired and that packets on
// their way may still carry included: when all are exchanged at once, two sets are routed.
inline constexpr size_t kMaxLocalConnectionIds = 2 * kMaxNewConnectionIdsPending;

// active_connection_id_limit, as we grant it: one for each of a connection's paths, four at most,
// and one in reserve.
inline constexpr size_t kActiveConnectionIdLimit = 5;

// Connection ids of the peer in use, in reserve, or retired without an acknowledgment yet. RFC 9000
// §5.1.2 wants twice kActiveConnectionIdLimit of retirements at least; a peer that provokes more
// without acknowledging them means to exhaust us (CVE-2024-22189).
inline constexpr size_t kMaxPeerConnectionIdsTracked = 5 * kActiveConnectionIdLimit;

static_assert(kMinInitialConnectionIdBytes <= kMaxConnectionIdBytes);
static_assert(kActiveConnectionIdLimit >= kMinActiveConnectionIdLimit);
static_assert(kMaxPeerConnectionIdsTracked >= 3 * kActiveConnectionIdLimit);
static_assert(kMaxNewConnectionIdsPending >= kMinActiveConnectionIdLimit);

// ---- Acknowledgments ----

// Ranges in one ACK frame. The newest matter most: on a link that loses one packet in ten, 32
// ranges still reach back over more than 300 packets, so that each range is in many ACK frames
// before it falls off the end (RFC 9000 §13.2.3).
inline constexpr size_t kMaxAckRangesSent = 32;

// Ranges of received packet numbers that a packet number space keeps. When a gap closes late the
// ranges around it must still be there to be joined.
inline constexpr size_t kMaxAckRangesTracked = 256;

// Packet numbers below the largest received for which we remember whether the packet came; older
// ones are dropped. RFC 9000 §12.3. A path that reorders widely, or two links used as one, can hold
// a packet back for thousands of others; at one bit a number this costs 512 bytes a space.
inline constexpr size_t kDuplicateWindowPackets = 4096;

static_assert(kMaxAckRangesSent <= kMaxAckRangesTracked);
static_assert(2 * kMaxAckRangesTracked <= kDuplicateWindowPackets,
              "the window must reach as far as ranges of one packet and gaps of one do");
static_assert(kDuplicateWindowPackets >= 2048);
static_assert(kDuplicateWindowPackets % 64 == 0, "whole words of a bitmap");
// An ACK frame with the greatest number of ranges, ECN counts and every field at its longest leaves
// room in the least datagram for the longest header with a packet number, and the AEAD's tag.
static_assert(1 + (4 + 2 * kMaxAckRangesSent + 3) * kMaxVarintBytes + 16 +
                  (1 + 4 + 2 * (1 + kMaxConnectionIdBytes) + 2 + 4) <=
              kMinInitialDatagramBytes);

// ---- Loss recovery ----

// Packet numbers, from the oldest packet without a known fate to the newest, that a packet number
// space keeps. When there are more the oldest counts as lost. A window of 64 MiB in packets of 256
// bytes needs as many; at 80 bytes each, and frames.
inline constexpr size_t kMaxSentPackets = size_t{1} << 18;

// Packets with nothing but an ACK frame that a space keeps while nothing else is in flight. Nobody
// needs to acknowledge them; the newest are enough to learn what the peer knows (RFC 9000 §13.2.4).
inline constexpr size_t kMaxAckOnlyPackets = 64;

// The same while something in front of them is in flight: when there are more, that counts as lost,
// or a peer that acknowledges nothing could make us keep ever more of them. A round trip of 300 ms
// in which 50,000 packets a second are acknowledged, two by two, has half as many.
inline constexpr size_t kMaxAckOnlyPacketsBehind = size_t{1} << 14;

// Packets declared lost that a space remembers, so that a late acknowledgment is recognised. A
// congestion response is undone only if all its losses are found spurious: as many packets as are
// in flight on a path of 500 Mbit/s and 100 ms that pauses for a moment.
inline constexpr size_t kMaxRememberedLosses = 4096;

// Packets by which one may be overtaken before it counts as lost, at most; beyond, time decides
// alone (RFC 9002 §6.1). At 1 Gbit/s 512 packets are 6 ms.
inline constexpr uint64_t kMaxPacketThreshold = 512;

// Packet numbers skipped on purpose that are remembered, and the mean number of packets from one to
// the next, which grows with the packets that are outstanding: each costs a range in the ACK frames
// of the peer. RFC 9000 §21.4.
inline constexpr size_t kMaxRememberedSkips = 4;
inline constexpr uint64_t kMinMeanSkipDistance = 128;

// ACK frames that were not acknowledged, after which one of a receiver that sends nothing else
// carries a PING. RFC 9000 §13.2.4.
inline constexpr uint64_t kAckFramesPerPing = 32;

// ---- Handshake ----

// Bytes of CRYPTO data that an encryption level buffers out of order. RFC 9000 §7.5 wants 4096 at
// least; a server's certificate chain can take some tens of thousands.
inline constexpr size_t kMaxCryptoBufferBytes = 65536;

// Bytes of the encoded block of transport parameters, ours or the peer's. All that are defined take
// less than 500 together; the rest is room for ones we do not know, whose names we must remember
// while we look for duplicates.
inline constexpr size_t kMaxTransportParameterBytes = 4096;

// Packets, and their bytes, that a connection keeps because they came before the keys that open
// them. RFC 9001 §5.7. The initial window of a peer that has just completed the handshake fits (RFC
// 9002 §7.2: ten packets, 14,720 bytes).
inline constexpr size_t kMaxUndecryptablePackets = 10;
inline constexpr size_t kMaxUndecryptableBytes = 16384;

// Bytes of the reason phrase of a CONNECTION_CLOSE frame, ours or the peer's, that we keep. People
// read it; the rest of the longest datagram would be a cheap way to fill our memory.
inline constexpr size_t kMaxCloseReasonBytes = 1024;

// CONNECTION_CLOSE frames that a closing connection answers packets with; the last one comes after
// 4,096 of them. Keys that are used up are kept so many packets to close with, and a few more.
inline constexpr unsigned kMaxCloseReplies = 12;

static_assert(kMaxCryptoBufferBytes >= 4096);
static_assert(kMaxTransportParameterBytes <= kMaxCryptoBufferBytes);

// Lines for an SSLKEYLOGFILE that an application has asked for and not taken; what comes then is
// lost. 250 bytes each, five a handshake.
inline constexpr size_t kMaxKeyLogLines = 1024;

// ---- Streams ----

// Bytes of a block in which received data waits for what is missing in front of it, or for the
// application. A stream holds no more blocks than its flow-control window spans; one byte alone
// takes a whole one.
inline constexpr size_t kReceiveBlockBytes = 4096;

// Stretches of received data that a stream leaves in their datagrams until the end of a batch;
// further ones are copied.
inline constexpr size_t kMaxBorrowedViews = 256;

// Bytes of a block in which written data waits to be acknowledged. A packet whose data spans two
// blocks is put together by a copy: one packet in six at 1,400 bytes.
inline constexpr size_t kSendBlockBytes = 8192;

// Bytes of contiguous memory from which on a write is kept as it was handed over, not copied. What
// an entry for it costs would outweigh the copy of less.
inline constexpr size_t kMinOwnedChunkBytes = 1024;

// Ranges of a stream that a sender knows as acknowledged while older data is not. An acknowledgment
// that would take more is forgotten, and the data sent again. A window of 64 MiB in packets of
// 1,400 bytes needs as many if one packet in eleven is lost.
inline constexpr size_t kMaxAckedStreamRanges = 4096;

// Bytes of window that are worth a frame to a peer that says it waits for them: two packets.
inline constexpr uint64_t kMinWindowUpdateBytes = 2 * kMinInitialDatagramBytes;

// Bytes of a STREAM frame's data below which it is not begun at the end of a packet, unless it
// carries all that there is to send: the rest would pay for a header of its own.
inline constexpr size_t kMinStreamFragmentBytes = 32;

// Bytes that a stream sends before the next of its urgency takes its turn. About a packet: the
// finest mixture, in which a lost packet delays one stream alone.
inline constexpr size_t kStreamTurnBytes = 1000;

// Frames in one packet that somebody waits to hear of. Small frames for many streams then take
// several packets.
inline constexpr size_t kMaxSentFramesPerPacket = 32;

static_assert(kReceiveBlockBytes % 64 == 0, "whole words of a bitmap");
static_assert(kMinOwnedChunkBytes <= kSendBlockBytes);

// ---- Paths ----

// Paths of a connection, the one in use included: it, the one to return to if it fails, one that
// the peer probes, and one that nothing is known of yet.
inline constexpr size_t kMaxPaths = 4;

// PATH_RESPONSE frames that wait to be sent on a path. A peer has one challenge under way, and a
// second or third if it thinks that the first was lost; older ones it has given up.
inline constexpr size_t kMaxPathResponsesPending = 4;

// ---- Datagrams of the application: RFC 9221 ----

// DATAGRAM frames that wait in one direction. Their bytes are configured; this bounds what a great
// many empty ones take.
inline constexpr size_t kMaxQueuedDatagrams = 4096;

// Reports on sent datagrams that the application has not taken. 8 bytes each.
inline constexpr size_t kMaxDatagramFeedback = 1024;

// Bytes that an empty queue of datagrams keeps, so that the next datagram need not allocate.
inline constexpr size_t kKeptDatagramQueueBytes = 8192;

// ---- Endpoint ----

// Connections that an endpoint can be configured for.
inline constexpr uint64_t kMaxConnections = uint64_t{1} << 24;

// Datagrams for one connection that it gets in one call: what one read of a socket with GRO gives.
// It bounds how far a connection can overshoot its share of the memory budget.
inline constexpr size_t kMaxDatagramsPerRun = kMaxGsoSegments;

// Packets without a connection (Version Negotiation, stateless reset, refusal) that wait to be
// sent. They leave before everything else, so that more would only wait if the socket is stuck.
inline constexpr size_t kMaxStatelessRepliesQueued = 64;

// Connections of one peer address that are asked whether a datagram which nobody could read is
// their stateless reset. Each costs some comparisons of 16 bytes; the next datagram asks the next
// ones.
inline constexpr size_t kMaxStatelessResetCandidates = 64;

// Address prefixes of which it is remembered how fast they open connections, 16 bytes each; the
// quietest ones are forgotten first.
inline constexpr size_t kMaxAcceptSources = 4096;

// How often a ConnectionIdGenerator is asked again after an id that is in use. With random ids of 4
// bytes and a million in use, six such in a row do not happen once in 10^21.
inline constexpr int kMaxConnectionIdAttempts = 6;

// Blocks of stream data that wait for their next use, 16 MiB of each kind: what one fast connection
// takes and gives back in a round trip. More go to the heap.
inline constexpr size_t kMaxFreeSendBlocks = 2048;
inline constexpr size_t kMaxFreeReceiveBlocks = 4096;

// Bytes of a datagram that is let in when the memory budget is spent: it has room for an ACK frame
// with many ranges, without which what we have sent is never freed, and for little else.
inline constexpr size_t kMaxDatagramBytesWithoutMemory = 128;

static_assert(kMaxDatagramsPerRun <= kMaxGsoSegments, "one call uncovers so many headers");

}  // namespace godwit

#endif  // GODWIT_BASE_LIMITS_H_
