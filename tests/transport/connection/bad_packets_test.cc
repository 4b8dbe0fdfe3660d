// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are no packets, packets that were changed on the way, packets that come again: all of
// them are dropped, each for a reason, and nothing else happens. RFC 9000 §5.2, §12.2, §21.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

raw::Bytes RandomBytes(SeededRandom& random, size_t max_size) {
  raw::Bytes bytes(random.UniformBelow(max_size + 1));
  random.Fill(bytes);
  return bytes;
}

// ---- Random bytes ----

void ExpectRandomBytesAreDropped(PuppetStage& stage, bool keeps_ids) {
  SeededRandom random(7);
  const uint64_t received = stage.subject().Stats().packets_received;
  const uint64_t held = stage.subject().held_bytes();
  const raw::Bytes id(stage.given_ids()[0].bytes().begin(), stage.given_ids()[0].bytes().end());
  for (int i = 0; i < 5'000; ++i) {
    raw::Bytes bytes = RandomBytes(random, 1'500);
    // The likeliest to get far: a short header for the right connection.
    if (keeps_ids && bytes.size() > 1 + id.size()) {
      bytes[0] = static_cast<uint8_t>(0x40 | (bytes[0] & 0x3f));
      std::copy(id.begin(), id.end(), bytes.begin() + 1);
    }
    stage.Deliver(std::move(bytes));
  }
  ExpectOpen(stage);
  EXPECT_EQ(stage.subject().Stats().packets_received, received);
  EXPECT_LE(stage.subject().held_bytes(), held + 64'000);
  EXPECT_GE(stage.drops().size(), 4'900u);
}

TEST(BadPacketsTest, RandomBytesToAnEstablishedServer) {
  PuppetStage stage;
  stage.CompleteHandshake();

  ExpectRandomBytesAreDropped(stage, false);

  EXPECT_TRUE(stage.Take().empty());
}

TEST(BadPacketsTest, RandomShortHeaderPacketsToAnEstablishedServer) {
  PuppetStage stage;
  stage.CompleteHandshake();

  ExpectRandomBytesAreDropped(stage, true);

  EXPECT_TRUE(stage.Take().empty());
}

TEST(BadPacketsTest, RandomBytesToAServerThatKnowsNothing) {
  PuppetStage stage;

  ExpectRandomBytesAreDropped(stage, false);

  EXPECT_TRUE(stage.Take().empty());
}

TEST(BadPacketsTest, RandomBytesInTheMiddleOfAHandshake) {
  PuppetStage stage;
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();

  ExpectRandomBytesAreDropped(stage, false);
  stage.Settle();

  EXPECT_TRUE(stage.subject().is_handshake_confirmed());
}

TEST(BadPacketsTest, RandomBytesToAClient) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.Pump();

  ExpectRandomBytesAreDropped(stage, false);
  stage.CompleteHandshake();
}

TEST(BadPacketsTest, EmptyDatagram) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.Deliver({});

  ExpectOpen(stage);
  EXPECT_EQ(stage.subject().Stats().packets_received, stage.subject().Stats().packets_received);
}

TEST(BadPacketsTest, LargestDatagram) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.Deliver(raw::Bytes(kMaxDatagramBytes, 0x41));
  stage.Deliver(raw::Bytes(kMaxDatagramBytes, 0xc1));

  ExpectOpen(stage);
  EXPECT_EQ(stage.drops().size(), 2u);
}

// ---- Changed on the way ----

TEST(BadPacketsTest, EachFlippedBitOfAShortHeaderPacket) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const raw::Bytes packet = stage.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("data"))});

  for (size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    raw::Bytes flipped = packet;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1 << bit % 8);
    stage.Deliver(flipped);
    ASSERT_EQ(stage.drops().size(), bit + 1) << bit;
  }

  ExpectOpen(stage);
  EXPECT_TRUE(stage.ReadAll(StreamId(0)).empty());
  stage.Deliver(packet);
  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(0))), "data");
}

TEST(BadPacketsTest, EachFlippedBitOfAnInitialPacket) {
  PuppetStage stage;
  const std::vector<raw::Bytes> flight = stage.puppet().Flight();
  ASSERT_EQ(flight.size(), 1u);

  for (size_t bit = 0; bit < 8 * flight[0].size(); ++bit) {
    raw::Bytes flipped = flight[0];
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1 << bit % 8);
    stage.Deliver(flipped);
    ASSERT_GE(stage.drops().size() + (stage.subject().held_bytes() != 0 ? 1 : 0), 1u) << bit;
  }

  ExpectOpen(stage);
  EXPECT_EQ(stage.subject().Stats().packets_received, 0u);
  EXPECT_TRUE(stage.Take().empty());
  stage.Deliver(flight[0]);
  stage.Settle();
  EXPECT_TRUE(stage.subject().is_handshake_confirmed());
}

TEST(BadPacketsTest, EachPrefixOfAPacket) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const raw::Bytes packet = stage.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("data"))});

  for (size_t size = 1; size < packet.size(); ++size) {
    stage.Deliver(raw::Bytes(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(size)));
    ASSERT_EQ(stage.drops().size(), size);
  }

  ExpectOpen(stage);
}

