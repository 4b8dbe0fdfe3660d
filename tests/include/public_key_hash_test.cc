// SPDX-License-Identifier: Apache-2.0
#include "godwit/public_key_hash.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr char kHex[] = "00ff10a4c95bd1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec0123";

TEST(PublicKeyHashTest, HexIsReadInEitherCaseAndWrittenInLowerCase) {
  std::string upper(kHex);
  for (char& c : upper) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }

  const std::optional<PublicKeyHash> hash = PublicKeyHash::FromHex(kHex);

  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(hash->bytes()[1], 0xff);
  EXPECT_EQ(hash->bytes()[31], 0x23);
  EXPECT_EQ(hash->ToHex(), kHex);
  EXPECT_EQ(PublicKeyHash::FromHex(upper), hash);
}

TEST(PublicKeyHashTest, AnythingElseIsNotRead) {
  const std::string hex(kHex);
  for (const std::string& text :
       {std::string(), hex.substr(1), hex + "0", " " + hex.substr(1), "0x" + hex.substr(2),
        hex.substr(0, 63) + "g", hex.substr(0, 63) + ":"}) {
    EXPECT_FALSE(PublicKeyHash::FromHex(text).has_value()) << text;
  }
}

TEST(PublicKeyHashTest, HashesCompareByTheirBytes) {
  EXPECT_EQ(PublicKeyHash::FromHex(std::string(64, '0')), PublicKeyHash());
  EXPECT_LT(PublicKeyHash(), *PublicKeyHash::FromHex(kHex));
}

}  // namespace
}  // namespace godwit
