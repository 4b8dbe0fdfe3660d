// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/handshake_state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/protocol_errors.h"
#include "transport/wire/byte_writer.h"

namespace godwit {
namespace {

ConnectionId Id(uint8_t content) {
  return *ConnectionId::FromBytes(std::vector<uint8_t>(8, content));
}

const ConnectionId kOriginal = Id(1);
const ConnectionId kClientId = Id(2);
const ConnectionId kServerId = Id(3);
const ConnectionId kRetryId = Id(4);
const HandshakeConnectionIds kAtClient = {.peer_initial_source = kServerId,
                                          .original_destination = kOriginal};
const HandshakeConnectionIds kAtServer = {.peer_initial_source = kClientId};

std::vector<uint8_t> Encoded(const TransportParameters& parameters, Perspective sender) {
  std::vector<uint8_t> block(EncodedSize(parameters));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, sender, {}, writer);
  return block;
}

TransportParameters ServersParameters() {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Seconds(9);
  parameters.initial_source_connection_id = kServerId;
  parameters.original_destination_connection_id = kOriginal;
  return parameters;
}

TransportParameters ClientsParameters() {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Seconds(7);
  parameters.initial_source_connection_id = kClientId;
  return parameters;
}

Result AtClient(const TransportParameters& parameters, const HandshakeConnectionIds& ids) {
  HandshakeState state(Perspective::kClient);
  return state.OnPeerParameters(Encoded(parameters, Perspective::kServer), ids);
}

struct Packet {
  explicit Packet(uint64_t number, size_t size = 100)
      : room(size),
        writer(room, {.level = EncryptionLevel::kOneRtt,
                      .mode = PacketMode::kNormal,
                      .number = PacketNumber(number)}) {}

