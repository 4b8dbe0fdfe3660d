// SPDX-License-Identifier: Apache-2.0
#include "godwit/ecn.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(EcnMarkTest, ValuesAreTheCodepointsOfTheIpHeader) {
  EXPECT_EQ(static_cast<uint8_t>(EcnMark::kNotEct), 0b00);
  EXPECT_EQ(static_cast<uint8_t>(EcnMark::kEct1), 0b01);
  EXPECT_EQ(static_cast<uint8_t>(EcnMark::kEct0), 0b10);
  EXPECT_EQ(static_cast<uint8_t>(EcnMark::kCe), 0b11);
}

TEST(EcnMarkTest, NamesAreThoseOfTheRfc) {
  EXPECT_EQ(ToString(EcnMark::kNotEct), "Not-ECT");
  EXPECT_EQ(ToString(EcnMark::kEct1), "ECT(1)");
  EXPECT_EQ(ToString(EcnMark::kEct0), "ECT(0)");
  EXPECT_EQ(ToString(EcnMark::kCe), "CE");
  EXPECT_EQ(ToString(static_cast<EcnMark>(4)), "invalid");
}

}  // namespace
}  // namespace godwit
