// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/crypto_streams.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/transport/lifecycle/tls_session_pairs.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr EncryptionLevel kInitial = EncryptionLevel::kInitial;
constexpr EncryptionLevel kHandshake = EncryptionLevel::kHandshake;
constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;
// Of an Initial packet in the least datagram.
constexpr size_t kInitialRoom = 1150;

Bytes Pattern(size_t size, uint64_t offset = 0) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>((offset + i) * 7 / 3);
  return bytes;
}

struct Fragment {
  uint64_t offset;
  Bytes data;
  SentFrame sent;
};

// A part with its pools, and a session.
struct End {
  CryptoStreams streams;
  SendBlockPool send_pool{100};
  ReceiveBlockPool receive_pool{100};
  ScriptedTlsSession session;

  Result Receive(EncryptionLevel level, uint64_t offset, const Bytes& data, TlsSession& tls) {
    const Result result =
        streams.OnCryptoFrame({offset, data}, level, tls, kTlsTime, send_pool, receive_pool);
    if (result.ok()) streams.CheckInvariants();
    return result;
  }
  Result Receive(EncryptionLevel level, uint64_t offset, const Bytes& data) {
    return Receive(level, offset, data, session);
  }

  void Say(EncryptionLevel level, const Bytes& bytes) {
    session.Say(level, bytes);
    streams.CollectFrom(session, send_pool);
  }

  // The CRYPTO frames of one packet.
  std::vector<Fragment> Packet(EncryptionLevel level, size_t room = kInitialRoom) {
    Bytes payload(room);
    FrameWriter writer(payload, {.level = level, .mode = PacketMode::kNormal});
    streams.WriteFrames(writer);
    streams.CheckInvariants();
    std::vector<Fragment> fragments;
    if (!writer.has_frames()) return fragments;
    FrameDecoder decoder(std::span<const uint8_t>(payload).first(writer.frames_size()), level,
                         Perspective::kClient);
    while (!decoder.is_done()) {
      Frame frame;
      EXPECT_TRUE(decoder.Next(&frame).ok());
      const auto& crypto = frame.As<CryptoFrame>();
      const SentFrame sent = writer.sent_frames()[fragments.size()];
      EXPECT_EQ(sent, SentFrame::Crypto({crypto.offset_bytes, crypto.data.size()}));
      fragments.push_back({crypto.offset_bytes, {crypto.data.begin(), crypto.data.end()}, sent});
    }
    return fragments;
  }

  void Ack(EncryptionLevel level, const Fragment& fragment) {
    streams.OnFrameAcked(level, fragment.sent, send_pool);
    streams.CheckInvariants();
  }
};

// ---- Receiving ----

TEST(CryptoStreamsTest, DataInOrderGoesStraightToTls) {
  End end;

  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 100, Pattern(50, 100)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(150));
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, DataBehindAGapWaitsForIt) {
  End end;

  ASSERT_TRUE(end.Receive(kInitial, 100, Pattern(50, 100)).ok());
  EXPECT_TRUE(end.session.heard(kInitial).empty());
  EXPECT_EQ(end.streams.held_bytes(), sizeof(ReceiveBlock));
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(150));
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, OffsetsGoOnAfterAGapWasClosed) {
  End end;
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(10)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 20, Pattern(10, 20)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 10, Pattern(10, 10)).ok());

  ASSERT_TRUE(end.Receive(kInitial, 40, Pattern(10, 40)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 25, Pattern(15, 25)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(50));
}

TEST(CryptoStreamsTest, KnownDataIsNotGivenTwice) {
  End end;
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());

  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 30, Pattern(30, 30)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 50, Pattern(60, 50)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(110));
}

TEST(CryptoStreamsTest, FrameFromBelowReachesBehindTheGap) {
  End end;
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(50)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 80, Pattern(20, 80)).ok());

  ASSERT_TRUE(end.Receive(kInitial, 20, Pattern(100, 20)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(120));
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, EmptyFramesDoNothing) {
  End end;

  ASSERT_TRUE(end.Receive(kInitial, 0, {}).ok());
  ASSERT_TRUE(end.Receive(kInitial, 5, {}).ok());

  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, LevelsAreStreamsOfTheirOwn) {
  End end;

  ASSERT_TRUE(end.Receive(kHandshake, 0, Pattern(30)).ok());
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(20)).ok());
  ASSERT_TRUE(end.Receive(kOneRtt, 0, Pattern(10)).ok());

  EXPECT_EQ(end.session.heard(kInitial), Pattern(20));
  EXPECT_EQ(end.session.heard(kHandshake), Pattern(30));
  EXPECT_EQ(end.session.heard(kOneRtt), Pattern(10));
}

