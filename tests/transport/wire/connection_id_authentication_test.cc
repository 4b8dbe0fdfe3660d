// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/connection_id_authentication.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

ConnectionId Id(std::string_view hex) { return ConnectionId::FromBytes(HexBytes(hex)).value(); }

// The names of RFC 9000 §7.3, figures 7 and 8.
const ConnectionId kC1 = Id("c1c1c1c1");
const ConnectionId kS1 = Id("5151515151515151");
const ConnectionId kS2 = Id("5252");
const ConnectionId kS3 = Id("535353");
const ConnectionId kOther = Id("0f");

const ServerHandshakeConnectionIds kPlain = {
    .original_destination = kS1, .retry_source = std::nullopt, .initial_source = kS3};
const ServerHandshakeConnectionIds kWithRetry = {
    .original_destination = kS1, .retry_source = kS2, .initial_source = kS3};

TransportParameters OfServer(std::optional<ConnectionId> retry_source = std::nullopt) {
  TransportParameters parameters;
  parameters.original_destination_connection_id = kS1;
  parameters.retry_source_connection_id = retry_source;
  parameters.initial_source_connection_id = kS3;
  return parameters;
}

TEST(ConnectionIdAuthenticationTest, ExamplesOfTheRfcAreAuthentic) {
  TransportParameters of_client;
  of_client.initial_source_connection_id = kC1;

  EXPECT_TRUE(AuthenticateClientConnectionIds(of_client, kC1).ok());
  EXPECT_TRUE(AuthenticateServerConnectionIds(OfServer(), kPlain).ok());
  EXPECT_TRUE(AuthenticateServerConnectionIds(OfServer(kS2), kWithRetry).ok());
}

TEST(ConnectionIdAuthenticationTest, InitialSourceMustBePresentAndEqual) {
  TransportParameters parameters = OfServer();
  parameters.initial_source_connection_id = kOther;
  EXPECT_EQ(AuthenticateServerConnectionIds(parameters, kPlain),
            kInitialSourceConnectionIdMismatch);
  EXPECT_EQ(AuthenticateClientConnectionIds(parameters, kC1), kInitialSourceConnectionIdMismatch);

  parameters.initial_source_connection_id.reset();
  EXPECT_EQ(AuthenticateServerConnectionIds(parameters, kPlain), kInitialSourceConnectionIdMissing);
  EXPECT_EQ(AuthenticateClientConnectionIds(parameters, kC1), kInitialSourceConnectionIdMissing);
}

TEST(ConnectionIdAuthenticationTest, AnEmptyIdIsNotAnAbsentOne) {
  TransportParameters parameters;
  EXPECT_EQ(AuthenticateClientConnectionIds(parameters, ConnectionId()),
            kInitialSourceConnectionIdMissing);

  parameters.initial_source_connection_id = ConnectionId();
  EXPECT_TRUE(AuthenticateClientConnectionIds(parameters, ConnectionId()).ok());
  EXPECT_EQ(AuthenticateClientConnectionIds(parameters, kC1), kInitialSourceConnectionIdMismatch);

  EXPECT_EQ(AuthenticateServerConnectionIds(OfServer(ConnectionId()), kPlain),
            kRetrySourceConnectionIdUnexpected);
  ServerHandshakeConnectionIds empty_retry = kWithRetry;
  empty_retry.retry_source = ConnectionId();
  EXPECT_EQ(AuthenticateServerConnectionIds(OfServer(), empty_retry),
            kRetrySourceConnectionIdMissing);
  EXPECT_TRUE(AuthenticateServerConnectionIds(OfServer(ConnectionId()), empty_retry).ok());
}

TEST(ConnectionIdAuthenticationTest, OriginalDestinationMustBePresentAndEqual) {
  TransportParameters parameters = OfServer(kS2);
  // What an attacker who forged the Retry packet would bring about.
  parameters.original_destination_connection_id = kS2;
  EXPECT_EQ(AuthenticateServerConnectionIds(parameters, kWithRetry),
            kOriginalDestinationConnectionIdMismatch);

  parameters.original_destination_connection_id.reset();
  EXPECT_EQ(AuthenticateServerConnectionIds(parameters, kWithRetry),
            kOriginalDestinationConnectionIdMissing);
}

TEST(ConnectionIdAuthenticationTest, RetrySourceMustBeThereJustWhenThereWasARetry) {
  EXPECT_EQ(AuthenticateServerConnectionIds(OfServer(kS2), kPlain),
            kRetrySourceConnectionIdUnexpected);
  EXPECT_EQ(AuthenticateServerConnectionIds(OfServer(), kWithRetry),
            kRetrySourceConnectionIdMissing);
  EXPECT_EQ(AuthenticateServerConnectionIds(OfServer(kOther), kWithRetry),
            kRetrySourceConnectionIdMismatch);
}

}  // namespace
}  // namespace godwit
