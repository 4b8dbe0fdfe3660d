// SPDX-License-Identifier: Apache-2.0
#include "tests/crypto/tls_pair.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace godwit {
namespace {

constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt,
                                       EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt};

std::string Event(std::string_view what, EncryptionLevel level) {
  return std::string(what) + " " + std::string(ToString(level));
}

void Shuffle(std::vector<CryptoPiece>& pieces, Random& random) {
  for (size_t i = pieces.size(); i > 1; --i) {
    std::swap(pieces[i - 1], pieces[random.UniformBelow(i)]);
  }
}

}  // namespace

std::optional<TlsSecret> TlsEnd::Secret(EncryptionLevel level, SecretDirection direction) const {
  for (const TlsSecret& secret : secrets_) {
    if (secret.level == level && secret.direction == direction) return secret;
  }
  return std::nullopt;
}

void TlsEnd::Drain() {
  while (const std::optional<TlsSecret> secret = session_->PollSecret()) {
    story_.push_back(
        Event(secret->direction == SecretDirection::kSend ? "send" : "recv", secret->level));
    secrets_.push_back(*secret);
  }
  for (const EncryptionLevel level : kLevels) {
    // In two steps, to see that the rest stays.
    for (int step = 0; step < 2; ++step) {
      const std::span<const uint8_t> pending = session_->PendingCryptoData(level);
      if (pending.empty()) continue;
      const size_t taken = step == 0 ? (pending.size() + 1) / 2 : pending.size();
      if (step == 0) story_.push_back(Event("bytes", level));
      std::vector<uint8_t>& out = outgoing_[static_cast<size_t>(level)];
      out.insert(out.end(), pending.begin(), pending.begin() + static_cast<ptrdiff_t>(taken));
      session_->ConsumeCryptoData(level, taken);
    }
  }
}

std::vector<CryptoPiece> TlsEnd::TakePieces(Random* random, size_t max_piece) {
  Drain();
  std::vector<CryptoPiece> pieces;
  for (const EncryptionLevel level : kLevels) {
    std::vector<uint8_t> bytes = std::exchange(outgoing_[static_cast<size_t>(level)], {});
    size_t& sent = sent_[static_cast<size_t>(level)];
    std::span<const uint8_t> rest(bytes);
    while (!rest.empty()) {
      const size_t length =
          random == nullptr ? rest.size()
                            : std::min<size_t>(rest.size(), 1 + random->UniformBelow(max_piece));
      pieces.push_back(
          {level, sent, {rest.begin(), rest.begin() + static_cast<ptrdiff_t>(length)}});
      sent += length;
      rest = rest.subspan(length);
    }
  }
  return pieces;
}

void TlsEnd::OnPiece(const CryptoPiece& piece, TlsTime time) {
  inboxes_[static_cast<size_t>(piece.level)].pieces[piece.offset] = piece.bytes;
  Deliver(time);
}

void TlsEnd::Deliver(TlsTime time) {
  for (const EncryptionLevel level : kLevels) {
    Inbox& inbox = inboxes_[static_cast<size_t>(level)];
    // RFC 9001 §4.1.3: what comes early is kept until TLS gets to that level.
    while (result_.ok() && !inbox.pieces.empty() &&
           inbox.pieces.begin()->first == inbox.delivered &&
           (level == EncryptionLevel::kInitial || Secret(level, SecretDirection::kRecv))) {
      const std::vector<uint8_t> bytes = std::move(inbox.pieces.begin()->second);
      inbox.pieces.erase(inbox.pieces.begin());
      inbox.delivered += bytes.size();
      result_ = session_->ProvideCryptoData(level, bytes, time);
      Drain();
    }
  }
}

void TlsPair::Run(Random* random, TlsTime time) {
  while (client.result().ok() && server.result().ok()) {
    bool moved = false;
    for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
      std::vector<CryptoPiece> pieces = from->TakePieces(random, 200);
      if (random != nullptr) Shuffle(pieces, *random);
      for (const CryptoPiece& piece : pieces) to->OnPiece(piece, time);
      moved = moved || !pieces.empty();
    }
    if (!moved) return;
  }
}

}  // namespace godwit
