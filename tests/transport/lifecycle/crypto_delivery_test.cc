// SPDX-License-Identifier: Apache-2.0
//
// Handshakes and tickets through CryptoStreams over a network that does what networks do.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/seeded_random.h"
#include "crypto/tls_session.h"
#include "tests/transport/lifecycle/crypto_world.h"
#include "tests/transport/lifecycle/tls_session_pairs.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt};

// Ends whose handshake is over, as the connection leaves them: nothing may be held.
void ExpectNothingHeldAfterDiscard(CryptoWorld& world) {
  for (CryptoEnd* end : {&world.client, &world.server}) {
    for (const EncryptionLevel level : {EncryptionLevel::kInitial, EncryptionLevel::kHandshake}) {
      end->streams.DiscardLevel(level, end->send_pool, end->receive_pool);
      end->keys.Discard(level);
    }
    EXPECT_EQ(end->streams.held_bytes(), 0u);
    end->streams.CheckInvariants();
    end->keys.CheckInvariants();
  }
}

void ExpectHandshakeCompletes(TlsSessionPair pair, uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  CryptoWorld world(std::move(pair.client), std::move(pair.server), seed);

  ASSERT_TRUE(world.Run());

  for (CryptoEnd* end : {&world.client, &world.server}) {
    EXPECT_TRUE(end->result.ok()) << end->result.error().reason;
    EXPECT_TRUE(end->session->facts().handshake_complete);
    EXPECT_TRUE(end->keys.CanSeal(EncryptionLevel::kOneRtt));
    EXPECT_TRUE(end->keys.CanOpen(EncryptionLevel::kOneRtt));
  }
  ExpectNothingHeldAfterDiscard(world);
}

TEST(CryptoDeliveryTest, DeterministicHandshakesCompleteWhateverTheNetworkDoes) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    ExpectHandshakeCompletes(NewDeterministicPair({.seed = seed}), seed);
  }
}

TEST(CryptoDeliveryTest, LargeMessagesCompleteToo) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    ExpectHandshakeCompletes(NewDeterministicPair({.seed = seed,
                                                   .client_hello_bytes = 3000,
                                                   .certificate_bytes = 30'000,
                                                   .ticket_bytes = 5000}),
                             seed);
  }
}

TEST(CryptoDeliveryTest, RealHandshakesCompleteWhateverTheNetworkDoes) {
  RealTlsSessions sessions;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    ExpectHandshakeCompletes(sessions.NewPair(), seed);
  }
}

TEST(CryptoDeliveryTest, TicketsArriveAfterTheHandshake) {
  RealTlsSessions sessions;
  TlsSessionPair pair = sessions.NewPair();
  CryptoWorld world(std::move(pair.client), std::move(pair.server), 1);

  ASSERT_TRUE(world.Run());

  EXPECT_TRUE(world.client.session->PollResumptionTicket({}).has_value());
}

TEST(CryptoDeliveryTest, RefusalOfTheSessionEndsTheHandshake) {
  CryptoWorld world(NewDeterministicPair().client,
                    NewDeterministicPair({.refusal_alert = 42}).server, 1);

  ASSERT_TRUE(world.Run());

  ASSERT_FALSE(world.server.result.ok());
  EXPECT_EQ(static_cast<uint64_t>(world.server.result.error().code), 0x100u + 42);
}

// RFC 9001 §5.7: no 1-RTT packet is read before the handshake is complete.
template <typename NewPair>
void ExpectOneRttIsReadOnlyWhenComplete(NewPair new_pair) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    TlsSessionPair pair = new_pair();
    CryptoEnd client(Perspective::kClient, std::move(pair.client));
    CryptoEnd server(Perspective::kServer, std::move(pair.server));
    bool was_seen_incomplete = false;
    // A byte at a time, to see every state in between.
    for (int round = 0; round < 4; ++round) {
      for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
        for (const EncryptionLevel level : kLevels) {
          std::vector<uint8_t> payload(20'000);
          FrameWriter writer(payload, {.level = level, .mode = PacketMode::kNormal});
          from->streams.WriteFrames(writer);
          if (!writer.has_frames()) continue;
          const StreamRange range = writer.sent_frames()[0].range();
          ASSERT_EQ(writer.sent_frames().size(), 1u);
          const std::span<const uint8_t> frame =
              std::span(payload).first(writer.frames_size()).last(range.length_bytes);
          for (size_t i = 0; i < frame.size(); ++i) {
            to->Receive(level, range.offset_bytes + i, frame.subspan(i, 1));
            ASSERT_TRUE(to->result.ok());
            const bool is_complete = to->session->facts().handshake_complete;
            EXPECT_EQ(to->keys.CanOpen(EncryptionLevel::kOneRtt), is_complete);
            was_seen_incomplete = was_seen_incomplete || !is_complete;
          }
        }
      }
    }
    EXPECT_TRUE(was_seen_incomplete);
    EXPECT_TRUE(server.session->facts().handshake_complete);
  }
}

TEST(CryptoDeliveryTest, OneRttIsReadOnlyWhenTheHandshakeIsComplete) {
  ExpectOneRttIsReadOnlyWhenComplete([] { return NewDeterministicPair(); });
}

TEST(CryptoDeliveryTest, OneRttIsReadOnlyWhenARealHandshakeIsComplete) {
  RealTlsSessions sessions;
  ExpectOneRttIsReadOnlyWhenComplete([&] { return sessions.NewPair(); });
}

// ---- Against a model: what was said is what is heard ----

TEST(CryptoDeliveryTest, EveryByteIsHeardOnceAndInOrder) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    SeededRandom random(seed);
    auto owned_client = std::make_unique<ScriptedTlsSession>();
    auto owned_server = std::make_unique<ScriptedTlsSession>();
    ScriptedTlsSession* const sessions[2] = {owned_client.get(), owned_server.get()};
    CryptoWorld world(std::move(owned_client), std::move(owned_server), seed);
    CryptoEnd* const ends[2] = {&world.client, &world.server};
    for (CryptoEnd* end : ends) {
      for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
        const TrafficSecret secret(CipherSuite::kAes128GcmSha256, std::vector<uint8_t>(32, 1));
        end->keys.InstallSecret({level, SecretDirection::kSend, secret});
        end->keys.InstallSecret({level, SecretDirection::kRecv, secret});
      }
    }
    for (ScriptedTlsSession* session : sessions) session->max_bytes = kMaxCryptoBufferBytes;
    std::vector<uint8_t> said[2][kEncryptionLevelCount];

    // In several flights, some of which begin when all of the last one was acknowledged.
    for (int flight = 0; flight < 4; ++flight) {
      for (size_t i = 0; i < 2; ++i) {
        const EncryptionLevel level = kLevels[random.UniformBelow(3)];
        std::vector<uint8_t> bytes(random.UniformBelow(14'000));
        random.Fill(bytes);
        sessions[i]->Say(level, bytes);
        ends[i]->Collect();
        std::vector<uint8_t>& all = said[i][static_cast<size_t>(level)];
        all.insert(all.end(), bytes.begin(), bytes.end());
      }
      const bool is_awaited = random.UniformBelow(2) == 0;
      if (is_awaited) {
        ASSERT_TRUE(world.Run());
      }
    }
    ASSERT_TRUE(world.Run());

    for (size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(ends[i]->result.ok());
      EXPECT_EQ(ends[i]->streams.held_bytes(), 0u);
      for (const EncryptionLevel level : kLevels) {
        EXPECT_EQ(sessions[1 - i]->heard(level), said[i][static_cast<size_t>(level)]);
      }
    }
  }
}

}  // namespace
}  // namespace godwit
