// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/version.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

TEST(VersionTest, ReservedVersionsHaveTenInEveryLowHalf) {
  EXPECT_TRUE(IsReservedVersion(0x0a0a0a0a));
  EXPECT_TRUE(IsReservedVersion(0xfafafafa));
  EXPECT_TRUE(IsReservedVersion(0x1a2a3a4a));
  EXPECT_FALSE(IsReservedVersion(0x0a0a0a0b));
  EXPECT_FALSE(IsReservedVersion(0x0b0a0a0a));
  EXPECT_FALSE(IsReservedVersion(kVersion1));
  EXPECT_FALSE(IsReservedVersion(kVersion2));
  EXPECT_FALSE(IsReservedVersion(kVersionNegotiation));
}

TEST(VersionTest, MadeVersionsAreReservedAndKeepTheRandomHighHalves) {
  EXPECT_EQ(MakeReservedVersion(0x12345678), 0x1a3a5a7au);
  EXPECT_EQ(MakeReservedVersion(0), 0x0a0a0a0au);

  SeededRandom random(4);
  for (int i = 0; i < 10'000; ++i) {
    const auto bits = static_cast<uint32_t>(random.NextUint64());
    ASSERT_TRUE(IsReservedVersion(MakeReservedVersion(bits)));
  }
}

TEST(VersionTest, AnotherReservedVersionIsReservedAndDiffers) {
  EXPECT_EQ(MakeReservedVersionOtherThan(kVersion1, 0x12345678), 0x1a3a5a7au);
  EXPECT_NE(MakeReservedVersionOtherThan(0x1a3a5a7a, 0x12345678), 0x1a3a5a7au);
  EXPECT_TRUE(IsReservedVersion(MakeReservedVersionOtherThan(0x1a3a5a7a, 0x12345678)));
}

}  // namespace
}  // namespace godwit