TEST(CryptoStreamsTest, ErrorOfTheSessionComesOutAndItsLastWordsAreSent) {
  End end;
  end.session.FailWith(kApplicationProtocolMissing);

  EXPECT_EQ(end.Receive(kInitial, 0, Pattern(10)), kApplicationProtocolMissing);

  EXPECT_TRUE(end.streams.HasPending(kInitial));
}

TEST(CryptoStreamsTest, ErrorOfTheSessionBehindAGapComesOutToo) {
  End end;
  ASSERT_TRUE(end.Receive(kInitial, 10, Pattern(10, 10)).ok());
  end.session.FailWith(kApplicationProtocolMissing);

  EXPECT_EQ(end.Receive(kInitial, 0, Pattern(10)), kApplicationProtocolMissing);
}

// ---- RFC 9000 §7.5: bounds ----

TEST(CryptoStreamsTest, DataTooFarBehindAGapIsRefused) {
  End end;
  ASSERT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());

  EXPECT_TRUE(end.Receive(kInitial, 100 + 16384 - 10, Pattern(10)).ok());
  EXPECT_EQ(end.Receive(kInitial, 100 + 16384 - 9, Pattern(10)), kCryptoBufferExceeded);
}

TEST(CryptoStreamsTest, NoLevelBuffersMoreThanOurOwnLimit) {
  End end;
  end.session.max_bytes = 1'000'000;

  EXPECT_TRUE(end.Receive(kHandshake, kMaxCryptoBufferBytes - 1, Pattern(1)).ok());
  EXPECT_EQ(end.Receive(kHandshake, kMaxCryptoBufferBytes, Pattern(1)), kCryptoBufferExceeded);
}

TEST(CryptoStreamsTest, GreatestOffsetIsRefused) {
  End end;

  EXPECT_EQ(end.Receive(kOneRtt, kMaxStreamOffset - 1, Pattern(1)), kCryptoBufferExceeded);
}

TEST(CryptoStreamsTest, TinyFragmentsTakeNoMoreThanTheirWindow) {
  End end;
  for (size_t offset = 1; offset < 16384; offset += 2) {
    ASSERT_TRUE(end.streams
                    .OnCryptoFrame({offset, Pattern(1, offset)}, kInitial, end.session, kTlsTime,
                                   end.send_pool, end.receive_pool)
                    .ok());
  }
  end.streams.CheckInvariants();
  EXPECT_LE(end.streams.held_bytes(), 4 * sizeof(ReceiveBlock));

  for (size_t offset = 0; offset < 16384; offset += 2) {
    ASSERT_TRUE(end.streams
                    .OnCryptoFrame({offset, Pattern(1, offset)}, kInitial, end.session, kTlsTime,
                                   end.send_pool, end.receive_pool)
                    .ok());
  }
  EXPECT_EQ(end.session.heard(kInitial), Pattern(16384));
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

// ---- Sending ----

TEST(CryptoStreamsTest, NothingToSendIsNothingPending) {
  End end;

  end.streams.CollectFrom(end.session, end.send_pool);

  EXPECT_FALSE(end.streams.HasPending(kInitial));
  EXPECT_TRUE(end.Packet(kInitial).empty());
}

TEST(CryptoStreamsTest, LargeClientHelloTakesTwoPackets) {
  End end;
  end.Say(kInitial, Pattern(1800));

  const std::vector<Fragment> first = end.Packet(kInitial);
  const std::vector<Fragment> second = end.Packet(kInitial);

  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(first[0].offset, 0u);
  // Type 1, offset 1, length 2.
  EXPECT_EQ(first[0].data, Pattern(kInitialRoom - 4));
  EXPECT_EQ(second[0].data, Pattern(1800 - (kInitialRoom - 4), kInitialRoom - 4));
  EXPECT_FALSE(end.streams.HasPending(kInitial));
}

TEST(CryptoStreamsTest, FramesFillEveryPacketSize) {
  for (size_t room = 0; room < 140; ++room) {
    End end;
    end.Say(kInitial, Pattern(200));

    const std::vector<Fragment> packet = end.Packet(kInitial, room);

    // Type, offset 0 and a length of one byte up to 63, two above.
    const size_t left = room < 3 ? 0 : room - 3;
    const size_t fits = left <= 64 ? std::min<size_t>(left, 63) : left - 1;
    EXPECT_EQ(packet.empty() ? 0 : packet[0].data.size(), fits) << room;
  }
}

TEST(CryptoStreamsTest, DataOfTwoBlocksIsWrittenWhole) {
  End end;
  end.Say(kHandshake, Pattern(kSendBlockBytes - 500));
  end.Say(kHandshake, Pattern(1000, kSendBlockBytes - 500));
  uint64_t offset = 0;
  Bytes sent;

  while (end.streams.HasPending(kHandshake)) {
    for (const Fragment& fragment : end.Packet(kHandshake)) {
      EXPECT_EQ(fragment.offset, offset);
      offset += fragment.data.size();
      sent.insert(sent.end(), fragment.data.begin(), fragment.data.end());
    }
  }

  EXPECT_EQ(sent, Pattern(kSendBlockBytes + 500));
}

TEST(CryptoStreamsTest, LostDataIsSentAgain) {
  End end;
  end.Say(kInitial, Pattern(300));
  const std::vector<Fragment> first = end.Packet(kInitial, 104);
  end.Packet(kInitial);

  end.streams.OnFrameLost(kInitial, first[0].sent);

  EXPECT_TRUE(end.streams.HasPending(kInitial));
  const std::vector<Fragment> again = end.Packet(kInitial);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].offset, 0u);
  EXPECT_EQ(again[0].data, first[0].data);
}

