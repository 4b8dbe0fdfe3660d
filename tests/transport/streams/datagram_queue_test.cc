// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/datagram_queue.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/seeded_random.h"
#include "godwit/perspective.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_type.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;
using Config = DatagramQueue::Config;
using Drop = DatagramQueue::Drop;
using Feedback = DatagramQueue::Feedback;
using Fate = DatagramQueue::Feedback::Fate;

constexpr uint64_t kMaxPayload = 1200;

// What a packet with that much room takes from the queue.
struct WrittenPacket {
  std::vector<Bytes> datagrams;
  std::vector<FrameType> types;
  size_t size = 0;
  std::vector<SentFrame> sent;
};

WrittenPacket WriteInPacket(DatagramQueue& queue, size_t room = 1250) {
  std::array<uint8_t, 2048> bytes;
  FrameWriter writer(std::span<uint8_t>(bytes).first(room),
                     {.level = EncryptionLevel::kOneRtt, .mode = PacketMode::kNormal});
  queue.WriteFrames(writer);
  WrittenPacket packet;
  packet.size = writer.frames_size();
  packet.sent.assign(writer.sent_frames().begin(), writer.sent_frames().end());
  if (packet.size == 0) return packet;
  FrameDecoder decoder(std::span<uint8_t>(bytes).first(packet.size), writer.level(),
                       Perspective::kServer);
  while (!decoder.is_done()) {
    Frame frame;
    EXPECT_TRUE(decoder.Next(&frame).ok());
    const auto data = frame.As<DatagramFrame>().data;
    packet.datagrams.emplace_back(data.begin(), data.end());
    packet.types.push_back(frame.type());
  }
  queue.CheckInvariants();
  return packet;
}

std::vector<Feedback> PollAll(DatagramQueue& queue) {
  std::vector<Feedback> all;
  while (const auto feedback = queue.PollFeedback()) all.push_back(*feedback);
  return all;
}

Bytes Received(const DatagramQueue& queue) {
  const auto view = queue.PeekReceived();
  return view.has_value() ? Bytes(view->begin(), view->end()) : Bytes{};
}

// ---- Sending ----

TEST(DatagramQueueTest, AnUnusedQueueHoldsNoMemory) {
  DatagramQueue queue{Config{}};

  EXPECT_EQ(queue.held_bytes(), 0u);
  EXPECT_FALSE(queue.HasPending());
  EXPECT_EQ(queue.PeekReceived(), std::nullopt);
  EXPECT_EQ(queue.PollFeedback(), std::nullopt);
  queue.OnMaxPayloadChanged(0);
  EXPECT_TRUE(WriteInPacket(queue).datagrams.empty());
  queue.CheckInvariants();
}

TEST(DatagramQueueTest, DatagramsLeaveInOrderUnderTheirIds) {
  DatagramQueue queue{Config{}};

  EXPECT_EQ(*queue.Send(Bytes{1}, kMaxPayload), 0u);
  EXPECT_EQ(*queue.Send(Bytes{}, kMaxPayload), 1u);
  EXPECT_EQ(*queue.Send(Bytes{2, 3}, kMaxPayload), 2u);

  const WrittenPacket packet = WriteInPacket(queue);
  EXPECT_EQ(packet.datagrams, (std::vector<Bytes>{{1}, {}, {2, 3}}));
  EXPECT_EQ(packet.sent,
            (std::vector{SentFrame::Datagram(0), SentFrame::Datagram(1), SentFrame::Datagram(2)}));
  EXPECT_FALSE(queue.HasPending());
  EXPECT_EQ(PollAll(queue),
            (std::vector<Feedback>{{Fate::kSent, 0}, {Fate::kSent, 1}, {Fate::kSent, 2}}));
}

// RFC 9221 §4.
TEST(DatagramQueueTest, OneThatFitsOnlyWithoutALengthGoesWithoutIt) {
  DatagramQueue queue{Config{}};
  ASSERT_TRUE(queue.Send(Bytes(99, 7), kMaxPayload).ok());
  ASSERT_TRUE(queue.Send(Bytes(1, 7), kMaxPayload).ok());

  const WrittenPacket packet = WriteInPacket(queue, 100);

  EXPECT_EQ(packet.types, std::vector{FrameType::kDatagram});
  EXPECT_EQ(packet.size, 100u);
  EXPECT_EQ(packet.datagrams.size(), 1u);
  EXPECT_EQ(WriteInPacket(queue, 100).types, std::vector{FrameType::kDatagramWithLength});
}

TEST(DatagramQueueTest, OneThatDoesNotFitWaitsAndIsNotOvertaken) {
  DatagramQueue queue{Config{}};
  ASSERT_TRUE(queue.Send(Bytes(100, 7), kMaxPayload).ok());
  ASSERT_TRUE(queue.Send(Bytes(1, 7), kMaxPayload).ok());

  EXPECT_TRUE(WriteInPacket(queue, 100).datagrams.empty());

  EXPECT_TRUE(queue.HasPending());
  EXPECT_EQ(WriteInPacket(queue, 200).datagrams.size(), 2u);
}

