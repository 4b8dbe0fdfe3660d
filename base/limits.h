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

static_assert(kMinInitialConnectionIdBytes <= kMaxConnectionIdBytes);
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

// ---- Handshake ----

// Bytes of CRYPTO data that an encryption level buffers out of order. RFC 9000 §7.5 wants 4096 at
// least; a server's certificate chain can take some tens of thousands.
inline constexpr size_t kMaxCryptoBufferBytes = 65536;

// Bytes of the encoded block of transport parameters, ours or the peer's. All that are defined take
// less than 500 together; the rest is room for ones we do not know, whose names we must remember
// while we look for duplicates.
inline constexpr size_t kMaxTransportParameterBytes = 4096;

static_assert(kMaxCryptoBufferBytes >= 4096);
static_assert(kMaxTransportParameterBytes <= kMaxCryptoBufferBytes);

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

// Frames in one packet that somebody waits to hear of. Small frames for many streams then take
// several packets.
inline constexpr size_t kMaxSentFramesPerPacket = 32;

static_assert(kReceiveBlockBytes % 64 == 0, "whole words of a bitmap");
static_assert(kMinOwnedChunkBytes <= kSendBlockBytes);

}  // namespace godwit

#endif  // GODWIT_BASE_LIMITS_H_