TEST(CryptoStreamsTest, AcknowledgedDataTakesNoMemory) {
  End end;
  end.Say(kInitial, Pattern(300));
  const std::vector<Fragment> packet = end.Packet(kInitial);
  EXPECT_EQ(end.streams.held_bytes(), 300u);

  end.Ack(kInitial, packet[0]);

  EXPECT_EQ(end.streams.held_bytes(), 0u);
  EXPECT_EQ(end.send_pool.free_count(), 1u);
  // Late news of what is done with.
  end.Ack(kInitial, packet[0]);
  end.streams.OnFrameLost(kInitial, packet[0].sent);
  EXPECT_FALSE(end.streams.HasPending(kInitial));
}

TEST(CryptoStreamsTest, OffsetsGoOnAfterAllWasAcknowledged) {
  End end;
  end.Say(kOneRtt, Pattern(300));
  const std::vector<Fragment> first = end.Packet(kOneRtt);
  end.Ack(kOneRtt, first[0]);

  end.Say(kOneRtt, Pattern(200, 300));
  const std::vector<Fragment> second = end.Packet(kOneRtt);

  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].offset, 300u);
  EXPECT_EQ(second[0].data, Pattern(200, 300));
  // News of the first ones does not touch the second.
  end.streams.OnFrameLost(kOneRtt, first[0].sent);
  end.Ack(kOneRtt, first[0]);
  EXPECT_EQ(end.streams.held_bytes(), 200u);
  EXPECT_FALSE(end.streams.HasPending(kOneRtt));
  end.streams.OnFrameLost(kOneRtt, second[0].sent);
  EXPECT_TRUE(end.streams.HasPending(kOneRtt));
  end.Ack(kOneRtt, second[0]);
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, ProbeCarriesTheOldestUnacknowledgedData) {
  End end;
  end.Say(kInitial, Pattern(3000));
  const std::vector<Fragment> first = end.Packet(kInitial);
  const std::vector<Fragment> second = end.Packet(kInitial);
  end.Packet(kInitial);
  end.Ack(kInitial, first[0]);
  EXPECT_FALSE(end.streams.HasPending(kInitial));

  EXPECT_TRUE(end.streams.RequeueOldest(kInitial));

  EXPECT_TRUE(end.streams.HasPending(kInitial));
  EXPECT_EQ(end.Packet(kInitial)[0].offset, second[0].offset);
}

TEST(CryptoStreamsTest, ProbeWithoutDataHasNothing) {
  End end;

  EXPECT_FALSE(end.streams.RequeueOldest(kInitial));
  end.Say(kInitial, Pattern(10));
  // Never sent: pending as it is.
  EXPECT_FALSE(end.streams.RequeueOldest(kInitial));
  end.Ack(kInitial, end.Packet(kInitial)[0]);
  EXPECT_FALSE(end.streams.RequeueOldest(kInitial));
}

TEST(CryptoStreamsTest, ZeroRttPacketsCarryNoCryptoFrames) {
  End end;
  end.Say(kOneRtt, Pattern(100));

  EXPECT_FALSE(end.streams.HasPending(EncryptionLevel::kZeroRtt));
  EXPECT_FALSE(end.streams.RequeueOldest(EncryptionLevel::kZeroRtt));
  EXPECT_TRUE(end.Packet(EncryptionLevel::kZeroRtt).empty());
  // The keys of 0-RTT go, the data of its number space stays.
  end.streams.DiscardLevel(EncryptionLevel::kZeroRtt, end.send_pool, end.receive_pool);
  EXPECT_TRUE(end.streams.HasPending(kOneRtt));
}

