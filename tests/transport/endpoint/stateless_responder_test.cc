// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/stateless_responder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);
constexpr uint32_t kStrangeVersion = 0xface0001;
constexpr uint64_t kPerSecond = 20;

class StatelessResponderTest : public testing::Test {
 protected:
  static StatelessResponder::Occasion Occasion(size_t datagram_bytes, Timestamp now = kStart) {
    return {.four_tuple = {.local = *SocketAddress::Parse("192.0.2.1:443"),
                           .peer = *SocketAddress::Parse("198.51.100.7:5000")},
            .datagram_bytes = datagram_bytes,
            .now = now};
  }
  static InvariantHeader LongHeader(std::span<const uint8_t> dcid, std::span<const uint8_t> scid) {
    return {.version = kStrangeVersion, .dcid = dcid, .scid = scid, .rest = {}};
  }

  SeededRandom random_{1};
  const StatelessResetKey reset_key_{SecretKey::Generate(random_)};
  StatelessResponder responder_{reset_key_, random_, kPerSecond};
  const std::vector<uint8_t> dcid_ = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<uint8_t> scid_ = {9, 10, 11};
  const ConnectionId id_ = *ConnectionId::FromBytes(dcid_);
};

TEST_F(StatelessResponderTest, NothingIsPendingAtFirst) {
  EXPECT_FALSE(responder_.has_pending());
  EXPECT_TRUE(responder_.PollTransmit().payload.empty());
}

// ---- Version Negotiation ----

