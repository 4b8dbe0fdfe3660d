// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kHexA =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kHexB =
    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kHexC =
    "ee0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kHexD =
    "dd0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::string Line(std::string_view purpose, std::string_view key) {
  return std::string(purpose) + " " + std::string(key) + "\n";
}

// The least that is complete, in three lines.
std::string CompleteFile() {
  return Line("token-key", kHexA) + Line("ticket-key", kHexB) + Line("reset-key", kHexC);
}

// The `number`-th of many different keys.
std::string NumberedHex(int number) {
  std::string hex(kHexA);
  hex[0] = static_cast<char>('a' + number);
  return hex;
}

std::string ErrorOf(std::string_view text) {
  const absl::StatusOr<ServerSecrets> secrets = ParseServerSecrets(text);
  return secrets.ok() ? "no error" : static_cast<std::string>(secrets.status().message());
}

bool HaveSameKeys(const ServerSecrets& a, const ServerSecrets& b) {
  const auto same = [](const SecretKey& x, const SecretKey& y) {
    return std::ranges::equal(x.bytes(), y.bytes());
  };
  return same(a.reset_key, b.reset_key) && std::ranges::equal(a.token_keys, b.token_keys, same) &&
         std::ranges::equal(a.ticket_keys, b.ticket_keys, same);
}

TEST(KeyFileTest, GeneratedSecretsSurviveFormattingAndParsing) {
  SeededRandom random(1);
  const ServerSecrets secrets = GenerateServerSecrets(random);

  const SecretText text = FormatServerSecrets(secrets);
  const absl::StatusOr<ServerSecrets> parsed = ParseServerSecrets(text.view());

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(HaveSameKeys(*parsed, secrets));
}

TEST(KeyFileTest, SeveralKeysKeepTheirOrder) {
  const std::string text = CompleteFile() + Line("token-key", kHexD);

  const absl::StatusOr<ServerSecrets> parsed = ParseServerSecrets(text);

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->token_keys.size(), 2);
  EXPECT_EQ(parsed->token_keys[0].bytes()[0], 0x00);
  EXPECT_EQ(parsed->token_keys[1].bytes()[0], 0xdd);
  EXPECT_EQ(parsed->ticket_keys.size(), 1);
  EXPECT_EQ(FormatServerSecrets(*parsed).view().find(kHexA) <
                FormatServerSecrets(*parsed).view().find(kHexD),
            true);
}

TEST(KeyFileTest, HexDigitsHaveTheirValues) {
  const absl::StatusOr<ServerSecrets> parsed = ParseServerSecrets(
      Line("token-key", "00112233445566778899aAbBcCdDeEfF00112233445566778899AABBCCDDEEff") +
      Line("ticket-key", kHexB) + Line("reset-key", kHexC));

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  for (size_t i = 0; i < SecretKey::kSize; ++i) {
    EXPECT_EQ(parsed->token_keys[0].bytes()[i], (i % 16) * 0x11);
  }
}

TEST(KeyFileTest, CommentsBlanksAndForeignLineEndsDoNotMatter) {
  const std::string text = "# keys\n\n  \t\r\n  token-key \t" + std::string(kHexA) +
                           "  # since May\r\nticket-key " + std::string(kHexB) +
                           "\r\n#\nreset-key " + std::string(kHexC);

  const absl::StatusOr<ServerSecrets> parsed = ParseServerSecrets(text);

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(HaveSameKeys(*parsed, *ParseServerSecrets(CompleteFile())));
}

TEST(KeyFileTest, ErrorsNameTheLineAndWhatToDo) {
  EXPECT_THAT(ErrorOf("\n# x\ntokenkey 00\n"),
              HasSubstr("line 3: it starts with none of token-key, ticket-key and reset-key"));
  EXPECT_THAT(ErrorOf("token-key\n"), HasSubstr("line 1: the key is not 64 hexadecimal digits"));
  EXPECT_THAT(ErrorOf("token-key " + std::string(kHexA.substr(1))), HasSubstr("openssl rand"));
  EXPECT_THAT(ErrorOf("token-key 0" + std::string(kHexA)), HasSubstr("line 1: the key is not 64"));
  EXPECT_THAT(ErrorOf("token-key " + std::string(kHexA.substr(1)) + "g"),
              HasSubstr("line 1: the key is not 64"));
  EXPECT_THAT(ErrorOf("token-key " + std::string(kHexA) + " " + std::string(kHexB)),
              HasSubstr("line 1: something follows the key"));
}

TEST(KeyFileTest, MissingPurposesAreNamed) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("there is no token-key; add a line: token-key <64"));
  EXPECT_THAT(ErrorOf(Line("token-key", kHexA)), HasSubstr("there is no ticket-key"));
  EXPECT_THAT(ErrorOf(Line("token-key", kHexA) + Line("ticket-key", kHexB)),
              HasSubstr("there is no reset-key"));
}

TEST(KeyFileTest, OneKeyForTwoPurposesIsRefused) {
  EXPECT_THAT(ErrorOf(Line("token-key", kHexA) + Line("ticket-key", kHexA)),
              HasSubstr("line 2: this key is there twice"));
}

TEST(KeyFileTest, KeyOfOneRepeatedByteIsRefused) {
  EXPECT_THAT(ErrorOf(Line("token-key", std::string(64, '0'))),
              HasSubstr("line 1: the key is one byte repeated"));
}

TEST(KeyFileTest, SecondResetKeyIsRefused) {
  EXPECT_THAT(ErrorOf(CompleteFile() + Line("reset-key", kHexD)),
              HasSubstr("line 4: there are more than 1 reset-key"));
}

TEST(KeyFileTest, EightKeysOfAPurposeAreReadAndNineRefused) {
  std::string text = Line("ticket-key", kHexB) + Line("reset-key", kHexC);
  for (int i = 0; i < 4; ++i) text += Line("token-key", NumberedHex(i));
  for (int i = 0; i < 4; ++i) {
    text += Line("token-key", "00" + NumberedHex(i).substr(0, 62));
  }

  EXPECT_EQ(ErrorOf(text), "no error");
  EXPECT_THAT(ErrorOf(text + Line("token-key", kHexD)),
              HasSubstr("line 11: there are more than 8 token-key"));
}

TEST(KeyFileTest, FileOfUnlikelySizeIsRefusedBeforeItIsRead) {
  EXPECT_THAT(ErrorOf(std::string(kMaxKeyFileBytes, '\n') + "x"), HasSubstr("right file"));
}

TEST(KeyFileTest, ErrorsQuoteNoKey) {
  const std::string almost(kHexA.substr(0, 63));

  const std::string message = ErrorOf("token-key " + almost + "\n");

  EXPECT_THAT(message, Not(HasSubstr("0405")));
  EXPECT_THAT(ErrorOf(almost + " token-key\n"), Not(HasSubstr("0405")));
}

}  // namespace
}  // namespace godwit