  std::vector<uint8_t> room;
  FrameWriter writer;
};

HandshakeState CompleteServer() {
  HandshakeState state(Perspective::kServer);
  state.OnTlsComplete();
  return state;
}

// ---- RFC 9001 §4.1: complete and confirmed ----

TEST(HandshakeStateTest, BeginsNeitherCompleteNorConfirmed) {
  const HandshakeState state(Perspective::kClient);

  EXPECT_FALSE(state.is_complete());
  EXPECT_FALSE(state.is_confirmed());
  EXPECT_FALSE(state.HasPendingFrames());
}

TEST(HandshakeStateTest, ServersHandshakeIsConfirmedWhenComplete) {
  HandshakeState state(Perspective::kServer);

  EXPECT_TRUE(state.OnTlsComplete());
  EXPECT_TRUE(state.is_complete());
  EXPECT_TRUE(state.is_confirmed());
  EXPECT_TRUE(state.HasPendingFrames());
  EXPECT_FALSE(state.OnTlsComplete());
  state.CheckInvariants();
}

TEST(HandshakeStateTest, ClientsHandshakeIsConfirmedByHandshakeDone) {
  HandshakeState state(Perspective::kClient);

  EXPECT_TRUE(state.OnTlsComplete());
  EXPECT_FALSE(state.OnTlsComplete());
  EXPECT_TRUE(state.is_complete());
  EXPECT_FALSE(state.is_confirmed());
  EXPECT_FALSE(state.HasPendingFrames());
  EXPECT_TRUE(state.OnHandshakeDoneFrame());
  EXPECT_TRUE(state.is_confirmed());
  EXPECT_FALSE(state.OnHandshakeDoneFrame());
  state.CheckInvariants();
}

// ---- RFC 9000 §13.3, §19.20: HANDSHAKE_DONE ----

TEST(HandshakeStateTest, HandshakeDoneIsSentOnce) {
  HandshakeState state = CompleteServer();
  Packet packet(5);

  state.WriteFrames(packet.writer);
  state.WriteFrames(packet.writer);

  EXPECT_EQ(packet.writer.frames_size(), 1u);
  EXPECT_EQ(packet.room[0], 0x1e);
  ASSERT_EQ(packet.writer.sent_frames().size(), 1u);
  EXPECT_EQ(packet.writer.sent_frames()[0], SentFrame::HandshakeDone());
  EXPECT_FALSE(state.HasPendingFrames());
}

TEST(HandshakeStateTest, LostHandshakeDoneIsSentAgainUntilAcknowledged) {
  HandshakeState state = CompleteServer();
  Packet first(5);
  Packet second(8);

  state.WriteFrames(first.writer);
  state.OnFrameLost(PacketNumber(5), SentFrame::HandshakeDone());
  EXPECT_TRUE(state.HasPendingFrames());
  state.WriteFrames(second.writer);
  state.OnFrameAcked(PacketNumber(8), SentFrame::HandshakeDone());
  state.OnFrameLost(PacketNumber(8), SentFrame::HandshakeDone());

  EXPECT_FALSE(state.HasPendingFrames());
  state.CheckInvariants();
}

TEST(HandshakeStateTest, LateAcknowledgmentStopsTheRepetition) {
  HandshakeState state = CompleteServer();
  Packet packet(5);
  state.WriteFrames(packet.writer);
  state.OnFrameLost(PacketNumber(5), SentFrame::HandshakeDone());

  state.OnFrameAcked(PacketNumber(5), SentFrame::HandshakeDone());

  EXPECT_FALSE(state.HasPendingFrames());
}

TEST(HandshakeStateTest, HandshakeDoneWithoutRoomStaysPending) {
  HandshakeState state = CompleteServer();
  Packet packet(5, 0);

  state.WriteFrames(packet.writer);

  EXPECT_TRUE(state.HasPendingFrames());
}

// ---- RFC 9000 §7.3, §7.4; RFC 9001 §8.2: the peer's parameters ----

TEST(HandshakeStateTest, ClientTakesItsServersParameters) {
  HandshakeState state(Perspective::kClient);
  EXPECT_EQ(state.peer_parameters(), nullptr);

  EXPECT_TRUE(
      state.OnPeerParameters(Encoded(ServersParameters(), Perspective::kServer), kAtClient).ok());

  EXPECT_EQ(*state.peer_parameters(), ServersParameters());
}

TEST(HandshakeStateTest, ServerTakesItsClientsParameters) {
  HandshakeState state(Perspective::kServer);

  EXPECT_TRUE(
      state.OnPeerParameters(Encoded(ClientsParameters(), Perspective::kClient), kAtServer).ok());

  EXPECT_EQ(*state.peer_parameters(), ClientsParameters());
}

TEST(HandshakeStateTest, MissingParametersAreRefused) {
  HandshakeState state(Perspective::kServer);

  EXPECT_EQ(state.OnPeerParameters({}, kAtServer), kTransportParametersMissing);
  EXPECT_EQ(state.peer_parameters(), nullptr);
}

TEST(HandshakeStateTest, MalformedParametersAreRefused) {
  HandshakeState state(Perspective::kServer);
  const std::array<uint8_t, 1> cut = {0x01};

  EXPECT_EQ(state.OnPeerParameters(cut, kAtServer), kTransportParameterTruncated);
  EXPECT_EQ(state.peer_parameters(), nullptr);
}

TEST(HandshakeStateTest, ServersParameterFromAClientIsRefused) {
  HandshakeState state(Perspective::kServer);

  EXPECT_EQ(state.OnPeerParameters(Encoded(ServersParameters(), Perspective::kServer), kAtServer),
            kServerParameterFromClient);
}

TEST(HandshakeStateTest, ClientAuthenticatesTheServersConnectionIds) {
  TransportParameters other_source = ServersParameters();
  other_source.initial_source_connection_id = kRetryId;
  TransportParameters other_original = ServersParameters();
  other_original.original_destination_connection_id = kRetryId;
  TransportParameters with_retry = ServersParameters();
  with_retry.retry_source_connection_id = kRetryId;
  HandshakeConnectionIds after_retry = kAtClient;
  after_retry.retry_source = kRetryId;

  EXPECT_EQ(AtClient(other_source, kAtClient), kInitialSourceConnectionIdMismatch);
  EXPECT_EQ(AtClient(other_original, kAtClient), kOriginalDestinationConnectionIdMismatch);
  EXPECT_EQ(AtClient(with_retry, kAtClient), kRetrySourceConnectionIdUnexpected);
  EXPECT_EQ(AtClient(ServersParameters(), after_retry), kRetrySourceConnectionIdMissing);
  EXPECT_TRUE(AtClient(with_retry, after_retry).ok());
}

TEST(HandshakeStateTest, ServerAuthenticatesTheClientsConnectionId) {
  HandshakeState state(Perspective::kServer);
  TransportParameters parameters = ClientsParameters();
  parameters.initial_source_connection_id = kRetryId;

  EXPECT_EQ(state.OnPeerParameters(Encoded(parameters, Perspective::kClient), kAtServer),
            kInitialSourceConnectionIdMismatch);
  EXPECT_EQ(state.peer_parameters(), nullptr);
}

TEST(HandshakeStateTest, ParametersAreReadOnce) {
  HandshakeState state(Perspective::kServer);
  ASSERT_TRUE(
      state.OnPeerParameters(Encoded(ClientsParameters(), Perspective::kClient), kAtServer).ok());

  EXPECT_TRUE(state.OnPeerParameters({}, kAtServer).ok());

  EXPECT_EQ(*state.peer_parameters(), ClientsParameters());
}

// ---- The handshake's own timeout ----

TEST(HandshakeStateTest, TimesOutAtItsDeadlineUnlessComplete) {
  const Timestamp deadline = Timestamp::Zero() + Duration::Seconds(10);
  HandshakeState state(Perspective::kClient, deadline);

  EXPECT_EQ(state.next_deadline(), deadline);
  EXPECT_FALSE(state.has_timed_out(deadline - Duration::Nanoseconds(1)));
  EXPECT_TRUE(state.has_timed_out(deadline));
  state.OnTlsComplete();
  EXPECT_EQ(state.next_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(state.has_timed_out(deadline));
}

}  // namespace
}  // namespace godwit