TEST_F(StatelessResponderTest, UnsupportedVersionIsAnsweredWithOurs) {
  EXPECT_EQ(responder_.OnUnsupportedVersion(LongHeader(dcid_, scid_), Occasion(1'200)),
            std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  const auto packet = VersionNegotiationPacket::Parse(transmit.payload);
  ASSERT_TRUE(packet.has_value());
  EXPECT_TRUE(std::ranges::equal(packet->dcid(), scid_));
  EXPECT_TRUE(std::ranges::equal(packet->scid(), dcid_));
  EXPECT_TRUE(packet->Lists(kVersion1));
  EXPECT_FALSE(packet->Lists(kStrangeVersion));
  EXPECT_EQ(transmit.four_tuple, Occasion(1'200).four_tuple);
  EXPECT_EQ(transmit.segment_count(), 1);
  EXPECT_FALSE(responder_.has_pending());
}

TEST_F(StatelessResponderTest, ReservedVersionIsAmongThem) {
  ASSERT_EQ(responder_.OnUnsupportedVersion(LongHeader(dcid_, scid_), Occasion(1'200)),
            std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  const auto packet = VersionNegotiationPacket::Parse(transmit.payload);
  ASSERT_EQ(packet->version_count(), 2);
  EXPECT_TRUE(IsReservedVersion(packet->version(0)) || IsReservedVersion(packet->version(1)));
}

TEST_F(StatelessResponderTest, DatagramBelow1200BytesGetsNoVersionNegotiation) {
  EXPECT_EQ(responder_.OnUnsupportedVersion(LongHeader(dcid_, scid_), Occasion(1'199)),
            std::nullopt);

  EXPECT_FALSE(responder_.has_pending());
  EXPECT_EQ(responder_.sent_counts().version_negotiations, 0);
}

TEST_F(StatelessResponderTest, LongestIdsOfOtherVersionsAreEchoed) {
  const std::vector<uint8_t> longest(255, 7);
  ASSERT_EQ(responder_.OnUnsupportedVersion(LongHeader(longest, longest), Occasion(1'200)),
            std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  ASSERT_TRUE(VersionNegotiationPacket::Parse(transmit.payload).has_value());
  EXPECT_LT(transmit.payload.size(), 1'200);
}

// ---- Stateless reset ----

TEST_F(StatelessResponderTest, UnknownIdIsAnsweredWithItsToken) {
  EXPECT_EQ(responder_.OnUnknownConnectionId(id_, Occasion(100)), std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  const auto token = CandidateResetToken(transmit.payload);
  ASSERT_TRUE(token.has_value());
  EXPECT_TRUE(*token == reset_key_.TokenFor(id_));
}

TEST_F(StatelessResponderTest, ResetIsSmallerThanWhatProvokedItAndNeverBelow22Bytes) {
  for (size_t size = 1; size <= 200; ++size) {
    const Timestamp now = kStart + Duration::Seconds(static_cast<int64_t>(size));
    ASSERT_EQ(responder_.OnUnknownConnectionId(id_, Occasion(size, now)), std::nullopt);
    const Transmit transmit = responder_.PollTransmit();
    if (size <= 22) {
      EXPECT_TRUE(transmit.payload.empty()) << size;
    } else {
      EXPECT_LT(transmit.payload.size(), size);
      EXPECT_GE(transmit.payload.size(), 22) << size;
    }
  }
}

TEST_F(StatelessResponderTest, TwoEndpointsDoNotAnswerEachOtherForEver) {
  size_t size = 1'200;
  int replies = 0;
  for (;; ++replies) {
    const Timestamp now = kStart + Duration::Seconds(replies);
    ASSERT_EQ(responder_.OnUnknownConnectionId(id_, Occasion(size, now)), std::nullopt);
    const Transmit transmit = responder_.PollTransmit();
    if (transmit.payload.empty()) break;
    size = transmit.payload.size();
  }

  EXPECT_LE(replies, 100);
}

// ---- Refusal ----

TEST_F(StatelessResponderTest, RefusalIsSmall) {
  EXPECT_EQ(responder_.OnRefused({.dcid = dcid_, .scid = scid_},
                                 TransportErrorCode::kConnectionRefused, Occasion(1'200)),
            std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  EXPECT_GT(transmit.payload.size(), 0);
  EXPECT_LE(transmit.payload.size(), kMaxInitialCloseBytes);
}

// ---- Bounds ----

TEST_F(StatelessResponderTest, EachKindHasItsOwnRate) {
  uint64_t resets = 0;
  while (!responder_.OnUnknownConnectionId(id_, Occasion(100)).has_value()) {
    ++resets;
    static_cast<void>(responder_.PollTransmit());
  }

  EXPECT_EQ(resets, kPerSecond);
  EXPECT_EQ(responder_.OnUnknownConnectionId(id_, Occasion(100)), DropReason::kRateLimited);
  EXPECT_EQ(responder_.OnUnsupportedVersion(LongHeader(dcid_, scid_), Occasion(1'200)),
            std::nullopt);
  EXPECT_EQ(responder_.OnUnknownConnectionId(
                id_, Occasion(100, kStart + Duration::Seconds(1) / kPerSecond)),
            std::nullopt);
  EXPECT_EQ(responder_.sent_counts().stateless_resets, kPerSecond + 1);
  EXPECT_EQ(responder_.sent_counts().version_negotiations, 1);
}

TEST_F(StatelessResponderTest, QueueIsBoundedAndKeepsItsOrder) {
  StatelessResponder fast(reset_key_, random_, 1'000);
  for (size_t i = 0; i < kMaxStatelessRepliesQueued; ++i) {
    StatelessResponder::Occasion occasion = Occasion(100);
    occasion.four_tuple.peer =
        SocketAddress::FromIpv4(std::array<uint8_t, 4>{10, 0, 0, 1}, static_cast<uint16_t>(i));
    ASSERT_EQ(fast.OnUnknownConnectionId(id_, occasion), std::nullopt);
  }

  EXPECT_EQ(fast.OnUnknownConnectionId(id_, Occasion(100)), DropReason::kQueueFull);
  for (size_t i = 0; i < kMaxStatelessRepliesQueued; ++i) {
    EXPECT_EQ(fast.PollTransmit().four_tuple.peer.port(), i);
  }
  EXPECT_FALSE(fast.has_pending());
}

TEST_F(StatelessResponderTest, RateOfZeroAnswersNothing) {
  StatelessResponder silent(reset_key_, random_, 0);

  EXPECT_EQ(silent.OnUnknownConnectionId(id_, Occasion(100)), DropReason::kRateLimited);
  EXPECT_FALSE(silent.has_pending());
}

TEST_F(StatelessResponderTest, TransmitStaysValidWhileTheQueueIsEmptied) {
  ASSERT_EQ(responder_.OnUnknownConnectionId(id_, Occasion(100)), std::nullopt);

  const Transmit transmit = responder_.PollTransmit();
  const std::vector<uint8_t> copy(transmit.payload.begin(), transmit.payload.end());

  EXPECT_FALSE(responder_.has_pending());
  EXPECT_TRUE(std::ranges::equal(transmit.payload, copy));
}

}  // namespace
}  // namespace godwit
