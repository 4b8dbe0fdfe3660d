// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/frame_dispatcher.h"

#include "base/check.h"
#include "transport/connection/handshake_driver.h"
#include "transport/connection/loss_recovery.h"

namespace godwit {
namespace {

// CRYPTO frames do not say their level, and 0-RTT packets have none.
EncryptionLevel CryptoLevelOf(PacketNumberSpace space) {
  switch (space) {
    case PacketNumberSpace::kInitial:
      return EncryptionLevel::kInitial;
    case PacketNumberSpace::kHandshake:
      return EncryptionLevel::kHandshake;
    case PacketNumberSpace::kApplication:
      return EncryptionLevel::kOneRtt;
  }
  GODWIT_UNREACHABLE();
}

// Which part a frame came from, and so learns its fate.
enum class Owner : uint8_t {
  kStreams,
  kAcks,
  kCrypto,
  kLocalCids,
  kPeerCids,
  kHandshake,
  kPaths,
  kDatagrams,
  kNobody,  // Who sent it does not wait for it.
};

Owner OwnerOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::kStream:
    case FrameKind::kResetStream:
    case FrameKind::kStopSending:
    case FrameKind::kMaxData:
    case FrameKind::kMaxStreamData:
    case FrameKind::kMaxStreams:
    case FrameKind::kDataBlocked:
    case FrameKind::kStreamDataBlocked:
    case FrameKind::kStreamsBlocked:
      return Owner::kStreams;
    case FrameKind::kAck:
      return Owner::kAcks;
    case FrameKind::kCrypto:
      return Owner::kCrypto;
    case FrameKind::kNewConnectionId:
      return Owner::kLocalCids;
    case FrameKind::kRetireConnectionId:
      return Owner::kPeerCids;
    case FrameKind::kHandshakeDone:
      return Owner::kHandshake;
    case FrameKind::kPathChallenge:
      return Owner::kPaths;
    case FrameKind::kDatagram:
      return Owner::kDatagrams;
    default:
      return Owner::kNobody;
  }
}

Result OnCryptoFrame(ConnectionParts& parts, const CryptoFrame& frame, const FrameSource& source) {
  StreamPools& pools = *parts.env.pools;
  return parts.crypto.OnCryptoFrame(frame, source.level, *parts.tls, source.now, pools.send_blocks,
                                    pools.receive_blocks);
}

// RFC 9221 §3: the decoder has seen that we take frames of this size.
Result OnNewConnectionIdFrame(ConnectionParts& parts, const NewConnectionIdFrame& frame) {
  GODWIT_RETURN_IF_ERROR(parts.peer_cids.OnNewConnectionIdFrame(frame));
  // RFC 9000 §9.5: a path that had to come into use without an id of its own gets one now.
  const PathId active = parts.paths.active().id();
  if (parts.peer_cids.AssignTo(active)) parts.peer_cids.SetActivePath(active);
  return Result::Ok();
}

Result OnDatagramFrame(ConnectionParts& parts, const DatagramFrame& frame) {
  parts.datagrams.OnDatagramFrame(frame);
  parts.events.datagram_received = true;
  return Result::Ok();
}

Result DispatchStreamFrame(ConnectionParts& parts, const Frame& frame, Timestamp now) {
  StreamMap& streams = parts.streams;
  const StreamContext context = parts.StreamContextAt(now);
  switch (frame.kind()) {
    case FrameKind::kStream:
      return streams.OnStreamFrame(frame.As<StreamFrame>(), context);
    case FrameKind::kResetStream:
      return streams.OnResetStreamFrame(frame.As<ResetStreamFrame>(), context);
    case FrameKind::kStopSending:
      return streams.OnStopSendingFrame(frame.As<StopSendingFrame>(), context);
    case FrameKind::kMaxData:
      return streams.OnMaxDataFrame(frame.As<MaxDataFrame>());
    case FrameKind::kMaxStreamData:
      return streams.OnMaxStreamDataFrame(frame.As<MaxStreamDataFrame>());
    case FrameKind::kMaxStreams:
      return streams.OnMaxStreamsFrame(frame.As<MaxStreamsFrame>());
    case FrameKind::kDataBlocked:
      return streams.OnDataBlockedFrame(frame.As<DataBlockedFrame>(), context);
    case FrameKind::kStreamDataBlocked:
      return streams.OnStreamDataBlockedFrame(frame.As<StreamDataBlockedFrame>(), context);
    case FrameKind::kStreamsBlocked:
      return streams.OnStreamsBlockedFrame(frame.As<StreamsBlockedFrame>());
    default:
      GODWIT_UNREACHABLE();
  }
}

}  // namespace

