// SPDX-License-Identifier: Apache-2.0
#include "crypto/stateless_reset_key.h"

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

SecretKey KeyFromSeed(uint64_t seed) {
  SeededRandom random(seed);
  return SecretKey::Generate(random);
}

ConnectionId IdOf(std::span<const uint8_t> bytes) { return ConnectionId::FromBytes(bytes).value(); }

std::vector<uint8_t> BytesOf(const StatelessResetToken& token) {
  return {token.bytes().begin(), token.bytes().end()};
}

TEST(StatelessResetKeyTest, SameKeyGivesSameTokenAfterARestart) {
  const ConnectionId id = IdOf(std::array<uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8});

  const StatelessResetToken before = StatelessResetKey(KeyFromSeed(1)).TokenFor(id);
  const StatelessResetToken after = StatelessResetKey(KeyFromSeed(1)).TokenFor(id);

  EXPECT_TRUE(before == after);
}

TEST(StatelessResetKeyTest, TokensStayTheSameAcrossVersionsOfGodwit) {
  const SecretKey key(std::array<uint8_t, SecretKey::kSize>{1, 2, 3});
  const ConnectionId id = IdOf(std::array<uint8_t, 8>{0xc0, 0xff, 0xee, 0, 1, 2, 3, 4});

  const std::vector<uint8_t> token = BytesOf(StatelessResetKey(key).TokenFor(id));

  EXPECT_EQ(token, std::vector<uint8_t>({0x40, 0x0f, 0xbe, 0x79, 0x60, 0x90, 0x54, 0xd3, 0x91, 0xc0,
                                         0x40, 0x98, 0xd7, 0xbf, 0x7c, 0xa1}));
}

TEST(StatelessResetKeyTest, AnotherKeyGivesAnotherToken) {
  const ConnectionId id = IdOf(std::array<uint8_t, 1>{7});

  const StatelessResetToken one = StatelessResetKey(KeyFromSeed(1)).TokenFor(id);
  const StatelessResetToken other = StatelessResetKey(KeyFromSeed(2)).TokenFor(id);

  EXPECT_FALSE(one == other);
}

// RFC 9000 §10.3.2: the same token must not stand for two connection ids. Here they are prefixes of
// each other, which a careless encoding would take for one.
TEST(StatelessResetKeyTest, EveryConnectionIdHasItsOwnToken) {
  const StatelessResetKey key(KeyFromSeed(3));
  const std::array<uint8_t, ConnectionId::kMaxSize> ones = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  std::set<std::vector<uint8_t>> tokens;

  for (size_t size = 1; size <= ones.size(); ++size) {
    tokens.insert(BytesOf(key.TokenFor(IdOf(std::span(ones).first(size)))));
  }

  EXPECT_EQ(tokens.size(), ones.size());
}

TEST(StatelessResetKeyDeathTest, EmptyConnectionIdIsOurMistake) {
  const StatelessResetKey key(KeyFromSeed(3));

  EXPECT_DEATH(key.TokenFor(ConnectionId()), "empty");
}

}  // namespace
}  // namespace godwit
