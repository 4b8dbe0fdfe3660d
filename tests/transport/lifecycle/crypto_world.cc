// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/lifecycle/crypto_world.h"

#include <algorithm>
#include <optional>
#include <span>

#include "base/check.h"
#include "tests/transport/lifecycle/tls_session_pairs.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

constexpr int kMaxSteps = 200'000;
constexpr size_t kMaxPacketBytes = 1200;
constexpr uint8_t kDestinationCid[8] = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt};

}  // namespace

CryptoEnd::CryptoEnd(Perspective perspective, std::unique_ptr<TlsSession> tls_session)
    : session(std::move(tls_session)), keys(perspective, kDestinationCid) {
  Collect();
}

void CryptoEnd::Collect() {
  streams.CollectFrom(*session, send_pool);
  while (const std::optional<TlsSecret> secret = session->PollSecret()) keys.InstallSecret(*secret);
  keys.CheckInvariants();
}

void CryptoEnd::Receive(EncryptionLevel level, uint64_t offset, std::span<const uint8_t> data) {
  result =
      streams.OnCryptoFrame({offset, data}, level, *session, kTlsTime, send_pool, receive_pool);
  if (!result.ok()) return;
  streams.CheckInvariants();
  Collect();
}

bool CryptoWorld::HasPending(const CryptoEnd& end) const {
  return std::ranges::any_of(kLevels, [&](EncryptionLevel level) {
    return end.keys.CanSeal(level) && end.streams.HasPending(level);
  });
}

void CryptoWorld::WritePacket(CryptoEnd& from, CryptoEnd& to) {
  const EncryptionLevel level = kLevels[random_.UniformBelow(3)];
  if (!from.keys.CanSeal(level) || !from.streams.HasPending(level)) return;
  std::vector<uint8_t> payload(1 + random_.UniformBelow(kMaxPacketBytes));
  FrameWriter writer(payload, {.level = level, .mode = PacketMode::kNormal});
  from.streams.WriteFrames(writer);
  from.streams.CheckInvariants();
  if (!writer.has_frames()) return;
  FrameDecoder decoder(std::span<const uint8_t>(payload).first(writer.frames_size()), level,
                       Perspective::kClient);
  for (const SentFrame& sent : writer.sent_frames()) {
    godwit::Frame frame;
    GODWIT_CHECK(decoder.Next(&frame).ok());
    const auto& crypto = frame.As<CryptoFrame>();
    network_.push_back(
        {&from, &to, level, crypto.offset_bytes, {crypto.data.begin(), crypto.data.end()}, sent});
  }
}

void CryptoWorld::Deliver(const Frame& frame) {
  struct Piece {
    size_t begin;
    size_t size;
  };
  const size_t max_piece = IsLucky(50) ? frame.data.size() : 1 + random_.UniformBelow(40);
  std::vector<Piece> pieces;
  for (size_t begin = 0; begin < frame.data.size();) {
    const size_t size =
        std::min<size_t>(frame.data.size() - begin, 1 + random_.UniformBelow(max_piece));
    pieces.push_back({begin, size});
    begin += size;
  }
  for (size_t i = pieces.size(); i > 1; --i) {
    std::swap(pieces[i - 1], pieces[random_.UniformBelow(i)]);
  }
  for (const Piece& piece : pieces) {
    if (!frame.to->result.ok()) return;
    frame.to->Receive(frame.level, frame.offset + piece.begin,
                      std::span(frame.data).subspan(piece.begin, piece.size));
  }
}

void CryptoWorld::DecideFateOfOne() {
  const size_t index = random_.UniformBelow(network_.size());
  const Frame frame = network_[index];
  // A packet that comes before its keys is kept, or lost.
  const bool is_lost = IsLucky(25);
  if (!is_lost) {
    if (!frame.to->keys.CanOpen(frame.level)) return;
    Deliver(frame);
    if (IsLucky(20)) return;  // It comes once more.
  }
  network_.erase(network_.begin() + static_cast<ptrdiff_t>(index));
  if (is_lost || IsLucky(10)) {
    frame.from->streams.OnFrameLost(frame.level, frame.sent);
    if (is_lost || IsLucky(50)) return;
  }
  frame.from->streams.OnFrameAcked(frame.level, frame.sent, frame.from->send_pool);
  frame.from->streams.CheckInvariants();
}

bool CryptoWorld::Run() {
  for (int step = 0; step < kMaxSteps; ++step) {
    if (!client.result.ok() || !server.result.ok()) return true;
    if (network_.empty() && !HasPending(client) && !HasPending(server)) return true;
    if (IsLucky(50)) WritePacket(client, server);
    if (IsLucky(50)) WritePacket(server, client);
    if (!network_.empty()) DecideFateOfOne();
  }
  return false;
}

}  // namespace godwit
