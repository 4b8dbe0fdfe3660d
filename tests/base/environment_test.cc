// SPDX-License-Identifier: Apache-2.0
#include "base/environment.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

// Gives the listed words, lowest byte first.
class ListedRandom final : public Random {
 public:
  ListedRandom(std::initializer_list<uint64_t> words) {
    for (const uint64_t word : words) {
      for (int shift = 0; shift < 64; shift += 8) {
        bytes_.push_back(static_cast<uint8_t>(word >> shift));
      }
    }
  }

  void Fill(std::span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) byte = bytes_.at(position_++);
  }

  size_t words_used() const { return position_ / 8; }

 private:
  std::vector<uint8_t> bytes_;
  size_t position_ = 0;
};

TEST(RandomTest, NextUint64TakesEightBytesLowestFirst) {
  ListedRandom random({0x0102030405060708, 0xf0f1f2f3f4f5f6f7});

  EXPECT_EQ(random.NextUint64(), 0x0102030405060708u);
  EXPECT_EQ(random.NextUint64(), 0xf0f1f2f3f4f5f6f7u);
}

TEST(RandomTest, UniformBelowOneIsZero) {
  SeededRandom random(1);

  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.UniformBelow(1), 0u);
}

TEST(RandomTest, UniformBelowZeroIsOurMistake) {
  SeededRandom random(1);

  EXPECT_DEATH(random.UniformBelow(0), "");
}

TEST(RandomTest, PowerOfTwoRefusesNoWord) {
  ListedRandom random({0});

  EXPECT_EQ(random.UniformBelow(uint64_t{1} << 63), 0u);

  EXPECT_EQ(random.words_used(), 1u);
}

// 2^64 is one more than a multiple of 3: one of its values has to go.
TEST(RandomTest, WordThatWouldFavourARemainderIsRefused) {
  ListedRandom random({0, 5});

  EXPECT_EQ(random.UniformBelow(3), 2u);

  EXPECT_EQ(random.words_used(), 2u);
}

// Of 2^64 values, 2^63-1 are refused for this bound, nearly half.
TEST(RandomTest, FirstWordAboveTheRefusedOnesIsTaken) {
  const uint64_t bound = (uint64_t{1} << 63) + 1;
  ListedRandom random({bound - 3, bound - 2});

  EXPECT_EQ(random.UniformBelow(bound), bound - 2);

  EXPECT_EQ(random.words_used(), 2u);
}

TEST(RandomTest, SixSidesOfADieComeAlike) {
  constexpr int kThrows = 60'000;
  SeededRandom random(7);
  std::array<int, 6> counts{};

  for (int i = 0; i < kThrows; ++i) ++counts.at(random.UniformBelow(counts.size()));

  // Five standard deviations of one side's count.
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 457);
}

}  // namespace
}  // namespace godwit
