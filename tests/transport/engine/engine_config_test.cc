// SPDX-License-Identifier: Apache-2.0
//
// What Engine::Create() refuses and in which words, and what a key file is for.
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "tests/crypto/test_certificates.h"
#include "tests/transport/engine/engine_pair.h"

namespace godwit {
namespace {

EngineConfig ConfigOfClient() {
  return {.endpoint = {},
          .tls_client = TestClientTls(),
          .tls_server = std::nullopt,
          .server_key_file = {}};
}

absl::Status CreateStatus(const EngineConfig& config) {
  SeededRandom random(1);
  return Engine::Create(config, {.random = &random}, Timestamp(), kTestNow).status();
}

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

std::string KeyFile(const std::string& name, char reset_digit) {
  const auto key = [](const char* digits, char other) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += digits;
    text[5] = other;
    return text;
  };
  return WriteFile(name, "token-key " + key("0123abcd", '1') + "\nticket-key " +
                             key("45ef0189", '2') + "\nreset-key " + key("2367cdab", reset_digit) +
                             "\n");
}

void ExpectSays(const absl::Status& status, std::initializer_list<const char*> words) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  for (const char* const word : words) {
    EXPECT_TRUE(absl::StrContains(status.message(), word)) << status << " lacks " << word;
  }
}

TEST(EngineConfigTest, AnEngineNeedsOneOfTheTwoSidesOfTls) {
  EngineConfig config = ConfigOfClient();
  config.tls_client.reset();

  const absl::Status status = CreateStatus(config);

  ExpectSays(status, {"tls_client and tls_server are both unset", "set the one"});
}

TEST(EngineConfigTest, AnEngineNeedsRandomness) {
  const absl::Status status = Engine::Create(ConfigOfClient(), {}, Timestamp(), kTestNow).status();

  ExpectSays(status, {"random is null", "allowed"});
}

TEST(EngineConfigTest, ErrorsNameTheFieldItsValueAndWhatIsAllowed) {
  EngineConfig config = ConfigOfClient();
  config.endpoint.connection.mtu.min_mtu = 1'100;

  const absl::Status status = CreateStatus(config);

  ExpectSays(status, {"min_mtu", "1100", "1200"});
}

TEST(EngineConfigTest, AnUnknownCongestionControllerIsNamed) {
  EngineConfig config = ConfigOfClient();
  config.endpoint.congestion_controller = "none such";

  const absl::Status status = CreateStatus(config);

  ExpectSays(status, {"congestion_controller", "none such", "cubic"});
}

TEST(EngineConfigTest, TlsErrorsNameTheField) {
  EngineConfig config = ConfigOfClient();
  config.tls_client->application_protocols.clear();

  const absl::Status status = CreateStatus(config);

  ExpectSays(status, {"application_protocols"});
}

TEST(EngineConfigTest, AMissingKeyFileIsNamed) {
  EngineConfig config = ConfigOfClient();
  config.server_key_file = "/nonexistent/keys";

  const absl::Status status = CreateStatus(config);

  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "server_key_file")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/nonexistent/keys")) << status;
}

TEST(EngineConfigTest, ABadKeyFileIsNamedWithTheLineAndWithoutTheKey) {
  EngineConfig config = ConfigOfClient();
  config.server_key_file = WriteFile("bad.keys", "token-key beef\n");

  const absl::Status status = CreateStatus(config);

  ExpectSays(status, {"server_key_file", "bad.keys", "line 1"});
  EXPECT_FALSE(absl::StrContains(status.message(), "beef"));
}

TEST(EngineConfigTest, AnEngineWithoutTlsForClientsOpensNothing) {
  EnginePair pair;

  const auto connection = pair.server().engine().Connect(
      {.local = pair.server().address(), .peer = pair.client().address()}, "client", pair.now());

  EXPECT_TRUE(absl::IsFailedPrecondition(connection.status())) << connection.status();
  EXPECT_TRUE(absl::StrContains(connection.status().message(), "tls_client is unset"));
}

TEST(EngineConfigTest, AnEngineWithoutTlsForServersAcceptsNothing) {
  EnginePair pair;
  EngineConfig config = ConfigOfClient();
  pair.server().Restart(config, pair.now());

  ConnectionRef connection = pair.Connect();
  pair.RunFor(Duration::Seconds(11));

  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(pair.server().engine().stats().connections_accepted, 0U);
}

TEST(EngineKeyFileTest, WithTheSameKeysAClientLearnsOfARestartAtOnce) {
  EnginePair pair({.client = {}, .server = {}, .server_key_file = KeyFile("same.keys", '3')});
  ConnectionRef connection = pair.Connect();

  pair.server().Restart(pair.server_config(), pair.now());
  const StreamId stream = *connection.OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(connection.Write(stream, std::string(100, 'x')).ok());
  pair.RunUntilQuiet();

  ASSERT_EQ(pair.client().close_reasons.size(), 1U);
  EXPECT_EQ(pair.client().close_reasons[0].cause, CloseReason::Cause::kStatelessReset);
  EXPECT_EQ(pair.server().engine().stats().stateless_resets_sent, 1U);
}

TEST(EngineKeyFileTest, WithOtherKeysAClientDoesNotBelieveTheReset) {
  EnginePair pair({.client = {}, .server = {}, .server_key_file = KeyFile("before.keys", '3')});
  ConnectionRef connection = pair.Connect();
  EngineConfig config = pair.server_config();
  config.server_key_file = KeyFile("after.keys", '4');

  pair.server().Restart(config, pair.now());
  const StreamId stream = *connection.OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(connection.Write(stream, std::string(100, 'x')).ok());
  pair.RunUntilQuiet();

  EXPECT_TRUE(connection.is_open());
  EXPECT_GE(pair.server().engine().stats().stateless_resets_sent, 1U);
}

}  // namespace
}  // namespace godwit
