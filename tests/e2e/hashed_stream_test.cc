// SPDX-License-Identifier: Apache-2.0
//
// That the judge of all transfers here is one: what was changed, left out, moved or added on the
// way is noticed at either end.
#include "tests/e2e/hashed_stream.h"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

// Crosses the boundaries of what is made at once.
constexpr HashedRequest kRequest = {.seed = 7, .up_bytes = 100'001, .down_bytes = 70'003};

std::vector<uint8_t> WriteAll(HashedStream& stream) {
  std::vector<uint8_t> written;
  while (true) {
    const std::span<const uint8_t> bytes = stream.Pending();
    if (bytes.empty()) return written;
    // Never all at once.
    const size_t taken = bytes.size() - bytes.size() / 3;
    written.insert(written.end(), bytes.begin(), bytes.begin() + taken);
    stream.OnWritten(taken);
  }
}

void ReadAll(std::span<const uint8_t> bytes, HashedStream& stream) {
  while (!bytes.empty()) {
    const size_t count = std::min<size_t>(bytes.size(), 1'000);
    stream.OnRead(bytes.first(count));
    bytes = bytes.subspan(count);
  }
  stream.OnPeerEnd();
}

// What the server says of the client's direction after `harm` came over it.
std::string VerdictAfter(const std::function<void(std::vector<uint8_t>&)>& harm) {
  HashedStream client(kRequest);
  HashedStream server;
  std::vector<uint8_t> bytes = WriteAll(client);
  harm(bytes);
  ReadAll(bytes, server);
  return server.failure();
}

TEST(HashedStreamTest, BothDirectionsArriveWhole) {
  HashedStream client(kRequest);
  HashedStream server;

  const std::vector<uint8_t> up = WriteAll(client);
  ASSERT_TRUE(client.TakeEnd());
  ReadAll(up, server);
  const std::vector<uint8_t> down = WriteAll(server);
  ASSERT_TRUE(server.TakeEnd());
  ReadAll(down, client);

  EXPECT_TRUE(client.is_done()) << client.failure();
  EXPECT_TRUE(server.is_done()) << server.failure();
  EXPECT_GT(up.size(), kRequest.up_bytes);
  EXPECT_GT(down.size(), kRequest.down_bytes);
}

TEST(HashedStreamTest, NothingButTheRequestIsFine) {
  HashedStream client(HashedRequest{.seed = 1, .up_bytes = 0, .down_bytes = 0});
  HashedStream server;

  ReadAll(WriteAll(client), server);
  ReadAll(WriteAll(server), client);

  EXPECT_TRUE(client.TakeEnd());
  EXPECT_TRUE(server.TakeEnd());
  EXPECT_TRUE(client.is_done());
  EXPECT_TRUE(server.is_done());
}

TEST(HashedStreamTest, TheServerEndsOnlyAfterTheClient) {
  HashedStream client(kRequest);
  HashedStream server;
  const std::vector<uint8_t> up = WriteAll(client);

  server.OnRead(up);
  WriteAll(server);

  EXPECT_FALSE(server.TakeEnd());
  server.OnPeerEnd();
  EXPECT_TRUE(server.TakeEnd());
  EXPECT_FALSE(server.TakeEnd());
}

TEST(HashedStreamTest, AChangedBitIsNoticed) {
  for (const size_t at : {size_t{30}, size_t{50'000}, size_t{100'040}}) {
    EXPECT_EQ(VerdictAfter([at](auto& bytes) { bytes[at] ^= 1; }),
              "what came is not what was sent");
  }
}

TEST(HashedStreamTest, PiecesInAnotherOrderAreNoticed) {
  const auto swap = [](auto& bytes) {
    std::swap_ranges(bytes.begin() + 1'024, bytes.begin() + 2'048, bytes.begin() + 33'792);
  };

  EXPECT_EQ(VerdictAfter(swap), "what came is not what was sent");
}

TEST(HashedStreamTest, BytesThatAreMissingOrTooManyAreNoticed) {
  EXPECT_EQ(VerdictAfter([](auto& bytes) { bytes.erase(bytes.begin() + 5'000); }),
            "less came than was asked for");
  EXPECT_EQ(VerdictAfter([](auto& bytes) { bytes.insert(bytes.begin() + 5'000, 0); }),
            "more came than was asked for");
  EXPECT_EQ(VerdictAfter([](auto& bytes) { bytes.resize(10); }),
            "the stream ended within the request");
}

TEST(HashedStreamTest, AServerThatNoticesDoesNotEndItsDirection) {
  HashedStream client(kRequest);
  HashedStream server;
  std::vector<uint8_t> up = WriteAll(client);
  up[60'000] ^= 0x80;

  ReadAll(up, server);
  WriteAll(server);

  EXPECT_FALSE(server.TakeEnd());
  EXPECT_FALSE(server.is_done());
}

}  // namespace
}  // namespace godwit
