// SPDX-License-Identifier: Apache-2.0
#include "godwit/drop_reason.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(DropReasonTest, EveryReasonHasItsOwnName) {
  std::set<std::string> names;

  for (size_t i = 0; i < kDropReasonCount; ++i) {
    names.emplace(ToString(static_cast<DropReason>(i)));
  }

  EXPECT_EQ(names.size(), kDropReasonCount);
}

TEST(DropReasonTest, NamesAreLowerCaseWords) {
  for (size_t i = 0; i < kDropReasonCount; ++i) {
    const std::string_view name = ToString(static_cast<DropReason>(i));

    EXPECT_FALSE(name.empty()) << i;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << i;
  }
}

TEST(DropReasonTest, NoReasonLiesBeyondTheCount) {
  EXPECT_EQ(ToString(static_cast<DropReason>(kDropReasonCount)), "invalid");
}

TEST(DropReasonTest, NameSaysTheReason) {
  EXPECT_EQ(ToString(DropReason::kTooShort), "too_short");
  EXPECT_EQ(ToString(DropReason::kDecryptFailed), "decrypt_failed");
  EXPECT_EQ(ToString(DropReason::kConnectionClosed), "connection_closed");
}

}  // namespace
}  // namespace godwit
