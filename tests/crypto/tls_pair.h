// SPDX-License-Identifier: Apache-2.0
//
// A client's and a server's TlsSession joined in memory, as two QUIC connections would join them:
// CRYPTO bytes travel in pieces, cut and shuffled if asked, are put in order by level, and wait for
// the level's recv secret.
#ifndef GODWIT_TESTS_CRYPTO_TLS_PAIR_H_
#define GODWIT_TESTS_CRYPTO_TLS_PAIR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/encryption_level.h"
#include "base/environment.h"
#include "base/result.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {

inline constexpr TlsTime kTestTime = {Timestamp::FromNanoseconds(1'000'000'000'000), kTestNow};

// The same moment's two clocks, later.
constexpr TlsTime After(int64_t seconds) {
  return {kTestTime.now + Duration::Seconds(seconds), kTestTime.wall.PlusSeconds(seconds)};
}

// A piece of a CRYPTO stream.
struct CryptoPiece {
  EncryptionLevel level;
  size_t offset;
  std::vector<uint8_t> bytes;
};

// One of the two ends.
class TlsEnd {
 public:
  explicit TlsEnd(std::unique_ptr<TlsSession> session) : session_(std::move(session)) {}

  TlsSession& session() { return *session_; }
  // Of no use afterwards.
  std::unique_ptr<TlsSession> TakeSession() { return std::move(session_); }
  Result result() const { return result_; }
  std::string reason() const { return std::string(session_->failure_reason()); }
  const std::vector<TlsSecret>& secrets() const { return secrets_; }
  // What came out, in order: "send 1rtt", "recv handshake", "bytes initial".
  const std::vector<std::string>& story() const { return story_; }

  std::optional<TlsSecret> Secret(EncryptionLevel level, SecretDirection direction) const;

  // Takes everything that is pending. `max_piece`: bytes of a piece, drawn from 1 to that with
  // `random`, or all of a level in one piece without.
  std::vector<CryptoPiece> TakePieces(Random* random, size_t max_piece);

  void OnPiece(const CryptoPiece& piece, TlsTime time);

 private:
  struct Inbox {
    std::map<size_t, std::vector<uint8_t>> pieces;
    size_t delivered = 0;
  };

  void Drain();
  void Deliver(TlsTime time);

  std::unique_ptr<TlsSession> session_;
  Result result_ = Result::Ok();
  std::vector<TlsSecret> secrets_;
  std::vector<std::string> story_;
  std::array<std::vector<uint8_t>, kEncryptionLevelCount> outgoing_;
  std::array<size_t, kEncryptionLevelCount> sent_ = {};
  std::array<Inbox, kEncryptionLevelCount> inboxes_;
};

struct TlsPair {
  TlsEnd client;
  TlsEnd server;

  // Until nothing more comes out, or one side fails. Shuffled if there is a `random`.
  void Run(Random* random = nullptr, TlsTime time = kTestTime);
};

}  // namespace godwit

#endif  // GODWIT_TESTS_CRYPTO_TLS_PAIR_H_
