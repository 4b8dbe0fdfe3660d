// SPDX-License-Identifier: Apache-2.0
//
// Handshakes that must fail: TLS messages at wrong times, transport parameters that are wrong or
// not those of the packets. RFC 9000 §7.3, §7.4, §7.5; RFC 9001 §4.

#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

constexpr uint64_t kCryptoType = 0x06;

void DeliverFlight(PuppetStage& stage) {
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
}

// Until the connection closes.
void RunHandshake(PuppetStage& stage) {
  for (int round = 0; round < 10; ++round) {
    stage.Pump();
    DeliverFlight(stage);
    if (stage.subject().close_phase() != CloseState::Phase::kOpen) return;
  }
}

// ---- TLS ----

TEST(BadHandshakeTest, GarbageInsteadOfAClientHello) {
  PuppetStage stage;

  stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(0, raw::Bytes(200, 0xee)));
  stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(0, raw::Bytes{2, 0, 0, 0}));

  ExpectOpen(stage);  // 0xee announces a message of 15 megabytes.
}

TEST(BadHandshakeTest, MessageThatMayNotComeFirst) {
  PuppetStage stage;

  stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(0, raw::Bytes{2, 0, 0, 0}));

  ExpectClosedFor(stage, TlsAlertError(10), kCryptoType);
}

TEST(BadHandshakeTest, ClientHelloThatCannotBeRead) {
  PuppetStage stage;

  stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(0, raw::Bytes{1, 0, 0, 2, 9, 9}));

  ExpectClosedFor(stage, TlsAlertError(50), kCryptoType);
}

TEST(BadHandshakeTest, ClientHelloWithoutEnd) {
  PuppetStage stage;
  uint64_t offset = 0;
  raw::Bytes chunk(1000);
  chunk[0] = 1;
  chunk[1] = 0xff;

  while (stage.subject().close_phase() == CloseState::Phase::kOpen) {
    ASSERT_LE(offset, 2 * kMaxCryptoBufferBytes);
    stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(offset, chunk));
    offset += chunk.size();
  }

  ExpectClosedFor(stage, kCryptoBufferExceeded, kCryptoType);
}

TEST(BadHandshakeTest, NothingInCommonToSpeak) {
  PuppetStage stage({.puppet_tls = {.application_protocols = {"other"}}});

  DeliverFlight(stage);

  ExpectClosedFor(stage, kApplicationProtocolMissing, kCryptoType);
}

TEST(BadHandshakeTest, ServerThatRefusesItsClient) {
  PuppetStage stage({.subject_tls = {.refusal_alert = 80}});

  DeliverFlight(stage);

  ExpectClosedFor(stage, TlsAlertError(80), kCryptoType);
}

TEST(BadHandshakeTest, ClientThatRefusesItsServer) {
  PuppetStage stage({.subject = Perspective::kClient, .subject_tls = {.refusal_alert = 48}});

  RunHandshake(stage);

  ExpectClosedFor(stage, TlsAlertError(48), kCryptoType);
}

TEST(BadHandshakeTest, BytesBehindTheClientHello) {
  PuppetStage stage;
  std::vector<raw::Bytes> frames = stage.puppet().TakeCryptoFrames(EncryptionLevel::kInitial, 1000);
  ASSERT_EQ(frames.size(), 1u);

  stage.SendAt(EncryptionLevel::kInitial,
               raw::Join(raw::Crypto(frames[0].size() - 4, BytesOf("xyz")), frames[0]));

  ExpectClosedFor(stage, kCryptoDataLeftAtLevel, kCryptoType);
}

TEST(BadHandshakeTest, MoreInInitialPacketsAfterTheClientHello) {
  PuppetStage stage;
  DeliverFlight(stage);

  stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(300, BytesOf("x")));

  ExpectClosedFor(stage, kCryptoDataAtOldLevel, kCryptoType);
}

TEST(BadHandshakeTest, WrongFinished) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();

  stage.SendAt(EncryptionLevel::kHandshake,
               raw::Crypto(0, raw::Join(raw::Bytes{20, 0, 0, 32}, raw::Bytes(32))));

  ExpectClosedFor(stage, TlsAlertError(51), kCryptoType);
}

TEST(BadHandshakeTest, TlsMessageToAServerAfterTheHandshake) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.SendAt(EncryptionLevel::kOneRtt, raw::Crypto(0, raw::Bytes{24, 0, 0, 1, 0}));

  ExpectClosedFor(stage, TlsAlertError(10), kCryptoType);
}

TEST(BadHandshakeTest, RealTlsRefusesAMessageAfterTheHandshake) {
  TlsEndpoints tls;
  PuppetStage stage({.servers = &tls.server(), .clients = &tls.client()});
  stage.CompleteHandshake();

  stage.SendAt(EncryptionLevel::kOneRtt, raw::Crypto(0, raw::Bytes{24, 0, 0, 1, 0}));

  ExpectClosedFor(stage, TlsAlertError(10), kCryptoType);
}

// ---- Transport parameters that name other connection ids: RFC 9000 §7.3 ----

void ExpectRefused(Perspective subject, void (*edit)(TransportParameters&),
                   const ProtocolError& error) {
  PuppetStage stage({.subject = subject, .edit_parameters = edit});

  RunHandshake(stage);

  ExpectClosedFor(stage, error, 0);
}

TEST(BadHandshakeTest, ClientWithoutInitialSource) {
  ExpectRefused(
      Perspective::kServer,
      [](TransportParameters& p) { p.initial_source_connection_id = std::nullopt; },
      kInitialSourceConnectionIdMissing);
}

