// SPDX-License-Identifier: Apache-2.0
//
// What the parts leave on the heap: nothing for a packet, and nothing of the handshake once it is
// over. This binary counts operator new and delete.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "tests/base/heap_counter.h"
#include "tests/transport/lifecycle/tls_session_pairs.h"
#include "transport/delivery/frame_writer.h"
#include "transport/lifecycle/close_state.h"
#include "transport/lifecycle/crypto_streams.h"
#include "transport/lifecycle/handshake_state.h"
#include "transport/lifecycle/idle_timer.h"
#include "transport/lifecycle/key_manager.h"
#include "transport/lifecycle/undecryptable_packets.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {
namespace {

constexpr uint8_t kCid[8] = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt};

TEST(AllocationTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().live_bytes;

  int* const number = new int(1);
  EXPECT_GT(CountHeap().live_bytes, before);
  delete number;

  EXPECT_EQ(CountHeap().live_bytes, before);
}

void InstallOneRtt(KeyManager& keys, SecretDirection direction, uint8_t content) {
  keys.InstallSecret(
      {EncryptionLevel::kOneRtt, direction,
       TrafficSecret(CipherSuite::kAes128GcmSha256, std::vector<uint8_t>(32, content))});
}

TEST(AllocationTest, OneRttPacketsTakeNothing) {
  KeyManager client(Perspective::kClient, kCid);
  KeyManager server(Perspective::kServer, kCid);
  InstallOneRtt(client, SecretDirection::kSend, 1);
  InstallOneRtt(client, SecretDirection::kRecv, 2);
  InstallOneRtt(server, SecretDirection::kSend, 2);
  InstallOneRtt(server, SecretDirection::kRecv, 1);
  IdleTimer idle({}, Timestamp::Zero());
  std::vector<uint8_t> packet(1200);
  uint64_t opened_count = 0;

  const uint64_t before = CountHeap().allocations;
  std::optional<PacketNumber> largest;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const Timestamp now = Timestamp::Zero() + Duration::Microseconds(static_cast<int64_t>(i));
    const PacketNumber number(i);
    ByteWriter writer(packet);
    EncodeShortHeader({.dcid = kCid, .packet_number = number, .packet_number_size = 2}, writer);
    const OutgoingPacket outgoing = {packet, writer.position(), number};
    ASSERT_TRUE(client.PrepareToSeal(1, now).ok());
    ASSERT_TRUE(client.Seal(EncryptionLevel::kOneRtt, {&outgoing, 1}));
    idle.OnAckElicitingSent(now);

    DatagramSplitter splitter(packet, PacketRules(sizeof(kCid)));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    ProtectedPacket received = part.packet();
    const HeaderPosition position = {received.bytes(), received.packet_number_offset()};
    server.Unprotect(EncryptionLevel::kOneRtt, {&position, 1});
    const KeyManager::Opened opened = server.Open(
        std::move(received).HeaderProtectionRemoved(largest), now, Duration::Milliseconds(100));
    if (opened.outcome.opened && opened.outcome.result.ok()) ++opened_count;
    largest = number;
    idle.OnPacketReceived(now);
  }

  EXPECT_EQ(CountHeap().allocations, before);
  EXPECT_EQ(opened_count, 10'000u);
}

struct End {
  explicit End(Perspective perspective) : keys(perspective, kCid), handshake(perspective) {}

  void Collect(TlsSession& session) {
    streams.CollectFrom(session, send_pool);
    while (const auto secret = session.PollSecret()) keys.InstallSecret(*secret);
  }

  CryptoStreams streams;
  KeyManager keys;
  HandshakeState handshake;
  UndecryptablePackets undecryptable;
  CloseState close;
  SendBlockPool send_pool{0};
  ReceiveBlockPool receive_pool{0};
};

// Sends everything; what goes out is acknowledged at once.
void Flush(End& from, TlsSession& from_session, End& to, TlsSession& to_session) {
  from.Collect(from_session);
  for (const EncryptionLevel level : kLevels) {
    uint8_t payload[4000];
    FrameWriter writer(payload, {.level = level, .mode = PacketMode::kNormal});
    from.streams.WriteFrames(writer);
    if (!writer.has_frames()) continue;
    const SentFrame sent = writer.sent_frames()[0];
    ASSERT_EQ(writer.sent_frames().size(), 1u);
    const std::span<const uint8_t> data =
        std::span(payload).first(writer.frames_size()).last(sent.range().length_bytes);
    // The second half comes first.
    for (const size_t begin : {data.size() / 2, size_t{0}}) {
      ASSERT_TRUE(
          to.streams
              .OnCryptoFrame({sent.range().offset_bytes + begin,
                              begin == 0 ? data.first(data.size() / 2) : data.subspan(begin)},
                             level, to_session, kTlsTime, to.send_pool, to.receive_pool)
              .ok());
      to.Collect(to_session);
    }
    from.streams.OnFrameAcked(level, sent, from.send_pool);
  }
}

// A handshake, up to the tickets, with what follows from it.
void RunHandshake(End& client, End& server) {
  RealTlsSessions sessions;
  TlsSessionPair pair = sessions.NewPair();
  const std::vector<uint8_t> packet(100);
  ASSERT_TRUE(client.undecryptable.Keep(EncryptionLevel::kOneRtt, packet, PathId(0),
                                        Timestamp::Zero(), EcnMark::kNotEct));
  for (int round = 0; round < 3; ++round) {
    Flush(client, *pair.client, server, *pair.server);
    Flush(server, *pair.server, client, *pair.client);
  }
  ASSERT_TRUE(pair.client->facts().handshake_complete);
  ASSERT_TRUE(pair.server->facts().handshake_complete);
  ASSERT_TRUE(pair.client->PollResumptionTicket({}).has_value());
  ASSERT_EQ(client.undecryptable.TakeReady(EncryptionLevel::kOneRtt).size(), 1u);
  for (End* end : {&client, &server}) {
    end->handshake.OnTlsComplete();
    for (const EncryptionLevel level : {EncryptionLevel::kInitial, EncryptionLevel::kHandshake}) {
      end->keys.Discard(level);
      end->streams.DiscardLevel(level, end->send_pool, end->receive_pool);
    }
  }
}

// 1-RTT keys live inside KeyManager and in the cryptography's own memory, which is not counted.
TEST(AllocationTest, NothingOfTheHandshakeStaysOnTheHeap) {
  {
    // What is made once for the whole process.
    End client(Perspective::kClient);
    End server(Perspective::kServer);
    RunHandshake(client, server);
  }
  const uint64_t before = CountHeap().live_bytes;
  End client(Perspective::kClient);
  End server(Perspective::kServer);
  EXPECT_GT(CountHeap().live_bytes, before);

  RunHandshake(client, server);

  EXPECT_EQ(CountHeap().live_bytes, before);
  EXPECT_TRUE(client.keys.CanSeal(EncryptionLevel::kOneRtt));
}

}  // namespace
}  // namespace godwit
