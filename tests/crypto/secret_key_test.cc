// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_key.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

TEST(SecretKeyTest, DeriveIsTheExpandStepOfHkdf) {
  // RFC 5869 A.1: PRK, info and OKM of the first test case.
  constexpr std::array<uint8_t, 32> kPrk = {0x07, 0x77, 0x09, 0x36, 0x2c, 0x2e, 0x32, 0xdf,
                                            0x0d, 0xdc, 0x3f, 0x0d, 0xc4, 0x7b, 0xba, 0x63,
                                            0x90, 0xb6, 0xc7, 0x3b, 0xb5, 0x0f, 0x9c, 0x31,
                                            0x22, 0xec, 0x84, 0x4a, 0xd7, 0xc2, 0xb3, 0xe5};
  constexpr std::string_view kInfo = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";
  const std::vector<uint8_t> expected = {
      0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36,
      0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56,
      0xec, 0xc4, 0xc5, 0xbf, 0x34, 0x00, 0x72, 0x08, 0xd5, 0xb8, 0x87, 0x18, 0x58, 0x65};

  std::vector<uint8_t> derived(expected.size());
  SecretKey(kPrk).Derive(kInfo, derived);

  EXPECT_EQ(derived, expected);
}

TEST(SecretKeyTest, EveryGeneratedKeyIsAnother) {
  SeededRandom random(1);

  const SecretKey first = SecretKey::Generate(random);
  const SecretKey second = SecretKey::Generate(random);

  EXPECT_FALSE(std::ranges::equal(first.bytes(), second.bytes()));
}

TEST(SecretKeyTest, MemoryIsZeroAfterDestruction) {
  SeededRandom random(2);
  alignas(SecretKey) std::array<uint8_t, sizeof(SecretKey)> memory;
  auto* const key = new (memory.data()) SecretKey(SecretKey::Generate(random));
  ASSERT_FALSE(std::ranges::all_of(memory, [](uint8_t byte) { return byte == 0; }));

  std::destroy_at(key);

  EXPECT_TRUE(std::ranges::all_of(memory, [](uint8_t byte) { return byte == 0; }));
}

TEST(SecretTextTest, MovingLeavesNothingBehind) {
  SecretText text(5);
  std::ranges::copy(std::string_view("abcde"), text.chars().begin());

  const SecretText moved = std::move(text);

  EXPECT_EQ(moved.view(), "abcde");
  EXPECT_TRUE(text.view().empty());  // NOLINT: what is left is the point.
}

}  // namespace
}  // namespace godwit
