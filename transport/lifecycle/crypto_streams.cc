// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/crypto_streams.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

// Levels whose packets may carry CRYPTO frames (RFC 9000 §12.4).
constexpr EncryptionLevel kCryptoLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                             EncryptionLevel::kOneRtt};

// Bytes of data of the longest CRYPTO frame at that offset that fits into `space`. RFC 9000 §19.6.
size_t CryptoDataRoom(size_t space, uint64_t offset_bytes) {
  const size_t header = 1 + VarintSize(offset_bytes);
  if (space <= header) return 0;
  const size_t room = space - header;
  size_t best = 0;
  for (const VarintWidth width : {VarintWidth::k1, VarintWidth::k2, VarintWidth::k4}) {
    if (room < ByteCount(width)) break;
    best = std::max(best, std::min<size_t>(room - ByteCount(width), MaxVarintOf(width)));
  }
  return best;
}

}  // namespace

// ---- Receiving ----

Result CryptoStreams::OnCryptoFrame(const CryptoFrame& frame, EncryptionLevel level,
                                    TlsSession& tls, TlsTime time, SendBlockPool& send_pool,
                                    ReceiveBlockPool& receive_pool) {
  Stream& stream = StreamOf(level);
  if (stream.is_discarded) return Result::Ok();
  const uint64_t next = stream.next_recv_bytes();
  const uint64_t end = frame.offset_bytes + frame.data.size();
  // RFC 9001 §4.1.3: what TLS has had comes again when an acknowledgment was lost.
  if (end <= next) return Result::Ok();

  Result result = Result::Ok();
  if (stream.recv == nullptr && frame.offset_bytes <= next) {
    stream.recv_base_bytes = end;
    result = tls.ProvideCryptoData(level, frame.data.subspan(next - frame.offset_bytes), time);
  } else {
    // RFC 9000 §7.5: a peer that leaves gaps must not make us keep more than a flight of the
    // handshake. What closes the gap is not kept, so that its size does not matter.
    const uint64_t limit = std::min(tls.MaxCryptoDataBytes(level), kMaxCryptoBufferBytes);
    if (frame.offset_bytes > next && end - next > limit) return kCryptoBufferExceeded;
    GODWIT_RETURN_IF_ERROR(StoreFragment(stream, frame, receive_pool));
    result = ProvideReadable(stream, level, tls, time, receive_pool);
  }
  CollectFrom(tls, send_pool);
  return result;
}

Result CryptoStreams::StoreFragment(Stream& stream, const CryptoFrame& frame,
                                    ReceiveBlockPool& pool) {
  if (stream.recv == nullptr) stream.recv = std::make_unique<Reassembler>();
  const uint64_t begin = std::max(frame.offset_bytes, stream.recv_base_bytes);
  const ReceivedSegment segment = {.offset_bytes = begin - stream.recv_base_bytes,
                                   .data = frame.data.subspan(begin - frame.offset_bytes)};
  Reassembler::Arrival arrival;
  return stream.recv->OnSegment(segment, pool, arrival);
}

Result CryptoStreams::ProvideReadable(Stream& stream, EncryptionLevel level, TlsSession& tls,
                                      TlsTime time, ReceiveBlockPool& pool) {
  while (stream.recv->readable_bytes() != 0) {
    std::span<const uint8_t> view;
    stream.recv->Peek({&view, 1});
    GODWIT_RETURN_IF_ERROR(tls.ProvideCryptoData(level, view, time));
    stream.recv->Consume(view.size(), pool);
  }
  if (stream.recv->buffered_bytes() == 0) {
    stream.recv_base_bytes += stream.recv->read_offset();
    stream.recv = nullptr;
  }
  return Result::Ok();
}

// ---- Sending ----

void CryptoStreams::CollectFrom(TlsSession& tls, SendBlockPool& pool) {
  for (const EncryptionLevel level : kCryptoLevels) {
    const std::span<const uint8_t> pending = tls.PendingCryptoData(level);
    if (pending.empty()) continue;
    Stream& stream = StreamOf(level);
    if (!stream.is_discarded) {
      if (stream.send == nullptr) stream.send = std::make_unique<SendBuffer>();
      stream.send->Append(pending, pool);
    }
    tls.ConsumeCryptoData(level, pending.size());
  }
}

