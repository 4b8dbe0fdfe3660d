// SPDX-License-Identifier: Apache-2.0
#include "base/encryption_level.h"

#include <cstddef>
#include <set>
#include <string>

#include "gtest/gtest.h"

#include "base/packet_number.h"

namespace godwit {
namespace {

TEST(EncryptionLevelTest, InitialAndHandshakeHaveSpacesOfTheirOwn) {
  EXPECT_EQ(SpaceOf(EncryptionLevel::kInitial), PacketNumberSpace::kInitial);
  EXPECT_EQ(SpaceOf(EncryptionLevel::kHandshake), PacketNumberSpace::kHandshake);
}

TEST(EncryptionLevelTest, ZeroRttAndOneRttShareTheApplicationSpace) {
  EXPECT_EQ(SpaceOf(EncryptionLevel::kZeroRtt), PacketNumberSpace::kApplication);
  EXPECT_EQ(SpaceOf(EncryptionLevel::kOneRtt), PacketNumberSpace::kApplication);
}

TEST(EncryptionLevelTest, CountCoversExactlyTheNamedLevels) {
  std::set<std::string> names;

  for (size_t i = 0; i < kEncryptionLevelCount; ++i) {
    names.emplace(ToString(static_cast<EncryptionLevel>(i)));
  }

  EXPECT_EQ(names, (std::set<std::string>{"initial", "0rtt", "handshake", "1rtt"}));
  EXPECT_DEATH(static_cast<void>(ToString(static_cast<EncryptionLevel>(kEncryptionLevelCount))),
               "GODWIT_UNREACHABLE");
}

}  // namespace
}  // namespace godwit
