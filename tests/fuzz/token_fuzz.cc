// SPDX-License-Identifier: Apache-2.0
//
// Opens address validation tokens. The first byte of an input says what the rest is:
//   0  the token itself, as a stranger would send it;
//   1  after a byte for the purpose (odd: Retry), the contents of a token that is then sealed with
//      the right key, to get behind the authentication;
//   2  a mask that is laid over a valid token: valid again only if it is all zero.
// tests/fuzz/make_token_corpus.py makes the seed corpus.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/replay_store.h"
#include "crypto/secret_key.h"
#include "crypto/token_sealer.h"

namespace godwit {
namespace {

constexpr UnixTime kIssued = UnixTime::FromSeconds(1'800'000'000);
constexpr size_t kHeaderSize = 3;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;

struct Server {
  SeededRandom random{1};
  SecretKey key = SecretKey::Generate(random);
  TokenSealer sealer = TokenSealer::Create({&key, 1}).value();
  SocketAddress client = SocketAddress::Parse("192.0.2.7:4433").value();
  ConnectionId retry_cid;
  std::vector<uint8_t> retry_token = Copy(sealer.SealRetry({client, {}, {}}, kIssued, random));
  std::vector<uint8_t> new_token = Copy(sealer.SealNewToken(client, kIssued, random));
  bssl::ScopedEVP_AEAD_CTX aead;

  Server() {
    std::array<uint8_t, 16> aead_key;
    key.Derive("godwit token key", aead_key);
    GODWIT_CHECK_EQ(EVP_AEAD_CTX_init(aead.get(), EVP_aead_aes_128_gcm_siv(), aead_key.data(),
                                      aead_key.size(), kTagSize, nullptr),
                    1);
  }

  static std::vector<uint8_t> Copy(const SealedToken& token) {
    return {token.bytes().begin(), token.bytes().end()};
  }

  TokenVerdict Open(std::span<const uint8_t> token) {
    BoundedReplayStore store({.capacity = 1}, Timestamp::Zero(), random);
    const TokenVerdict verdict =
        sealer.Open(token, {client, retry_cid, kIssued.PlusSeconds(1), Timestamp::Zero()}, store);
    GODWIT_CHECK_EQ(verdict.purpose.has_value(), verdict.reason != TokenReason::kMalformed);
    GODWIT_CHECK(verdict.reason == TokenReason::kValid || verdict.original_destination_cid.empty());
    return verdict;
  }

  std::vector<uint8_t> SealContents(bool is_retry, std::span<const uint8_t> contents) {
    const std::vector<uint8_t>& example = is_retry ? retry_token : new_token;
    std::vector<uint8_t> token(kHeaderSize + kNonceSize + contents.size() + kTagSize);
    std::copy_n(example.begin(), kHeaderSize, token.begin());
    const std::span<uint8_t> sealed = std::span(token).subspan(kHeaderSize + kNonceSize);
    size_t size = 0;
    GODWIT_CHECK_EQ(EVP_AEAD_CTX_seal(aead.get(), sealed.data(), &size, sealed.size(),
                                      token.data() + kHeaderSize, kNonceSize, contents.data(),
                                      contents.size(), token.data(), kHeaderSize),
                    1);
    return token;
  }
};

void OpenMasked(Server& server, std::vector<uint8_t> token, std::span<const uint8_t> mask) {
  const size_t size = std::min(mask.size(), token.size());
  for (size_t i = 0; i < size; ++i) token[i] ^= mask[i];
  const bool is_whole = std::ranges::all_of(mask.first(size), [](uint8_t b) { return b == 0; });
  GODWIT_CHECK_EQ(server.Open(token).reason == TokenReason::kValid, is_whole);
}

void RunOne(std::span<const uint8_t> data) {
  static Server& server = *new Server;
  if (data.empty()) return;
  const uint8_t kind = data[0];
  const std::span<const uint8_t> rest = data.subspan(1);
  if (kind == 0) {
    // Nobody finds a valid token by chance.
    GODWIT_CHECK(server.Open(rest).reason != TokenReason::kValid);
  } else if (kind == 1 && !rest.empty()) {
    const TokenVerdict verdict =
        server.Open(server.SealContents(rest[0] % 2 == 1, rest.subspan(1)));
    GODWIT_CHECK(verdict.reason != TokenReason::kForged);
    GODWIT_CHECK(verdict.reason != TokenReason::kUnknownKey);
  } else if (kind == 2) {
    OpenMasked(server, server.retry_token, rest);
    OpenMasked(server, server.new_token, rest);
  }
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  godwit::RunOne({data, size});
  return 0;
}
