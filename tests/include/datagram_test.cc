// SPDX-License-Identifier: Apache-2.0
#include "godwit/datagram.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <type_traits>

#include "absl/base/options.h"
#include "gtest/gtest.h"

#include "godwit/ecn.h"
#include "godwit/four_tuple.h"
#include "godwit/time.h"

namespace godwit {
namespace {

static_assert(std::is_trivially_copyable_v<ReceivedDatagram>);
static_assert(std::is_trivially_copyable_v<Transmit>);

class TransmitTest : public testing::Test {
 protected:
  TransmitTest() { std::iota(bytes_.begin(), bytes_.end(), uint8_t{0}); }

  Transmit Train(size_t size, size_t segment_size) const {
    return Transmit{.payload = std::span(bytes_).first(size), .segment_size = segment_size};
  }

  std::array<uint8_t, 250> bytes_;
};

TEST(ReceivedDatagramTest, DefaultIsEmptyAndUnmarked) {
  const ReceivedDatagram datagram;

  EXPECT_TRUE(datagram.payload.empty());
  EXPECT_EQ(datagram.four_tuple, FourTuple());
  EXPECT_EQ(datagram.ecn, EcnMark::kNotEct);
  EXPECT_EQ(datagram.received_at, Timestamp::Zero());
}

TEST_F(TransmitTest, DefaultIsNothingToSendNow) {
  const Transmit transmit;

  EXPECT_EQ(transmit.segment_count(), 0u);
  EXPECT_EQ(transmit.ecn, EcnMark::kNotEct);
  EXPECT_LT(transmit.departure_time, Timestamp::FromNanoseconds(INT64_MIN + 1));
}

TEST_F(TransmitTest, LastSegmentHasWhatIsLeft) {
  const Transmit transmit = Train(250, 100);

  ASSERT_EQ(transmit.segment_count(), 3u);
  EXPECT_EQ(transmit.segment(0).size(), 100u);
  EXPECT_EQ(transmit.segment(1).size(), 100u);
  EXPECT_EQ(transmit.segment(2).size(), 50u);
  EXPECT_EQ(transmit.segment(2).front(), 200);
}

TEST_F(TransmitTest, SegmentsAreThePayloadWithoutGapOrOverlap) {
  for (size_t size = 1; size <= bytes_.size(); ++size) {
    for (const size_t segment_size : {size_t{1}, size_t{7}, size_t{50}, size, size + 1}) {
      const Transmit transmit = Train(size, segment_size);
      const uint8_t* next = bytes_.data();
      for (size_t i = 0; i < transmit.segment_count(); ++i) {
        const std::span<const uint8_t> segment = transmit.segment(i);

        ASSERT_EQ(segment.data(), next);
        ASSERT_FALSE(segment.empty());
        ASSERT_TRUE(segment.size() == segment_size || i + 1 == transmit.segment_count());
        next += segment.size();
      }
      ASSERT_EQ(next, bytes_.data() + size);
    }
  }
}

using TransmitDeathTest = TransmitTest;

TEST_F(TransmitDeathTest, SegmentThatDoesNotExistEndsTheProcess) {
  const Transmit transmit = Train(200, 100);

  EXPECT_DEATH(static_cast<void>(transmit.segment(2)), "");
  EXPECT_DEATH(static_cast<void>(Transmit().segment(0)), "");
}

TEST_F(TransmitDeathTest, PayloadWithoutSegmentSizeEndsTheProcess) {
  const Transmit transmit = Train(200, 0);

  EXPECT_DEATH(static_cast<void>(transmit.segment_count()), "");
}

}  // namespace
}  // namespace godwit
