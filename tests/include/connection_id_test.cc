// SPDX-License-Identifier: Apache-2.0
#include "godwit/connection_id.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace godwit {
namespace {

std::vector<uint8_t> CountingBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<uint8_t>(i + 1);
  }
  return bytes;
}

ConnectionId IdOf(const std::vector<uint8_t>& bytes) {
  return ConnectionId::FromBytes(bytes).value();
}

constexpr std::array<uint8_t, 3> kThreeBytes = {1, 2, 3};

static_assert(std::is_trivially_copyable_v<ConnectionId>);
static_assert(ConnectionId::FromBytes(kThreeBytes)->size() == 3);
static_assert(ConnectionId::FromBytes(kThreeBytes) == ConnectionId::FromBytes(kThreeBytes));
static_assert(std::is_trivially_copyable_v<StatelessResetToken>);
static_assert(StatelessResetToken() == StatelessResetToken());

// A hash set would give away through its timing how far two secrets agree.
template <typename T>
concept Hashable = std::is_default_constructible_v<absl::Hash<T>>;
static_assert(Hashable<ConnectionId> && !Hashable<StatelessResetToken>);

TEST(ConnectionIdTest, DefaultIsEmpty) {
  const ConnectionId id;

  EXPECT_TRUE(id.empty());
  EXPECT_EQ(id.size(), 0u);
  EXPECT_TRUE(id.bytes().empty());
  EXPECT_EQ(id, ConnectionId::FromBytes({}));
}

TEST(ConnectionIdTest, ZeroToTwentyBytesAreKept) {
  for (size_t size = 0; size <= 20; ++size) {
    const std::vector<uint8_t> bytes = CountingBytes(size);

    const std::optional<ConnectionId> id = ConnectionId::FromBytes(bytes);

    ASSERT_TRUE(id.has_value()) << size;
    EXPECT_EQ(id->size(), size);
    EXPECT_EQ(id->empty(), size == 0);
    EXPECT_EQ(std::vector<uint8_t>(id->bytes().begin(), id->bytes().end()), bytes);
  }
}

TEST(ConnectionIdTest, TwentyOneBytesAreRefused) {
  EXPECT_EQ(ConnectionId::FromBytes(CountingBytes(21)), std::nullopt);
  EXPECT_EQ(ConnectionId::FromBytes(CountingBytes(255)), std::nullopt);
}

TEST(ConnectionIdTest, EveryByteAndTheSizeCount) {
  const std::vector<uint8_t> bytes = CountingBytes(20);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::vector<uint8_t> changed = bytes;
    changed[i] ^= 0x80;

    EXPECT_NE(IdOf(changed), IdOf(bytes)) << i;
    EXPECT_NE(absl::HashOf(IdOf(changed)), absl::HashOf(IdOf(bytes))) << i;
  }
  EXPECT_EQ(IdOf(bytes), IdOf(CountingBytes(20)));
  EXPECT_EQ(absl::HashOf(IdOf(bytes)), absl::HashOf(IdOf(CountingBytes(20))));
}

TEST(ConnectionIdTest, IdsOfZerosDifferByTheirSize) {
  absl::flat_hash_set<ConnectionId> ids;
  for (size_t size = 0; size <= 20; ++size) {
    ids.insert(IdOf(std::vector<uint8_t>(size, 0)));
  }

  EXPECT_EQ(ids.size(), 21u);
  EXPECT_NE(IdOf({0}), ConnectionId());
  EXPECT_NE(absl::HashOf(IdOf({0})), absl::HashOf(ConnectionId()));
}

TEST(ConnectionIdTest, OrderIsBySizeThenBytes) {
  EXPECT_LT(ConnectionId(), IdOf({0}));
  EXPECT_LT(IdOf({9}), IdOf({1, 1}));
  EXPECT_LT(IdOf({1, 0x7f}), IdOf({1, 0x80}));
  EXPECT_EQ(IdOf({1, 2}) <=> IdOf({1, 2}), std::strong_ordering::equal);
}

TEST(ConnectionIdTest, HexIsTwoLowerCaseDigitsAByte) {
  EXPECT_EQ(IdOf({0x00, 0x0f, 0xa0, 0xff}).ToHex(), "000fa0ff");
  EXPECT_EQ(ConnectionId().ToHex(), "");
  EXPECT_EQ(IdOf(std::vector<uint8_t>(20, 0xee)).ToHex().size(), ConnectionId::kMaxHexSize);
}

TEST(ConnectionIdTest, HexGoesToTheCallersBufferIfItFits) {
  const ConnectionId id = IdOf({0x12, 0xab});
  std::array<char, 5> buffer = {'#', '#', '#', '#', '#'};

  EXPECT_EQ(id.ToHex(std::span(buffer).first(3)), "");
  EXPECT_EQ(buffer[0], '#');

  const std::string_view text = id.ToHex(std::span(buffer).first(4));
  EXPECT_EQ(text, "12ab");
  EXPECT_EQ(text.data(), buffer.data());
  EXPECT_EQ(buffer[4], '#');
}

TEST(StatelessResetTokenTest, SixteenBytesAreKept) {
  const std::vector<uint8_t> bytes = CountingBytes(16);

  const StatelessResetToken token{std::span(bytes).first<16>()};

  EXPECT_EQ(std::vector<uint8_t>(token.bytes().begin(), token.bytes().end()), bytes);
}

TEST(StatelessResetTokenTest, EveryBitCounts) {
  std::vector<uint8_t> bytes = CountingBytes(16);
  const StatelessResetToken token{std::span(bytes).first<16>()};
  for (size_t i = 0; i < 128; ++i) {
    const uint8_t bit = static_cast<uint8_t>(1 << i % 8);
    bytes[i / 8] ^= bit;

    EXPECT_NE(StatelessResetToken{std::span(bytes).first<16>()}, token) << i;

    bytes[i / 8] ^= bit;
  }
  EXPECT_EQ(StatelessResetToken{std::span(bytes).first<16>()}, token);
}

TEST(StatelessResetTokenTest, EqualChangesInBothHalvesDoNotCancelOut) {
  std::vector<uint8_t> bytes = CountingBytes(16);
  const StatelessResetToken token{std::span(bytes).first<16>()};

  bytes[3] ^= 0x55;
  bytes[11] ^= 0x55;

  EXPECT_NE(StatelessResetToken{std::span(bytes).first<16>()}, token);
}

}  // namespace
}  // namespace godwit