TEST(BadPacketsTest, GarbageBehindAPacket) {
  PuppetStage stage;
  stage.CompleteHandshake();
  raw::Bytes packet = stage.puppet().Seal({.frames = raw::Ping()});
  packet.push_back(0);

  stage.Deliver(packet);

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kDecryptFailed});
}

TEST(BadPacketsTest, GarbageBehindALongHeaderPacketDoesNotSpoilIt) {
  PuppetStage stage;
  raw::Bytes datagram = stage.puppet().Seal({.level = EncryptionLevel::kInitial,
                                             .frames = raw::Ping(),
                                             .min_size = kMinInitialDatagramBytes});
  raw::Append(datagram, raw::Bytes(50, 0x17));

  stage.Deliver(datagram);

  EXPECT_EQ(stage.subject().Stats().packets_received, 1u);
  EXPECT_EQ(stage.drops(), std::vector{DropReason::kInvalidHeader});
}

TEST(BadPacketsTest, ForgedPacketInABatchSpoilsNoOther) {
  PuppetStage stage;
  stage.CompleteHandshake();
  std::vector<raw::Bytes> batch;
  for (uint64_t i = 0; i < 10; ++i) {
    batch.push_back(stage.puppet().Seal({.frames = raw::Stream(0, i, raw::Bytes(1, 'x'))}));
  }
  batch[3].back() ^= 1;
  batch[7].resize(5);

  stage.DeliverBatch(batch);

  EXPECT_EQ(stage.drops(), (std::vector{DropReason::kDecryptFailed, DropReason::kTooShort}));
  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(0))), "xxx");
}

TEST(BadPacketsTest, DatagramOfNothingButTinyPackets) {
  PuppetStage stage;
  raw::Bytes datagram;
  while (datagram.size() < 60'000) {
    raw::Append(datagram,
                stage.puppet().Seal({.level = EncryptionLevel::kInitial, .frames = raw::Ping()}));
  }

  stage.Deliver(datagram);

  ExpectOpen(stage);
  EXPECT_GT(stage.subject().Stats().packets_received, 1'000u);
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kAck), 1u);
}

// ---- Again ----

TEST(BadPacketsTest, ReplayOfAWholeConnection) {
  PuppetStage stage;
  std::vector<raw::Bytes> recorded;
  for (int round = 0; round < 5; ++round) {
    stage.Pump();
    for (const raw::Bytes& datagram : stage.puppet().Flight()) {
      recorded.push_back(datagram);
      stage.Deliver(datagram);
    }
  }
  recorded.push_back(stage.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("once"))}));
  stage.Deliver(recorded.back());
  stage.Advance(Duration::Milliseconds(100));
  stage.Settle();
  stage.Take();
  const uint64_t received = stage.subject().Stats().packets_received;

  for (int i = 0; i < 10; ++i) {
    for (const raw::Bytes& datagram : recorded) stage.Deliver(datagram);
    stage.DeliverBatch(recorded);
  }

  ExpectOpen(stage);
  EXPECT_EQ(stage.subject().Stats().packets_received, received);
  EXPECT_TRUE(stage.Take().empty());
  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(0))), "once");
}

TEST(BadPacketsTest, PacketsOfAnotherConnection) {
  PuppetStage stage;
  stage.CompleteHandshake();
  PuppetStage other({.subject_tls = {.seed = 2}, .puppet_tls = {.seed = 2}});
  other.CompleteHandshake();

  stage.Deliver(
      other.puppet().Seal({.frames = raw::ApplicationClose(0, ""), .dcid = stage.given_ids()[0]}));

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kDecryptFailed});
  ExpectOpen(stage);
}

TEST(BadPacketsTest, OwnPacketsThatAreReflected) {
  PuppetStage stage;
  stage.CompleteHandshake();
  stage.Send(raw::Ping());
  const std::vector<SeenDatagram> sent = stage.Exchange(raw::Ping());
  ASSERT_EQ(sent.size(), 1u);
  const uint64_t received = stage.subject().Stats().packets_received;

  stage.Deliver(sent[0].bytes);

  EXPECT_EQ(stage.subject().Stats().packets_received, received);
  EXPECT_EQ(stage.drops().size(), 1u);
}

// ---- Packet numbers ----

TEST(BadPacketsTest, NumbersThatJumpAsFarAsTheyCan) {
  PuppetStage stage;
  stage.CompleteHandshake();
  uint64_t number = stage.puppet().next_number(EncryptionLevel::kOneRtt);

  for (int i = 0; i < 100; ++i) {
    number += (uint64_t{1} << 31) - 1;
    stage.SendPacket({.frames = raw::Ping(), .number = number});
    stage.Pump();
  }

  ExpectOpen(stage);
  EXPECT_TRUE(stage.drops().empty());
}

TEST(BadPacketsTest, NumberThatIsExpandedToAnotherOne) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const uint64_t number = stage.puppet().next_number(EncryptionLevel::kOneRtt);

  stage.SendPacket({.frames = raw::Ping(), .number = number + 300, .number_size = 1});

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kDecryptFailed});
}

}  // namespace
}  // namespace godwit
