// SPDX-License-Identifier: Apache-2.0
//
// TlsOutbox: what a TLS session has made and its owner has not taken yet: CRYPTO bytes by
// encryption level, and secrets in the order in which they were made.
//
// It allocates while a handshake runs and gives the memory back when it is drained, because most
// connections live far longer than their handshakes.
#ifndef GODWIT_CRYPTO_TLS_OUTBOX_H_
#define GODWIT_CRYPTO_TLS_OUTBOX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
#include "crypto/tls_session.h"

namespace godwit {

class TlsOutbox {
 public:
  void AppendCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes) {
    Stream& stream = At(level);
    stream.bytes.insert(stream.bytes.end(), bytes.begin(), bytes.end());
  }

  std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const {
    const Stream& stream = streams_[static_cast<size_t>(level)];
    return std::span(stream.bytes).subspan(stream.consumed);
  }

  void ConsumeCryptoData(EncryptionLevel level, size_t bytes) {
    GODWIT_CHECK_LE(bytes, PendingCryptoData(level).size());
    Stream& stream = At(level);
    stream.consumed += bytes;
    if (stream.consumed == stream.bytes.size()) stream = Stream();
  }

  void PushSecret(EncryptionLevel level, SecretDirection direction, const TrafficSecret& secret) {
    secrets_.push_back({level, direction, secret});
  }

  std::optional<TlsSecret> PollSecret() {
    if (secrets_polled_ == secrets_.size()) return std::nullopt;
    std::optional<TlsSecret> secret = secrets_[secrets_polled_++];
    if (secrets_polled_ == secrets_.size()) {
      secrets_ = std::vector<TlsSecret>();
      secrets_polled_ = 0;
    }
    return secret;
  }

 private:
  struct Stream {
    std::vector<uint8_t> bytes;
    size_t consumed = 0;
  };

  Stream& At(EncryptionLevel level) { return streams_[static_cast<size_t>(level)]; }

  std::array<Stream, kEncryptionLevelCount> streams_;
  std::vector<TlsSecret> secrets_;
  size_t secrets_polled_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_OUTBOX_H_
