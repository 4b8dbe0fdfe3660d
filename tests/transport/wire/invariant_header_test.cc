// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/invariant_header.h"

#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Copy(std::span<const uint8_t> view) { return Bytes(view.begin(), view.end()); }

TEST(InvariantHeaderTest, LongHeaderOfAnyVersionIsRead) {
  const Bytes datagram = HexBytes("80 f1f2f3f4 03 aabbcc 02 ddee 99");
  InvariantHeader header;

  ASSERT_TRUE(ParseInvariantHeader(datagram, 8, &header));

  EXPECT_TRUE(header.is_long());
  EXPECT_EQ(header.version, 0xf1f2f3f4u);
  EXPECT_EQ(Copy(header.dcid), HexBytes("aabbcc"));
  EXPECT_EQ(Copy(header.scid), HexBytes("ddee"));
  EXPECT_EQ(Copy(header.rest), HexBytes("99"));
}

// RFC 8999 §5.3.
TEST(InvariantHeaderTest, ConnectionIdsOf255BytesAreRead) {
  Bytes datagram = HexBytes("ff 00000002 ff");
  datagram.insert(datagram.end(), 255, 0xdd);
  datagram.push_back(255);
  datagram.insert(datagram.end(), 255, 0x55);
  InvariantHeader header;

  ASSERT_TRUE(ParseInvariantHeader(datagram, 8, &header));

  EXPECT_EQ(Copy(header.dcid), Bytes(255, 0xdd));
  EXPECT_EQ(Copy(header.scid), Bytes(255, 0x55));
  EXPECT_TRUE(header.rest.empty());
  EXPECT_EQ(InvariantLongHeaderSize(255, 255), datagram.size());
}

TEST(InvariantHeaderTest, ShortHeaderHasTheConnectionIdSizeThatWeIssue) {
  const Bytes datagram = HexBytes("3f aabbccdd 99");
  InvariantHeader header;

  ASSERT_TRUE(ParseInvariantHeader(datagram, 4, &header));

  EXPECT_FALSE(header.is_long());
  EXPECT_EQ(Copy(header.dcid), HexBytes("aabbccdd"));
  EXPECT_TRUE(header.scid.empty());
  EXPECT_EQ(Copy(header.rest), HexBytes("99"));
}

TEST(InvariantHeaderTest, ShortHeaderMayHaveNoConnectionId) {
  const Bytes datagram = HexBytes("40");
  InvariantHeader header;

  ASSERT_TRUE(ParseInvariantHeader(datagram, 0, &header));

  EXPECT_TRUE(header.dcid.empty());
}

// A long header says how long its connection ids are; the size of ours is beside the point.
TEST(InvariantHeaderTest, LongHeaderMayBeSmallerThanOurConnectionIds) {
  const Bytes datagram = HexBytes("c0 00000001 00 00");
  InvariantHeader header;

  EXPECT_TRUE(ParseInvariantHeader(datagram, 20, &header));
}

TEST(InvariantHeaderTest, EveryTruncationIsRefusedAndLeavesTheOutputAlone) {
  const Bytes long_header = HexBytes("80 f1f2f3f4 03 aabbcc 02 ddee");
  const Bytes short_header = HexBytes("40 aabbccdd");
  for (const Bytes& whole : {long_header, short_header}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      const Bytes truncated(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      InvariantHeader header{.version = 7, .dcid = {}, .scid = {}, .rest = {}};

      EXPECT_FALSE(ParseInvariantHeader(truncated, 4, &header)) << size;
      EXPECT_EQ(header.version, 7u);
    }
  }
}

}  // namespace
}  // namespace godwit
