// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake_message_scanner.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

// A message of type 4 with a body of 13s, an empty one of type 5, one of type 13.
const std::vector<uint8_t> kMessages = {4, 0, 0, 3, 13, 13, 13, 5, 0, 0, 0, 13, 0, 1, 0, 7};

TEST(HandshakeMessageScannerTest, FindsTypesOfMessagesAndNotBytesOfBodies) {
  EXPECT_TRUE(HandshakeMessageScanner().Scan(kMessages, 4));
  EXPECT_TRUE(HandshakeMessageScanner().Scan(kMessages, 5));
  EXPECT_TRUE(HandshakeMessageScanner().Scan(kMessages, 13));
  EXPECT_FALSE(HandshakeMessageScanner().Scan(kMessages, 7));
  EXPECT_FALSE(HandshakeMessageScanner().Scan(std::span(kMessages).first(11), 13));
}

TEST(HandshakeMessageScannerTest, FindsAMessageWhereItBeginsHoweverTheStreamIsCut) {
  for (size_t step = 1; step <= kMessages.size(); ++step) {
    HandshakeMessageScanner scanner;
    std::vector<size_t> found_in;
    for (size_t at = 0; at < kMessages.size(); at += step) {
      const size_t length = std::min(step, kMessages.size() - at);
      if (scanner.Scan(std::span(kMessages).subspan(at, length), 13)) found_in.push_back(at);
    }

    EXPECT_EQ(found_in, std::vector<size_t>{11 / step * step}) << step;
  }
}

TEST(HandshakeMessageScannerTest, LongBodiesAreSkippedInParts) {
  HandshakeMessageScanner scanner;
  const std::vector<uint8_t> header = {4, 1, 2, 3};
  const std::vector<uint8_t> body(0x10203, 13);

  EXPECT_FALSE(scanner.Scan(header, 13));
  EXPECT_FALSE(scanner.Scan(body, 13));
  EXPECT_TRUE(scanner.Scan(std::vector<uint8_t>{13}, 13));
}

}  // namespace
}  // namespace godwit
