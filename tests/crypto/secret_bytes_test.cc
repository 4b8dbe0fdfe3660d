// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_bytes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

using Secret = SecretBytes<32>;

// The object's memory after its destructor ran. AddressSanitizer does not mind: it is our array.
struct Grave {
  alignas(Secret) std::array<uint8_t, sizeof(Secret)> memory;

  size_t CountOf(uint8_t value) const {
    return static_cast<size_t>(std::count(memory.begin(), memory.end(), value));
  }
};

TEST(SecretBytesTest, DestructionLeavesNoByteBehind) {
  Grave grave;
  auto* secret = new (grave.memory.data()) Secret(std::vector<uint8_t>(32, 0xa7));
  const size_t count_before = grave.CountOf(0xa7);

  secret->~Secret();

  EXPECT_EQ(count_before, 32u);
  EXPECT_EQ(grave.CountOf(0xa7), 0u);
}

TEST(SecretBytesTest, AssigningAShorterSecretLeavesNothingOfTheLongerOne) {
  Grave grave;
  auto* secret = new (grave.memory.data()) Secret(std::vector<uint8_t>(32, 0xa7));

  *secret = Secret(std::vector<uint8_t>(16, 0xb8));

  EXPECT_EQ(grave.CountOf(0xa7), 0u);
  EXPECT_EQ(secret->bytes().size(), 16u);
  secret->~Secret();
}

TEST(SecretBytesTest, ACopyOutlivesItsOriginal) {
  const std::vector<uint8_t> bytes = {1, 2, 3};
  auto original = new Secret(bytes);

  const Secret copy = *original;
  delete original;

  EXPECT_TRUE(std::ranges::equal(copy.bytes(), bytes));
}

TEST(SecretBytesDeathTest, MoreBytesThanTheCapacityAreOurMistake) {
  EXPECT_DEATH(Secret(33), "GODWIT_CHECK_LE");
}

}  // namespace
}  // namespace godwit
