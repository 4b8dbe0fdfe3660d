// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_sealer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/replay_store.h"

namespace godwit {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

constexpr UnixTime kIssued = UnixTime::FromSeconds(1'800'000'000);

SecretKey KeyFromSeed(uint64_t seed) {
  SeededRandom random(seed);
  return SecretKey::Generate(random);
}

TokenSealer SealerWith(std::vector<SecretKey> keys) { return TokenSealer::Create(keys).value(); }

SocketAddress Address(std::string_view text) { return SocketAddress::Parse(text).value(); }

ConnectionId Id(std::initializer_list<uint8_t> bytes) {
  return ConnectionId::FromBytes({bytes.begin(), bytes.size()}).value();
}

Bytes BytesOf(const SealedToken& token) { return {token.bytes().begin(), token.bytes().end()}; }

// A server with one key, a client, and what they exchange. Times are fixed.
class TokenSealerTest : public ::testing::Test {
 protected:
  Bytes SealNewToken() { return BytesOf(sealer_.SealNewToken(client_, kIssued, random_)); }
  Bytes SealRetry() {
    return BytesOf(sealer_.SealRetry({.client_address = client_,
                                      .original_destination_cid = original_cid_,
                                      .retry_source_cid = retry_cid_},
                                     kIssued, random_));
  }
  TokenBearer Bearer(int64_t seconds_later = 1) const {
    return {.address = client_,
            .destination_cid = retry_cid_,
            .unix_now = kIssued.PlusSeconds(seconds_later),
            .now = Timestamp::Zero() + Duration::Seconds(1'000 + seconds_later)};
  }
  TokenReason ReasonFor(std::span<const uint8_t> token, const TokenBearer& bearer) {
    return sealer_.Open(token, bearer, store_).reason;
  }

  SeededRandom random_{1};
  TokenSealer sealer_ = SealerWith({KeyFromSeed(100)});
  BoundedReplayStore store_{{.capacity = 1'000}, Timestamp::Zero(), random_};
  SocketAddress client_ = Address("192.0.2.7:4433");
  ConnectionId original_cid_ = Id({1, 2, 3, 4, 5, 6, 7, 8});
  ConnectionId retry_cid_ = Id({9, 9, 9});
};

TEST_F(TokenSealerTest, RetryTokenGivesTheConnectionIdsBack) {
  const TokenVerdict verdict = sealer_.Open(SealRetry(), Bearer(), store_);

  EXPECT_EQ(verdict.reason, TokenReason::kValid);
  EXPECT_EQ(verdict.purpose, TokenPurpose::kRetry);
  EXPECT_EQ(verdict.original_destination_cid, original_cid_);
  EXPECT_EQ(verdict.retry_source_cid, retry_cid_);
  EXPECT_EQ(verdict.action(), TokenAction::kAccept);
}

TEST_F(TokenSealerTest, NewTokenIsValidFromAnyPortAndToAnyConnectionId) {
  TokenBearer bearer = Bearer();
  bearer.address = Address("192.0.2.7:1");
  bearer.destination_cid = Id({77});

  const TokenVerdict verdict = sealer_.Open(SealNewToken(), bearer, store_);

  EXPECT_EQ(verdict.reason, TokenReason::kValid);
  EXPECT_EQ(verdict.purpose, TokenPurpose::kNewToken);
  EXPECT_TRUE(verdict.original_destination_cid.empty());
  EXPECT_EQ(verdict.action(), TokenAction::kAccept);
}

TEST_F(TokenSealerTest, SizesAreAsDocumented) {
  const Bytes twenty(20, 0xab);
  const ConnectionId longest = ConnectionId::FromBytes(twenty).value();

  const SealedToken largest = sealer_.SealRetry({client_, longest, longest}, kIssued, random_);
  const SealedToken smallest =
      sealer_.SealRetry({client_, ConnectionId(), ConnectionId()}, kIssued, random_);

  EXPECT_EQ(largest.bytes().size(), SealedToken::kMaxSize);
  EXPECT_EQ(smallest.bytes().size(), SealedToken::kMinRetrySize);
  EXPECT_EQ(SealNewToken().size(), SealedToken::kNewTokenSize);
  EXPECT_EQ(BytesOf(sealer_.SealNewToken(Address("[2001:db8::1]:1"), kIssued, random_)).size(),
            SealedToken::kNewTokenSize);
}

TEST_F(TokenSealerTest, TenThousandRandomTokensComeBackWhole) {
  for (int i = 0; i < 10'000; ++i) {
    std::array<uint8_t, 16> ip;
    random_.Fill(ip);
    const auto port = static_cast<uint16_t>(random_.UniformBelow(65'536));
    const auto scope = static_cast<uint32_t>(random_.UniformBelow(3));
    if (i % 3 == 0) ip[0] = 0xfe, ip[1] = 0x80;
    const SocketAddress address = i % 2 == 0
                                      ? SocketAddress::FromIpv6(ip, port, scope)
                                      : SocketAddress::FromIpv4(std::span(ip).first<4>(), port);
    std::array<uint8_t, 40> id_bytes;
    random_.Fill(id_bytes);
    const ConnectionId original =
        ConnectionId::FromBytes(std::span(id_bytes).first(random_.UniformBelow(21))).value();
    const ConnectionId retry =
        ConnectionId::FromBytes(std::span(id_bytes).last(random_.UniformBelow(21))).value();
    TokenBearer bearer = Bearer();
    bearer.address = address;
    bearer.destination_cid = retry;

    const TokenVerdict verdict = sealer_.Open(
        sealer_.SealRetry({address, original, retry}, kIssued, random_).bytes(), bearer, store_);

    ASSERT_EQ(verdict.reason, TokenReason::kValid) << address.ToString();
    ASSERT_EQ(verdict.original_destination_cid, original);
    ASSERT_EQ(verdict.retry_source_cid, retry);
  }
}

TEST_F(TokenSealerTest, EveryFlippedBitIsRefused) {
  for (const Bytes& token : {SealRetry(), SealNewToken()}) {
    for (size_t bit = 0; bit < 8 * token.size(); ++bit) {
      Bytes flipped = token;
      flipped[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));

      const TokenVerdict verdict = sealer_.Open(flipped, Bearer(), store_);

      // Marker, key id, everything else.
      const TokenReason expected = bit < 16   ? TokenReason::kMalformed
                                   : bit < 24 ? TokenReason::kUnknownKey
                                              : TokenReason::kForged;
      ASSERT_EQ(verdict.reason, expected) << "bit " << bit;
    }
    EXPECT_EQ(ReasonFor(token, Bearer()), TokenReason::kValid);
  }
}

TEST_F(TokenSealerTest, EveryTruncationAndEveryExtensionIsRefused) {
  for (const Bytes& token : {SealRetry(), SealNewToken()}) {
    for (size_t size = 0; size < token.size(); ++size) {
      EXPECT_NE(ReasonFor(std::span(token).first(size), Bearer()), TokenReason::kValid) << size;
    }
    Bytes extended = token;
    extended.push_back(0);
    EXPECT_NE(ReasonFor(extended, Bearer()), TokenReason::kValid);
  }
}

TEST_F(TokenSealerTest, MarkerOfTheOtherPurposeIsRefused) {
  const Bytes retry = SealRetry();
  Bytes new_token = SealNewToken();
  std::copy_n(retry.begin(), 2, new_token.begin());

  const TokenVerdict verdict = sealer_.Open(new_token, Bearer(), store_);

  EXPECT_EQ(verdict.reason, TokenReason::kMalformed);
  EXPECT_EQ(verdict.purpose, std::nullopt);
  EXPECT_EQ(verdict.action(), TokenAction::kIgnore);
}

TEST_F(TokenSealerTest, AnotherIpIsRefusedForBothPurposes) {
  TokenBearer bearer = Bearer();
  bearer.address = Address("192.0.2.8:4433");

  EXPECT_EQ(ReasonFor(SealRetry(), bearer), TokenReason::kWrongAddress);
  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kWrongAddress);
}

TEST_F(TokenSealerTest, AnotherPortIsRefusedForRetryOnly) {
  TokenBearer bearer = Bearer();
  bearer.address = Address("192.0.2.7:4434");

  EXPECT_EQ(ReasonFor(SealRetry(), bearer), TokenReason::kWrongAddress);
  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kValid);
}

TEST_F(TokenSealerTest, AnotherScopeOfALinkLocalAddressIsRefused) {
  client_ = Address("[fe80::1%2]:4433");
  TokenBearer bearer = Bearer();
  bearer.address = Address("[fe80::1%3]:4433");

  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kWrongAddress);
}

TEST_F(TokenSealerTest, Ipv4MappedAddressIsTheSameClient) {
  TokenBearer bearer = Bearer();
  bearer.address = Address("[::ffff:192.0.2.7]:4433");

  EXPECT_EQ(ReasonFor(SealRetry(), bearer), TokenReason::kValid);
  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kValid);
}

TEST_F(TokenSealerTest, RetryTokenSentToAnotherConnectionIdIsRefused) {
  TokenBearer bearer = Bearer();
  bearer.destination_cid = original_cid_;

  const TokenVerdict verdict = sealer_.Open(SealRetry(), bearer, store_);

  EXPECT_EQ(verdict.reason, TokenReason::kWrongConnectionId);
  EXPECT_TRUE(verdict.original_destination_cid.empty());
}

TEST_F(TokenSealerTest, LifetimesEndAtTheirSecond) {
  const TokenLifetimes lifetimes;

  EXPECT_EQ(ReasonFor(SealRetry(), Bearer(lifetimes.retry_seconds - 1)), TokenReason::kValid);
  EXPECT_EQ(ReasonFor(SealRetry(), Bearer(lifetimes.retry_seconds)), TokenReason::kExpired);
  EXPECT_EQ(ReasonFor(SealNewToken(), Bearer(lifetimes.new_token_seconds - 1)),
            TokenReason::kValid);
  EXPECT_EQ(ReasonFor(SealNewToken(), Bearer(lifetimes.new_token_seconds)), TokenReason::kExpired);
}

TEST_F(TokenSealerTest, TokenFromTheFutureIsAcceptedWithinTheClockSkewOnly) {
  const TokenLifetimes lifetimes;

  EXPECT_EQ(ReasonFor(SealRetry(), Bearer(-lifetimes.clock_skew_seconds)), TokenReason::kValid);
  EXPECT_EQ(ReasonFor(SealRetry(), Bearer(-lifetimes.clock_skew_seconds - 1)),
            TokenReason::kFromFuture);
  EXPECT_EQ(ReasonFor(SealNewToken(), Bearer(-lifetimes.clock_skew_seconds - 1)),
            TokenReason::kFromFuture);
}

TEST_F(TokenSealerTest, EndsOfTimeAreNoTrap) {
  TokenBearer bearer = Bearer();

  bearer.unix_now = UnixTime::FromSeconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kExpired);
  bearer.unix_now = UnixTime::FromSeconds(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(ReasonFor(SealNewToken(), bearer), TokenReason::kFromFuture);
}

TEST_F(TokenSealerTest, NewTokenIsValidOnce) {
  const Bytes token = SealNewToken();

  EXPECT_EQ(ReasonFor(token, Bearer()), TokenReason::kValid);
  const TokenVerdict second = sealer_.Open(token, Bearer(2), store_);

  EXPECT_EQ(second.reason, TokenReason::kReplayed);
  EXPECT_EQ(second.action(), TokenAction::kIgnore);
  EXPECT_EQ(ReasonFor(SealNewToken(), Bearer(3)), TokenReason::kValid);
}

TEST_F(TokenSealerTest, NewTokenIsRememberedAsLongAsItCouldBeAccepted) {
  const Bytes token = SealNewToken();
  const int64_t last_second = TokenLifetimes{}.new_token_seconds - 1;

  EXPECT_EQ(ReasonFor(token, Bearer(-TokenLifetimes{}.clock_skew_seconds)), TokenReason::kValid);

  EXPECT_EQ(ReasonFor(token, Bearer(last_second)), TokenReason::kReplayed);
}

TEST_F(TokenSealerTest, WallClockSetBackRevivesNoToken) {
  const Bytes token = SealNewToken();
  const TokenBearer at_the_end = Bearer(TokenLifetimes{}.new_token_seconds - 1);
  EXPECT_EQ(ReasonFor(token, at_the_end), TokenReason::kValid);
  TokenBearer set_back = at_the_end;
  set_back.unix_now = at_the_end.unix_now.PlusSeconds(-30);
  set_back.now = at_the_end.now + Duration::Seconds(5);

  EXPECT_EQ(ReasonFor(token, set_back), TokenReason::kReplayed);
}

TEST_F(TokenSealerTest, StrangerCannotUseUpAToken) {
  const Bytes token = SealNewToken();
  TokenBearer stranger = Bearer();
  stranger.address = Address("203.0.113.1:4433");

  EXPECT_EQ(ReasonFor(token, stranger), TokenReason::kWrongAddress);

  EXPECT_EQ(ReasonFor(token, Bearer()), TokenReason::kValid);
}

// RFC 9000 §17.2.5.3: every Initial of the client repeats the token.
TEST_F(TokenSealerTest, RetryTokenMayBeRepeated) {
  const Bytes token = SealRetry();

  EXPECT_EQ(ReasonFor(token, Bearer(1)), TokenReason::kValid);
  EXPECT_EQ(ReasonFor(token, Bearer(2)), TokenReason::kValid);
}

TEST_F(TokenSealerTest, StoreThatCannotTellRefusesNewTokensButNotRetry) {
  BoundedReplayStore store({.capacity = 10, .trusted_from = Timestamp::Infinite()},
                           Timestamp::Zero(), random_);

  EXPECT_EQ(sealer_.Open(SealNewToken(), Bearer(), store).reason, TokenReason::kReplayed);
  EXPECT_EQ(sealer_.Open(SealRetry(), Bearer(), store).reason, TokenReason::kValid);
}

TEST_F(TokenSealerTest, TokensOutliveARestartWithTheSameKeys) {
  const Bytes retry = SealRetry();
  const Bytes new_token = SealNewToken();

  const TokenSealer restarted = SealerWith({KeyFromSeed(100)});

  EXPECT_EQ(restarted.Open(retry, Bearer(), store_).reason, TokenReason::kValid);
  EXPECT_EQ(restarted.Open(new_token, Bearer(), store_).reason, TokenReason::kValid);
}

TEST_F(TokenSealerTest, RotatedOutKeyIsUnknown) {
  const Bytes retry = SealRetry();
  const Bytes new_token = SealNewToken();

  const TokenSealer rotated = SealerWith({KeyFromSeed(200)});

  EXPECT_EQ(rotated.Open(new_token, Bearer(), store_).reason, TokenReason::kUnknownKey);
  EXPECT_EQ(rotated.Open(new_token, Bearer(), store_).action(), TokenAction::kIgnore);
  EXPECT_EQ(rotated.Open(retry, Bearer(), store_).reason, TokenReason::kUnknownKey);
  EXPECT_EQ(rotated.Open(retry, Bearer(), store_).action(), TokenAction::kCloseInvalid);
}

TEST_F(TokenSealerTest, OlderKeysOpenAndTheFirstSeals) {
  const Bytes old_token = SealNewToken();
  const TokenSealer both = SealerWith({KeyFromSeed(200), KeyFromSeed(100)});
  const TokenSealer only_new = SealerWith({KeyFromSeed(200)});

  const Bytes new_token = BytesOf(both.SealNewToken(client_, kIssued, random_));

  EXPECT_EQ(both.Open(old_token, Bearer(), store_).reason, TokenReason::kValid);
  EXPECT_EQ(only_new.Open(new_token, Bearer(), store_).reason, TokenReason::kValid);
}

TEST_F(TokenSealerTest, KeysOfEqualIdBothOpen) {
  // Among 300 keys two have the same one-byte id, whatever the seed.
  constexpr size_t kIdAt = 2;
  const uint8_t id = SealNewToken()[kIdAt];
  uint64_t seed = 101;
  while (BytesOf(SealerWith({KeyFromSeed(seed)}).SealNewToken(client_, kIssued, random_))[kIdAt] !=
         id) {
    ASSERT_LT(++seed, 10'000);
  }
  const Bytes token = SealNewToken();

  const TokenSealer twins = SealerWith({KeyFromSeed(seed), KeyFromSeed(100)});
  const TokenSealer stranger = SealerWith({KeyFromSeed(seed)});

  EXPECT_EQ(twins.Open(token, Bearer(), store_).reason, TokenReason::kValid);
  EXPECT_EQ(stranger.Open(token, Bearer(), store_).reason, TokenReason::kForged);
}

TEST_F(TokenSealerTest, EveryTokenIsUnique) {
  std::set<Bytes> tokens;

  for (int i = 0; i < 10'000; ++i) tokens.insert(SealNewToken());

  EXPECT_EQ(tokens.size(), 10'000);
}

TEST_F(TokenSealerTest, AddressIsNotReadable) {
  const std::span<const uint8_t> ip = client_.ip();

  const Bytes token = SealNewToken();

  EXPECT_EQ(std::search(token.begin(), token.end(), ip.begin(), ip.end()), token.end());
}

TEST_F(TokenSealerTest, ForeignTokenIsIgnored) {
  for (const size_t size : {size_t{0}, size_t{1}, SealedToken::kNewTokenSize,
                            SealedToken::kMinRetrySize, size_t{1'000}}) {
    const TokenVerdict verdict = sealer_.Open(Bytes(size, 0x5a), Bearer(), store_);

    EXPECT_EQ(verdict.reason, TokenReason::kMalformed);
    EXPECT_EQ(verdict.action(), TokenAction::kIgnore);
  }
}

TEST_F(TokenSealerTest, InvalidRetryTokenClosesAndInvalidNewTokenDoesNot) {
  EXPECT_EQ(sealer_.Open(SealRetry(), Bearer(1'000), store_).action(), TokenAction::kCloseInvalid);
  EXPECT_EQ(sealer_.Open(SealNewToken(), Bearer(1'000'000), store_).action(), TokenAction::kIgnore);
}

// Tokens of an older godwit are with clients when a newer one starts with the same keys: a change
// of layout or key derivation must come with new markers, and then this token is kMalformed. It was
// made by an independent implementation of RFC 5869 and RFC 8452.
TEST_F(TokenSealerTest, LayoutStaysTheSameAcrossVersionsOfGodwit) {
  const SecretKey key(std::array<uint8_t, SecretKey::kSize>{1, 2, 3});
  const Bytes token = {0x9d, 0x51, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
                       0xaa, 0xab, 0x8f, 0x14, 0x8a, 0x37, 0xfa, 0xcf, 0x51, 0x7f, 0x29, 0xc6, 0x90,
                       0x2d, 0x70, 0xd7, 0x5a, 0x98, 0xe5, 0xcd, 0x5d, 0x49, 0x11, 0x0b, 0x43, 0x3f,
                       0x70, 0xcf, 0x3b, 0x60, 0x26, 0x8b, 0x97, 0x9c, 0x91, 0x75, 0x9c, 0xc7, 0x92,
                       0xb9, 0x7a, 0x06, 0x1f, 0x71, 0x09, 0xd0, 0xdd, 0x0f, 0x95, 0x58, 0x30, 0x5c,
                       0xc9, 0xb5, 0xcd, 0x4b, 0x95, 0xba, 0x3c, 0x4b, 0x33};

  const TokenVerdict verdict = SealerWith({key}).Open(token, Bearer(), store_);

  EXPECT_EQ(verdict.reason, TokenReason::kValid);
  EXPECT_EQ(verdict.original_destination_cid, original_cid_);
}

TEST(TokenSealerConfigTest, NoKeysAndTooManyKeysAreRefused) {
  const std::vector<SecretKey> nine(TokenSealer::kMaxKeys + 1, KeyFromSeed(1));

  EXPECT_THAT(TokenSealer::Create({}).status().message(), HasSubstr("give at least 1"));
  EXPECT_THAT(TokenSealer::Create(nine).status().message(), HasSubstr("at most 8"));
}

TEST(TokenSealerConfigTest, LifetimesOutOfRangeAreRefused) {
  const std::vector<SecretKey> keys = {KeyFromSeed(1)};
  const int64_t too_long = TokenLifetimes::kMaxSeconds + 1;

  EXPECT_EQ(TokenSealer::Create(keys, {.retry_seconds = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(TokenSealer::Create(keys, {.new_token_seconds = too_long}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(TokenSealer::Create(keys, {.clock_skew_seconds = -1}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TokenReasonTest, EveryReasonHasItsOwnWords) {
  std::set<std::string_view> words;

  for (int i = 0; i <= static_cast<int>(TokenReason::kReplayed); ++i) {
    words.insert(ToText(static_cast<TokenReason>(i)));
  }

  EXPECT_EQ(words.size(), static_cast<size_t>(TokenReason::kReplayed) + 1);
}

}  // namespace
}  // namespace godwit