Result DispatchFrame(ConnectionParts& parts, const Frame& frame, const FrameSource& source) {
  const Timestamp now = source.now.now;
  switch (frame.kind()) {
    case FrameKind::kPadding:
    case FrameKind::kPing:
      return Result::Ok();
    case FrameKind::kAck:
      return OnAckFrame(parts, frame.As<AckFrame>(), source);
    case FrameKind::kCrypto:
      return OnCryptoFrame(parts, frame.As<CryptoFrame>(), source);
    case FrameKind::kNewToken:  // A token saves a Retry; we do not keep any.
      return Result::Ok();
    case FrameKind::kNewConnectionId:
      return OnNewConnectionIdFrame(parts, frame.As<NewConnectionIdFrame>());
    case FrameKind::kRetireConnectionId:
      return parts.local_cids.OnRetireConnectionIdFrame(frame.As<RetireConnectionIdFrame>(),
                                                        source.dcid, now, parts.Pto());
    case FrameKind::kPathChallenge:
      parts.paths.OnPathChallengeFrame(frame.As<PathChallengeFrame>(), source.path);
      return Result::Ok();
    case FrameKind::kPathResponse:
      return parts.paths.OnPathResponseFrame(frame.As<PathResponseFrame>(), now, *parts.env.random);
    case FrameKind::kConnectionClose:
      parts.close.OnPeerClose(frame.As<ConnectionCloseFrame>(), now, parts.Pto());
      return Result::Ok();
    case FrameKind::kHandshakeDone:
      if (parts.handshake.OnHandshakeDoneFrame()) OnHandshakeConfirmed(parts);
      return Result::Ok();
    case FrameKind::kDatagram:
      return OnDatagramFrame(parts, frame.As<DatagramFrame>());
    case FrameKind::kAckFrequency:  // Not offered: the decoder refuses them.
    case FrameKind::kImmediateAck:
      GODWIT_UNREACHABLE();
    default:
      return DispatchStreamFrame(parts, frame, now);
  }
}

void RouteAcked(ConnectionParts& parts, PacketNumberSpace space, const FrameFate& fate) {
  const SentFrame& frame = fate.frame;
  switch (OwnerOf(frame.kind())) {
    case Owner::kStreams:
      return parts.streams.OnFrameAcked(fate.number, frame, *parts.env.pools);
    case Owner::kAcks:
      return parts.spaces[static_cast<size_t>(space)]->acks().OnAckFrameAcked(
          frame.largest_acked());
    case Owner::kCrypto:
      return parts.crypto.OnFrameAcked(CryptoLevelOf(space), frame, parts.env.pools->send_blocks);
    case Owner::kLocalCids:
      return parts.local_cids.OnFrameAcked(fate.number, frame);
    case Owner::kPeerCids:
      return parts.peer_cids.OnFrameAcked(fate.number, frame);
    case Owner::kHandshake:
      return parts.handshake.OnFrameAcked(fate.number, frame);
    case Owner::kDatagrams:
      return parts.datagrams.OnFrameAcked(frame);
    case Owner::kPaths:  // RFC 9000 §8.2.3: it is the answer that counts.
    case Owner::kNobody:
      return;
  }
}

void RouteLost(ConnectionParts& parts, PacketNumberSpace space, const FrameFate& fate) {
  const SentFrame& frame = fate.frame;
  switch (OwnerOf(frame.kind())) {
    case Owner::kStreams:
      return parts.streams.OnFrameLost(fate.number, frame);
    case Owner::kCrypto:
      return parts.crypto.OnFrameLost(CryptoLevelOf(space), frame);
    case Owner::kLocalCids:
      return parts.local_cids.OnFrameLost(fate.number, frame);
    case Owner::kPeerCids:
      return parts.peer_cids.OnFrameLost(fate.number, frame);
    case Owner::kHandshake:
      return parts.handshake.OnFrameLost(fate.number, frame);
    case Owner::kPaths:
      return parts.paths.OnFrameLost(fate.number, frame);
    case Owner::kDatagrams:
      return parts.datagrams.OnFrameLost(frame);
    case Owner::kAcks:  // RFC 9000 §13.3: the next one says what is true then.
    case Owner::kNobody:
      return;
  }
}

}  // namespace godwit