void CryptoStreams::WriteFrames(FrameWriter& writer) {
  if (!HasPending(writer.level())) return;
  const Stream& stream = StreamOf(writer.level());
  while (true) {
    std::optional<StreamRange> range =
        stream.send->Next({.max_bytes = writer.space_left(), .max_end_offset = kMaxStreamOffset});
    if (!range.has_value()) return;
    const uint64_t offset = stream.send_base_bytes + range->offset_bytes;
    range->length_bytes =
        std::min<uint64_t>(range->length_bytes, CryptoDataRoom(writer.space_left(), offset));
    if (range->length_bytes == 0) return;
    // Where the data lies in two blocks it takes two frames.
    const std::span<const uint8_t> data = stream.send->View(*range);
    range->length_bytes = data.size();
    const StreamRange absolute = {.offset_bytes = offset, .length_bytes = data.size()};
    if (!writer.Write(CryptoFrame{offset, data}, SentFrame::Crypto(absolute))) return;
    stream.send->OnSent(*range);
  }
}

std::optional<StreamRange> CryptoStreams::BufferedRange(const Stream& stream,
                                                        const SentFrame& frame) {
  StreamRange range = frame.range();
  // What went out before the buffer was made was all acknowledged before that.
  if (stream.send == nullptr || range.end_bytes() <= stream.send_base_bytes) return std::nullopt;
  GODWIT_CHECK_GE(range.offset_bytes, stream.send_base_bytes);
  range.offset_bytes -= stream.send_base_bytes;
  return range;
}

void CryptoStreams::OnFrameAcked(EncryptionLevel level, const SentFrame& frame,
                                 SendBlockPool& pool) {
  Stream& stream = StreamOf(level);
  const std::optional<StreamRange> range = BufferedRange(stream, frame);
  if (!range.has_value()) return;
  stream.send->OnAcked(*range, pool);
  if (stream.send->unacked_bytes() != 0) return;
  stream.send_base_bytes += stream.send->written_end();
  stream.send = nullptr;
}

void CryptoStreams::OnFrameLost(EncryptionLevel level, const SentFrame& frame) {
  Stream& stream = StreamOf(level);
  if (const auto range = BufferedRange(stream, frame)) stream.send->OnLost(*range);
}

bool CryptoStreams::RequeueOldest(EncryptionLevel level) {
  if (level == EncryptionLevel::kZeroRtt) return false;
  Stream& stream = StreamOf(level);
  if (stream.send == nullptr) return false;
  const std::optional<StreamRange> oldest = stream.send->OldestUnacked(kMinInitialDatagramBytes);
  if (!oldest.has_value()) return false;
  stream.send->OnLost(*oldest);
  return true;
}

// ---- The end ----

void CryptoStreams::Release(Stream& stream, SendBlockPool& send_pool,
                            ReceiveBlockPool& receive_pool) {
  stream.is_discarded = true;
  if (stream.send != nullptr) stream.send->Reset(send_pool);
  if (stream.recv != nullptr) stream.recv->Discard(receive_pool);
  stream.send = nullptr;
  stream.recv = nullptr;
}

void CryptoStreams::DiscardLevel(EncryptionLevel level, SendBlockPool& send_pool,
                                 ReceiveBlockPool& receive_pool) {
  GODWIT_CHECK(level != EncryptionLevel::kOneRtt);
  // Nothing of CRYPTO is 0-RTT's; the stream of its space goes on.
  if (level == EncryptionLevel::kZeroRtt) return;
  Release(StreamOf(level), send_pool, receive_pool);
}

void CryptoStreams::ReleaseAll(SendBlockPool& send_pool, ReceiveBlockPool& receive_pool) {
  for (Stream& stream : streams_) Release(stream, send_pool, receive_pool);
}

uint64_t CryptoStreams::held_bytes() const {
  uint64_t held_bytes = 0;
  for (const Stream& stream : streams_) {
    if (stream.send != nullptr) held_bytes += stream.send->unacked_bytes();
    if (stream.recv != nullptr) held_bytes += stream.recv->allocated_bytes();
  }
  return held_bytes;
}

void CryptoStreams::CheckInvariants() const {
  for (const Stream& stream : streams_) {
    if (stream.is_discarded) {
      GODWIT_CHECK(stream.send == nullptr);
      GODWIT_CHECK(stream.recv == nullptr);
    }
    if (stream.send != nullptr) {
      stream.send->CheckInvariants();
      GODWIT_CHECK_GT(stream.send->unacked_bytes(), 0u);
      GODWIT_CHECK(!stream.send->is_finished());
    }
    if (stream.recv != nullptr) {
      stream.recv->CheckInvariants();
      GODWIT_CHECK_GT(stream.recv->buffered_bytes(), 0u);
      GODWIT_CHECK(!stream.recv->has_borrowed());
    }
  }
}

}  // namespace godwit
