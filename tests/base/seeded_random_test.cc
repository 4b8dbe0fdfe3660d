// SPDX-License-Identifier: Apache-2.0
#include "base/seeded_random.h"

#include <array>
#include <cstdint>
#include <set>

#include "gtest/gtest.h"

namespace godwit {
namespace {

// The published sequence of SplitMix64 for this seed: a change of the generator would silently
// change every simulation that is remembered by its seed.
TEST(SeededRandomTest, SequenceIsThatOfSplitMix64) {
  SeededRandom random(1234567);

  EXPECT_EQ(random.NextUint64(), 6457827717110365317u);
  EXPECT_EQ(random.NextUint64(), 3203168211198807973u);
  EXPECT_EQ(random.NextUint64(), 9817491932198370423u);
  EXPECT_EQ(random.NextUint64(), 4593380528125082431u);
  EXPECT_EQ(random.NextUint64(), 16408922859458223821u);
}

TEST(SeededRandomTest, FillGivesTheWordsLowestByteFirst) {
  SeededRandom random(1234567);
  std::array<uint8_t, 10> bytes;

  random.Fill(bytes);

  // 6457827717110365317 is 0x599ed017fb08fc85, 3203168211198807973 is 0x2c73f08458540fa5.
  EXPECT_EQ(bytes,
            (std::array<uint8_t, 10>{0x85, 0xfc, 0x08, 0xfb, 0x17, 0xd0, 0x9e, 0x59, 0xa5, 0x0f}));
}

TEST(SeededRandomTest, UnusedBytesOfAWordAreThrownAway) {
  SeededRandom random(1234567);
  std::array<uint8_t, 1> byte;

  random.Fill(byte);

  EXPECT_EQ(random.NextUint64(), 3203168211198807973u);
}

TEST(SeededRandomTest, FillingNothingTakesNoStep) {
  SeededRandom random(1234567);

  random.Fill({});

  EXPECT_EQ(random.NextUint64(), 6457827717110365317u);
}

TEST(SeededRandomTest, EqualSeedsGiveEqualSequences) {
  SeededRandom a(42);
  SeededRandom b(42);

  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.NextUint64(), b.NextUint64());
}

TEST(SeededRandomTest, NeighbouringSeedsShareNoWord) {
  std::set<uint64_t> words;

  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    for (int i = 0; i < 100; ++i) words.insert(random.NextUint64());
  }

  EXPECT_EQ(words.size(), 10'000u);
}

}  // namespace
}  // namespace godwit
