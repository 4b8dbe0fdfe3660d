// SPDX-License-Identifier: Apache-2.0
//
// CryptoStreams: the CRYPTO data of all encryption levels, both directions, between CRYPTO frames
// and the TLS session. RFC 9000 §7.5, §13.3, §19.6; RFC 9001 §4.1.3.
//
// It does not know keys: the caller polls the session's secrets after each call that gave it bytes,
// and opens packets only with keys that came from there. So a frame never comes at a level that TLS
// has not reached; packets that would carry one wait elsewhere, unopened (undecryptable_packets.h).
//
// Invariants:
// 1. A level has a buffer only while something is in it: sent or unsent data that is not
//    acknowledged, or received data behind a gap. Between, two offsets are all that it costs.
// 2. Data of a level that was discarded is neither kept nor sent, and frames for it do nothing.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_CRYPTO_STREAMS_H_
#define GODWIT_TRANSPORT_LIFECYCLE_CRYPTO_STREAMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/result.h"
#include "crypto/tls_session.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reassembler.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/frame.h"

namespace godwit {

class CryptoStreams {
 public:
  // Hands to `tls` what is next in order, and takes over what it has to say to that, also when it
  // fails. The error is that of the session, or kCryptoBufferExceeded if the frame reaches too far
  // beyond a gap. Afterwards the session may have secrets and facts.
  Result OnCryptoFrame(const CryptoFrame& frame, EncryptionLevel level, TlsSession& tls,
                       TlsTime time, SendBlockPool& send_pool, ReceiveBlockPool& receive_pool);

  // Takes over what the session has to send at any level: after it was made, and after it got
  // something to say in another way than by OnCryptoFrame().
  void CollectFrom(TlsSession& tls, SendBlockPool& pool);

  // Whether WriteFrames() has anything for a packet of `level`. The caller sees that it has keys.
  bool HasPending(EncryptionLevel level) const {
    // RFC 9000 §12.4: no CRYPTO frames in 0-RTT packets, whose space 1-RTT shares.
    if (level == EncryptionLevel::kZeroRtt) return false;
    const Stream& stream = StreamOf(level);
    return stream.send != nullptr && stream.send->HasPending(kMaxStreamOffset);
  }
  // Of writer.level().
  void WriteFrames(FrameWriter& writer);

  // `frame` is a CRYPTO frame that went out at `level`.
  void OnFrameAcked(EncryptionLevel level, const SentFrame& frame, SendBlockPool& pool);
  void OnFrameLost(EncryptionLevel level, const SentFrame& frame);

  // For a probe: up to a packet of the oldest data that was sent and is not acknowledged becomes
  // pending again. False if there is none. RFC 9002 §6.2.4.
  bool RequeueOldest(EncryptionLevel level);

  // RFC 9001 §4.9: the keys of `level` are thrown away. Not of 1-RTT.
  void DiscardLevel(EncryptionLevel level, SendBlockPool& send_pool,
                    ReceiveBlockPool& receive_pool);

  // Gives all blocks back to their pools; for the end of the connection.
  void ReleaseAll(SendBlockPool& send_pool, ReceiveBlockPool& receive_pool);

  // Memory of received data behind gaps, and bytes to send that are not acknowledged.
  uint64_t held_bytes() const;

  void CheckInvariants() const;

 private:
  // The buffers count from where they were made: their offset 0 is the stream's *_base_bytes.
  struct Stream {
    std::unique_ptr<SendBuffer> send;
    std::unique_ptr<Reassembler> recv;
    uint64_t send_base_bytes = 0;  // Everything below is acknowledged.
    uint64_t recv_base_bytes = 0;  // Everything below went to TLS.
    bool is_discarded = false;

    uint64_t next_recv_bytes() const {
      return recv_base_bytes + (recv == nullptr ? 0 : recv->read_offset());
    }
  };

  // 0-RTT packets carry no CRYPTO frames: a level's stream is that of its packet number space.
  Stream& StreamOf(EncryptionLevel level) { return streams_[static_cast<size_t>(SpaceOf(level))]; }
  const Stream& StreamOf(EncryptionLevel level) const {
    return streams_[static_cast<size_t>(SpaceOf(level))];
  }

  static Result StoreFragment(Stream& stream, const CryptoFrame& frame, ReceiveBlockPool& pool);
  static Result ProvideReadable(Stream& stream, EncryptionLevel level, TlsSession& tls,
                                TlsTime time, ReceiveBlockPool& pool);
  // The data of `frame` as `stream.send` counts it; nothing if that does not have it any more.
  static std::optional<StreamRange> BufferedRange(const Stream& stream, const SentFrame& frame);
  static void Release(Stream& stream, SendBlockPool& send_pool, ReceiveBlockPool& receive_pool);

  std::array<Stream, kPacketNumberSpaceCount> streams_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_CRYPTO_STREAMS_H_
