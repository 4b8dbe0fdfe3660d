// SPDX-License-Identifier: Apache-2.0
#include "tunnel/printable.h"

#include <string>

#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

TEST(PrintableTest, TextInAnyLanguageStays) {
  const std::string text = "a b~ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa6";

  EXPECT_EQ(Printable(text), text);
}

TEST(PrintableTest, ControlCharactersDoNot) {
  EXPECT_EQ(Printable("a\x1b[2J\r\n\t\x7f"
                      "b"),
            "a?[2J????b");
  EXPECT_EQ(Printable(std::string("\0x", 2)), "?x");
  // U+009B begins a sequence for a terminal, as ESC [ does.
  EXPECT_EQ(Printable("\xc2\x9b"
                      "1m\xc2\xa0"),
            "??1m\xc2\xa0");
}

TEST(PrintableTest, WhatIsNoUtf8DoesNot) {
  EXPECT_EQ(Printable("\x9b"
                      "1m"),
            "?1m");
  EXPECT_EQ(Printable("\xc0\x9b"), "??");
  EXPECT_EQ(Printable("\xe2\x82"), "??");
  EXPECT_EQ(Printable("\xf5\x80\x80\x80"), "????");
  EXPECT_EQ(Printable("\xc3"
                      "a"),
            "?a");
}

TEST(PrintableTest, LineFeedsStayWhereLinesAreKept) {
  EXPECT_EQ(Printable("a\nb\rc", true), "a\nb?c");
}

}  // namespace
}  // namespace godwit::tunnel