TEST(DatagramQueueTest, APacketTakesNoMoreThanItKeepsRecordsOf) {
  DatagramQueue queue{Config{}};
  for (size_t i = 0; i < kMaxSentFramesPerPacket + 5; ++i) {
    ASSERT_TRUE(queue.Send(Bytes{1}, kMaxPayload).ok());
  }

  EXPECT_EQ(WriteInPacket(queue).datagrams.size(), kMaxSentFramesPerPacket);
  EXPECT_EQ(WriteInPacket(queue).datagrams.size(), 5u);
}

TEST(DatagramQueueTest, WhatCanNotBeSentIsRefusedWithAReason) {
  DatagramQueue queue{Config{.max_send_bytes = 2'000}};

  EXPECT_EQ(queue.Send(Bytes{1}, 0).status().code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status too_large = queue.Send(Bytes(1201), 1200).status();
  EXPECT_EQ(too_large.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(too_large.message().find("1200") != too_large.message().npos) << too_large;
  EXPECT_EQ(queue.Send(Bytes(2'001), 9'000).status().code(), absl::StatusCode::kInvalidArgument);

  EXPECT_EQ(*queue.Send(Bytes(1200), 1200), 0u) << "refusals take no ids";
}

TEST(DatagramQueueTest, AFullQueueRefusesTheNewest) {
  DatagramQueue queue{Config{.max_send_bytes = 100, .when_send_full = Drop::kNewest}};
  ASSERT_TRUE(queue.Send(Bytes(60), kMaxPayload).ok());

  EXPECT_EQ(queue.Send(Bytes(41), kMaxPayload).status().code(),
            absl::StatusCode::kResourceExhausted);

  EXPECT_EQ(*queue.Send(Bytes(40), kMaxPayload), 1u);
  EXPECT_TRUE(PollAll(queue).empty());
}

TEST(DatagramQueueTest, OrDropsAsManyOfTheOldestAsNeeded) {
  DatagramQueue queue{Config{.max_send_bytes = 100, .when_send_full = Drop::kOldest}};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue.Send(Bytes(25), kMaxPayload).ok());

  EXPECT_EQ(*queue.Send(Bytes(30), kMaxPayload), 4u);

  EXPECT_EQ(PollAll(queue),
            (std::vector<Feedback>{{Fate::kDroppedQueueFull, 0}, {Fate::kDroppedQueueFull, 1}}));
  EXPECT_EQ(WriteInPacket(queue).sent.front(), SentFrame::Datagram(2));
}

TEST(DatagramQueueTest, EmptyDatagramsAreBoundedByTheirNumber) {
  DatagramQueue queue{Config{}};
  for (size_t i = 0; i < kMaxQueuedDatagrams; ++i) {
    ASSERT_TRUE(queue.Send({}, kMaxPayload).ok());
    queue.OnDatagramFrame({});
  }

  EXPECT_EQ(queue.Send({}, kMaxPayload).status().code(), absl::StatusCode::kResourceExhausted);
  queue.OnDatagramFrame({});

  EXPECT_EQ(queue.received_dropped_count(), 1u);
  EXPECT_LE(queue.held_bytes(), 4 * 4 * kMaxQueuedDatagrams);
  queue.CheckInvariants();
}

TEST(DatagramQueueTest, WhatBecameTooLargeIsDroppedAndReported) {
  DatagramQueue queue{Config{}};
  for (const size_t size : {1200, 100, 1200, 1000}) {
    ASSERT_TRUE(queue.Send(Bytes(size), kMaxPayload).ok());
  }

  queue.OnMaxPayloadChanged(1000);

  EXPECT_EQ(PollAll(queue),
            (std::vector<Feedback>{{Fate::kDroppedTooLarge, 0}, {Fate::kDroppedTooLarge, 2}}));
  const WrittenPacket packet = WriteInPacket(queue, 1200);
  EXPECT_EQ(packet.sent, (std::vector{SentFrame::Datagram(1), SentFrame::Datagram(3)}));
}

// RFC 9221 §5.2.
TEST(DatagramQueueTest, FatesAreReportedAndNothingIsSentAgain) {
  DatagramQueue queue{Config{}};
  ASSERT_TRUE(queue.Send(Bytes{1}, kMaxPayload).ok());
  ASSERT_TRUE(queue.Send(Bytes{2}, kMaxPayload).ok());
  WriteInPacket(queue);
  PollAll(queue);

  queue.OnFrameLost(SentFrame::Datagram(0));
  queue.OnFrameAcked(SentFrame::Datagram(1));
  queue.OnFrameAcked(SentFrame::Datagram(0));

  EXPECT_FALSE(queue.HasPending());
  EXPECT_EQ(PollAll(queue),
            (std::vector<Feedback>{{Fate::kLost, 0}, {Fate::kAcked, 1}, {Fate::kAcked, 0}}));
}

TEST(DatagramQueueTest, FeedbackThatNobodyTakesIsBounded) {
  DatagramQueue queue{Config{}};
  constexpr uint64_t kLargeId = uint64_t{1} << 60;

  for (uint64_t i = 0; i < 5'000; ++i) queue.OnFrameAcked(SentFrame::Datagram(kLargeId + i));

  const std::vector<Feedback> feedback = PollAll(queue);
  EXPECT_EQ(feedback.size(), kMaxDatagramFeedback);
  EXPECT_EQ(feedback.back(), (Feedback{Fate::kAcked, kLargeId + 4'999}));
}

// ---- Receiving ----

TEST(DatagramQueueTest, ReceivedOnesAreCopiedAndComeInOrder) {
  DatagramQueue queue{Config{}};
  Bytes datagram{1, 2};

  queue.OnDatagramFrame({datagram});
  datagram[0] = 9;
  queue.OnDatagramFrame({datagram});

  EXPECT_EQ(Received(queue), (Bytes{1, 2}));
  queue.PopReceived();
  EXPECT_EQ(Received(queue), (Bytes{9, 2}));
  queue.PopReceived();
  EXPECT_EQ(queue.PeekReceived(), std::nullopt);
}

TEST(DatagramQueueTest, ASlowReaderLosesTheOldest) {
  DatagramQueue queue{Config{.max_recv_bytes = 100, .when_recv_full = Drop::kOldest}};

  for (uint8_t i = 0; i < 10; ++i) queue.OnDatagramFrame({Bytes(40, i)});

  EXPECT_EQ(queue.received_dropped_count(), 8u);
  EXPECT_EQ(Received(queue), Bytes(40, 8));
}

TEST(DatagramQueueTest, OrTheNewest) {
  DatagramQueue queue{Config{.max_recv_bytes = 100, .when_recv_full = Drop::kNewest}};

  for (uint8_t i = 0; i < 10; ++i) queue.OnDatagramFrame({Bytes(40, i)});

  EXPECT_EQ(queue.received_dropped_count(), 8u);
  EXPECT_EQ(Received(queue), Bytes(40, 0));
}

TEST(DatagramQueueTest, OneAboveTheWholeQueueIsDroppedAlone) {
  DatagramQueue queue{Config{.max_recv_bytes = 100}};
  queue.OnDatagramFrame({Bytes(40, 1)});

  queue.OnDatagramFrame({Bytes(101, 2)});

  EXPECT_EQ(queue.received_dropped_count(), 1u);
  EXPECT_EQ(Received(queue), Bytes(40, 1));
}

TEST(DatagramQueueTest, APeerThatNeverStopsFillsABoundedMemory) {
  DatagramQueue queue{Config{}};

  for (int i = 0; i < 20'000; ++i) queue.OnDatagramFrame({Bytes(1 + i % 1300, 1)});

  EXPECT_LE(queue.held_bytes(), uint64_t{4} << 20);
  queue.CheckInvariants();
}

// ---- Model ----

TEST(DatagramQueueTest, EveryDatagramHasItsFateOnce) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    const Drop policy = seed % 2 == 0 ? Drop::kOldest : Drop::kNewest;
    DatagramQueue queue{Config{.max_send_bytes = 5'000, .when_send_full = policy}};
    std::deque<std::pair<uint64_t, Bytes>> waiting;
    std::map<uint64_t, int> fates;  // How often each left the queue.
    uint64_t max_payload = 1200;
    const auto take_feedback = [&] {
      for (const Feedback& feedback : PollAll(queue)) {
        if (feedback.fate == Fate::kAcked || feedback.fate == Fate::kLost) continue;
        ASSERT_EQ(++fates[feedback.id], 1);
        if (feedback.fate == Fate::kSent) continue;
        std::erase_if(waiting, [&](const auto& entry) { return entry.first == feedback.id; });
      }
    };
    for (int step = 0; step < 2'000; ++step) {
      const uint64_t dice = random.UniformBelow(20);
      if (dice == 0) {
        max_payload = 600 + random.UniformBelow(700);
        queue.OnMaxPayloadChanged(max_payload);
      } else if (dice < 12) {
        Bytes data(random.UniformBelow(1300));
        random.Fill(data);
        const auto id = queue.Send(data, max_payload);
        if (id.ok()) {
          waiting.emplace_back(*id, data);
        } else {
          ASSERT_TRUE(data.size() > max_payload || policy == Drop::kNewest);
        }
      } else {
        const WrittenPacket packet = WriteInPacket(queue, 300 + random.UniformBelow(1000));
        take_feedback();
        for (const Bytes& data : packet.datagrams) {
          ASSERT_FALSE(waiting.empty());
          ASSERT_EQ(data, waiting.front().second);
          waiting.pop_front();
        }
      }
      take_feedback();
      queue.CheckInvariants();
      ASSERT_EQ(queue.HasPending(), !waiting.empty());
    }
  }
}

}  // namespace
}  // namespace godwit