// ---- RFC 9001 §4.9: discarded levels ----

TEST(CryptoStreamsTest, DiscardedLevelLetsGoOfEverything) {
  End end;
  end.Say(kInitial, Pattern(300));
  const std::vector<Fragment> packet = end.Packet(kInitial, 100);
  ASSERT_TRUE(end.Receive(kInitial, 50, Pattern(10)).ok());

  end.streams.DiscardLevel(kInitial, end.send_pool, end.receive_pool);

  EXPECT_EQ(end.streams.held_bytes(), 0u);
  EXPECT_EQ(end.send_pool.free_count(), 1u);
  EXPECT_EQ(end.receive_pool.free_count(), 1u);
  EXPECT_FALSE(end.streams.HasPending(kInitial));
  EXPECT_FALSE(end.streams.RequeueOldest(kInitial));
  end.Ack(kInitial, packet[0]);
  end.streams.OnFrameLost(kInitial, packet[0].sent);
  EXPECT_FALSE(end.streams.HasPending(kInitial));
}

TEST(CryptoStreamsTest, DataOfADiscardedLevelIsIgnored) {
  End end;
  end.streams.DiscardLevel(kInitial, end.send_pool, end.receive_pool);

  EXPECT_TRUE(end.Receive(kInitial, 0, Pattern(100)).ok());
  EXPECT_TRUE(end.Receive(kInitial, kMaxStreamOffset - 1, Pattern(1)).ok());
  end.Say(kInitial, Pattern(100));

  EXPECT_TRUE(end.session.heard(kInitial).empty());
  EXPECT_TRUE(end.session.PendingCryptoData(kInitial).empty());
  EXPECT_FALSE(end.streams.HasPending(kInitial));
  EXPECT_EQ(end.streams.held_bytes(), 0u);
}

TEST(CryptoStreamsTest, OtherLevelsSurviveADiscard) {
  End end;
  end.Say(kHandshake, Pattern(100));

  end.streams.DiscardLevel(kInitial, end.send_pool, end.receive_pool);

  EXPECT_TRUE(end.streams.HasPending(kHandshake));
  EXPECT_TRUE(end.Receive(kHandshake, 0, Pattern(100)).ok());
  EXPECT_EQ(end.session.heard(kHandshake), Pattern(100));
}

TEST(CryptoStreamsTest, ReleasedBlocksGoBackToTheirPools) {
  End end;
  for (const EncryptionLevel level : {kInitial, kHandshake, kOneRtt}) {
    end.Say(level, Pattern(100));
    ASSERT_TRUE(end.Receive(level, 10, Pattern(10)).ok());
  }

  end.streams.ReleaseAll(end.send_pool, end.receive_pool);

  EXPECT_EQ(end.streams.held_bytes(), 0u);
  EXPECT_EQ(end.send_pool.free_count(), 3u);
  EXPECT_EQ(end.receive_pool.free_count(), 3u);
}

// ---- RFC 9001 §4.1.3, with sessions that know the rules ----

TEST(CryptoStreamsTest, NewDataAtALevelThatTlsHasLeftIsRefused) {
  TlsSessionPair pair = NewDeterministicPair();
  const std::span<const uint8_t> pending = pair.client->PendingCryptoData(kInitial);
  const Bytes hello(pending.begin(), pending.end());
  End server;
  ASSERT_TRUE(server.Receive(kInitial, 0, hello, *pair.server).ok());
  ASSERT_TRUE(server.streams.HasPending(kHandshake));

  EXPECT_TRUE(server.Receive(kInitial, 0, hello, *pair.server).ok());
  EXPECT_EQ(server.Receive(kInitial, hello.size(), Pattern(4), *pair.server),
            kCryptoDataAtOldLevel);
}

TEST(CryptoStreamsTest, SecondHalfOfAClientHelloMayComeFirst) {
  TlsSessionPair pair = NewDeterministicPair({.client_hello_bytes = 1800});
  End client;
  client.streams.CollectFrom(*pair.client, client.send_pool);
  const Fragment first = client.Packet(kInitial)[0];
  const Fragment second = client.Packet(kInitial)[0];
  End server;

  ASSERT_TRUE(server.Receive(kInitial, second.offset, second.data, *pair.server).ok());
  EXPECT_FALSE(server.streams.HasPending(kInitial));
  ASSERT_TRUE(server.Receive(kInitial, first.offset, first.data, *pair.server).ok());

  EXPECT_TRUE(server.streams.HasPending(kInitial));
  EXPECT_TRUE(server.streams.HasPending(kHandshake));
}

}  // namespace
}  // namespace godwit