TEST(BadHandshakeTest, ClientWithAnotherInitialSource) {
  ExpectRefused(
      Perspective::kServer,
      [](TransportParameters& p) { p.initial_source_connection_id = ConnectionId(); },
      kInitialSourceConnectionIdMismatch);
}

TEST(BadHandshakeTest, ServerWithoutInitialSource) {
  ExpectRefused(
      Perspective::kClient,
      [](TransportParameters& p) { p.initial_source_connection_id = std::nullopt; },
      kInitialSourceConnectionIdMissing);
}

TEST(BadHandshakeTest, ServerWithAnotherInitialSource) {
  ExpectRefused(
      Perspective::kClient,
      [](TransportParameters& p) { p.initial_source_connection_id = ConnectionId(); },
      kInitialSourceConnectionIdMismatch);
}

TEST(BadHandshakeTest, ServerWithoutOriginalDestination) {
  ExpectRefused(
      Perspective::kClient,
      [](TransportParameters& p) { p.original_destination_connection_id = std::nullopt; },
      kOriginalDestinationConnectionIdMissing);
}

TEST(BadHandshakeTest, ServerWithAnotherOriginalDestination) {
  ExpectRefused(
      Perspective::kClient,
      [](TransportParameters& p) { p.original_destination_connection_id = ConnectionId(); },
      kOriginalDestinationConnectionIdMismatch);
}

TEST(BadHandshakeTest, ServerWithRetrySourceWithoutARetry) {
  ExpectRefused(
      Perspective::kClient,
      [](TransportParameters& p) { p.retry_source_connection_id = ConnectionId(); },
      kRetrySourceConnectionIdUnexpected);
}

TEST(BadHandshakeTest, RealTlsEndsOverWrongParametersToo) {
  TlsEndpoints tls;
  PuppetStage stage({.servers = &tls.server(),
                     .clients = &tls.client(),
                     .edit_parameters = [](TransportParameters& p) {
                       p.initial_source_connection_id = ConnectionId();
                     }});

  RunHandshake(stage);

  ExpectClosedFor(stage, kInitialSourceConnectionIdMismatch, 0);
}

// ---- Transport parameters that are malformed: RFC 9000 §7.4, §18.2 ----

struct BlockCase {
  raw::Bytes block;
  const ProtocolError* error;
};

raw::Bytes Parameter(uint64_t id, const raw::Bytes& value) {
  return raw::Join(raw::Varints({id, value.size()}), value);
}

TEST(BadHandshakeTest, MalformedParametersOfAClient) {
  const raw::Bytes good = Parameter(0x04, raw::Varint(1000));
  const std::vector<BlockCase> cases = {
      {raw::Join(good, good), &kTransportParameterDuplicate},
      {raw::Bytes{0x04, 0x08, 0x00}, &kTransportParameterTruncated},
      {Parameter(0x04, {}), &kTransportParameterIntegerMalformed},
      {Parameter(0x04, {1, 2}), &kTransportParameterIntegerMalformed},
      {Parameter(0x00, {1, 2, 3}), &kServerParameterFromClient},
      {Parameter(0x02, raw::Bytes(16)), &kServerParameterFromClient},
      {Parameter(0x10, {1}), &kServerParameterFromClient},
      {Parameter(0x0f, raw::Bytes(21)), &kConnectionIdParameterTooLong},
      {Parameter(0x03, raw::Varint(1199)), &kMaxUdpPayloadSizeTooSmall},
      {Parameter(0x08, raw::Varint(kMaxStreams + 1)), &kInitialMaxStreamsBidiTooLarge},
      {Parameter(0x09, raw::Varint(kMaxStreams + 1)), &kInitialMaxStreamsUniTooLarge},
      {Parameter(0x0a, raw::Varint(21)), &kAckDelayExponentTooLarge},
      {Parameter(0x0b, raw::Varint(1 << 14)), &kMaxAckDelayTooLarge},
      {Parameter(0x0c, {1}), &kDisableActiveMigrationNotEmpty},
      {Parameter(0x0e, raw::Varint(1)), &kActiveConnectionIdLimitTooSmall},
  };
  for (const BlockCase& test : cases) {
    SCOPED_TRACE(test.error->reason);
    PuppetStage stage({.puppet_parameter_block = test.block});

    RunHandshake(stage);

    ExpectClosedFor(stage, *test.error, 0);
  }
}

TEST(BadHandshakeTest, MoreParametersThanAreRead) {
  PuppetStage stage(
      {.puppet_tls = {.client_hello_bytes = kMaxTransportParameterBytes + 500},
       .puppet_parameter_block = Parameter(0x4242, raw::Bytes(kMaxTransportParameterBytes))});

  RunHandshake(stage);

  ExpectClosedFor(stage, kTransportParametersTooLong, 0);
}

TEST(BadHandshakeTest, MalformedParametersOfAServer) {
  const std::vector<BlockCase> cases = {
      {Parameter(0x02, raw::Bytes(15)), &kStatelessResetTokenLengthInvalid},
      {Parameter(0x0d, raw::Bytes(10)), &kPreferredAddressMalformed},
      {Parameter(0x00, raw::Bytes(21)), &kConnectionIdParameterTooLong},
  };
  for (const BlockCase& test : cases) {
    SCOPED_TRACE(test.error->reason);
    PuppetStage stage({.subject = Perspective::kClient, .puppet_parameter_block = test.block});

    RunHandshake(stage);

    ExpectClosedFor(stage, *test.error, 0);
  }
}

}  // namespace
}  // namespace godwit
