// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: handshakes that were damaged on their way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

constexpr int kMutations = 2000;

// Flips, removes, inserts or repeats a few of `bytes`; always changes something.
void Mutate(std::vector<uint8_t>& bytes, SeededRandom& random) {
  const size_t at = random.UniformBelow(bytes.size());
  const auto here = bytes.begin() + static_cast<ptrdiff_t>(at);
  const size_t length = 1 + random.UniformBelow(std::min<size_t>(bytes.size() - at, 8));
  switch (random.UniformBelow(4)) {
    case 0:
      *here ^= static_cast<uint8_t>(1 + random.UniformBelow(255));
      break;
    case 1:
      bytes.erase(here, here + static_cast<ptrdiff_t>(length));
      break;
    case 2:
      bytes.insert(here, length, static_cast<uint8_t>(random.UniformBelow(256)));
      break;
    case 3:
      *here = static_cast<uint8_t>(*here + 1);
      break;
  }
}

// What an end may close with. Never our own mistakes.
void ExpectBlamesThePeer(const TlsEnd& end) {
  if (end.result().ok()) return;
  const TransportErrorCode code = end.result().error().code;
  EXPECT_TRUE(code > MakeCryptoError(0) || code == TransportErrorCode::kProtocolViolation ||
              code == TransportErrorCode::kCryptoBufferExceeded)
      << static_cast<uint64_t>(code);
  EXPECT_NE(code, MakeCryptoError(80)) << end.reason();
  EXPECT_FALSE(end.reason().empty());
}

bool IsComplete(TlsEnd& end) {
  return end.result().ok() && end.session().facts().handshake_complete;
}

// One handshake whose `target`th piece is damaged. Returns the level of that piece.
EncryptionLevel RunDamaged(TlsPair& pair, size_t target, SeededRandom& random) {
  EncryptionLevel damaged_level = EncryptionLevel::kZeroRtt;
  size_t index = 0;
  for (int round = 0; round < 4; ++round) {
    for (auto [from, to] :
         {std::pair(&pair.client, &pair.server), std::pair(&pair.server, &pair.client)}) {
      for (CryptoPiece& piece : from->TakePieces(nullptr, 0)) {
        if (index++ == target) {
          damaged_level = piece.level;
          Mutate(piece.bytes, random);
        }
        // Emptied pieces are none; what follows them never fits.
        if (!piece.bytes.empty()) to->OnPiece(piece, kTestTime);
      }
    }
  }
  return damaged_level;
}

class TlsCorruptionTest : public ::testing::TestWithParam<bool> {};

TEST_P(TlsCorruptionTest, DamagedHandshakesNeverCompleteAndNeverCrash) {
  const bool mutual_and_resumed = GetParam();
  TlsEndpoints endpoints;
  endpoints.client_config.offer_early_data = mutual_and_resumed;
  endpoints.server_config.accept_early_data = mutual_and_resumed;
  if (mutual_and_resumed) {
    endpoints.server_config.client_verification =
        PeerVerification::Authorities({endpoints.root().Source()});
    endpoints.client_config.certificate =
        endpoints.root().Issue({.common_name = "client"}).Config();
  }
  SeededRandom random(11);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const bool with_ticket = mutual_and_resumed && i % 2 == 0;
    TlsPair pair = endpoints.MakePair(with_ticket ? endpoints.Ticket() : std::vector<uint8_t>());

    const EncryptionLevel level = RunDamaged(pair, random.UniformBelow(4), random);

    ExpectBlamesThePeer(pair.client);
    ExpectBlamesThePeer(pair.server);
    // Of the tickets, QUIC's packet protection takes care.
    if (level != EncryptionLevel::kOneRtt) {
      EXPECT_FALSE(IsComplete(pair.client) && IsComplete(pair.server)) << "mutation " << i;
    }
    refused += pair.client.result().ok() && pair.server.result().ok() ? 0 : 1;
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  // The others wait for bytes that a damaged length promises, or are damaged tickets.
  EXPECT_GT(refused, kMutations / 2);
}

INSTANTIATE_TEST_SUITE_P(All, TlsCorruptionTest, ::testing::Bool());

TEST(TlsTruncationTest, HandshakesThatEndEarlyWait) {
  TlsEndpoints endpoints;
  TlsPair whole = endpoints.MakePair();
  const CryptoPiece hello = whole.client.TakePieces(nullptr, 0).at(0);
  for (size_t length = 1; length < hello.bytes.size(); ++length) {
    TlsPair pair = endpoints.MakePair();
    const CryptoPiece cut = {
        hello.level,
        0,
        {hello.bytes.begin(), hello.bytes.begin() + static_cast<ptrdiff_t>(length)}};

    pair.server.OnPiece(cut, kTestTime);

    EXPECT_TRUE(pair.server.result().ok()) << length;
    EXPECT_TRUE(pair.server.story().empty()) << length;
  }
}

}  // namespace
}  // namespace godwit
