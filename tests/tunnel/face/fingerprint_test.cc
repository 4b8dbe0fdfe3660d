// SPDX-License-Identifier: Apache-2.0
#include "tunnel/fingerprint.h"

#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kDigits =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

PublicKeyHash TestHash() { return PublicKeyHash::FromHex(kDigits).value(); }

TEST(FingerprintTest, TheTextIsAlgorithmAndDigits) {
  EXPECT_EQ(FormatFingerprint(TestHash()), "SHA256:" + std::string(kDigits));
}

TEST(FingerprintTest, WhatIsWrittenIsReadBackInEitherCase) {
  const std::string text = FormatFingerprint(TestHash());

  EXPECT_EQ(*ParseFingerprint("--server-key", text), TestHash());
  EXPECT_EQ(*ParseFingerprint("--server-key", absl::AsciiStrToUpper(text)), TestHash());
  EXPECT_EQ(*ParseFingerprint("--server-key", absl::AsciiStrToLower(text)), TestHash());
}

TEST(FingerprintTest, AllElseIsRefusedWithTheForm) {
  const std::string digits(kDigits);
  for (const std::string& text :
       {std::string(), std::string("SHA256:"), std::string("SHA"), digits, "SHA1:" + digits,
        "SHA256:" + digits.substr(1), "SHA256:" + digits + "0", "SHA256: " + digits,
        "SHA256:" + digits + " ", "SHA256:g" + digits.substr(1)}) {
    const auto hash = ParseFingerprint("--server-key", text);
    ASSERT_FALSE(hash.ok()) << text;
    EXPECT_THAT(std::string(hash.status().message()),
                AllOf(HasSubstr("bad --server-key \"" + text + "\""),
                      HasSubstr("SHA256: and 64 hexadecimal digits")));
  }
}

TEST(FingerprintTest, AMismatchShowsBoth) {
  const PublicKeyHash other;

  EXPECT_THAT(DescribeMismatch(TestHash(), other),
              AllOf(HasSubstr("the server's key is " + FormatFingerprint(other)),
                    HasSubstr("not " + FormatFingerprint(TestHash()))));
}

}  // namespace
}  // namespace godwit::tunnel
