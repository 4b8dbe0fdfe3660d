// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"
#include "tunnel/fingerprint.h"

namespace godwit::tunnel {
namespace {

TEST(AuthenticationTest, ServerWithAnotherKeyIsRefusedAndBothAreShown) {
  const auto server = TunnelServer::Create(TestServerConfig(), nullptr);
  ASSERT_TRUE(server.ok());
  TunnelClientConfig config = TestClientConfig();
  config.server.port = (*server)->local_address().port();
  config.server_key = StrangerIdentity().fingerprint;

  const absl::Status failure = FirstFailure(config);

  const std::string text(failure.message());
  EXPECT_NE(text.find(ServerIdentity().fingerprint.ToHex()), std::string::npos) << text;
  EXPECT_NE(text.find(StrangerIdentity().fingerprint.ToHex()), std::string::npos) << text;
}

TEST(AuthenticationTest, ClientThatIsNotAllowedIsToldWhatTheServerNeeds) {
  const auto server = TunnelServer::Create(TestServerConfig(), nullptr);
  ASSERT_TRUE(server.ok());
  TunnelClientConfig config = TestClientConfig();
  config.server.port = (*server)->local_address().port();
  config.common.identity = StrangerIdentity();

  const absl::Status failure = FirstFailure(config);

  const std::string text(failure.message());
  EXPECT_NE(text.find("--allow-client " + FormatFingerprint(StrangerIdentity().fingerprint)),
            std::string::npos)
      << text;
}

TEST(AuthenticationTest, NameThatDoesNotExistIsOneClearLine) {
  TunnelClientConfig config = TestClientConfig();
  config.server = {.host = "no-such-host.invalid", .port = 4'433};

  const absl::Status failure = FirstFailure(config);

  const std::string text(failure.message());
  EXPECT_NE(text.find("no-such-host.invalid"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST(AuthenticationTest, ServerWithoutClientsIsAnError) {
  TunnelServerConfig config = TestServerConfig();
  config.allowed_clients = {};

  const auto server = TunnelServer::Create(config, nullptr);

  EXPECT_TRUE(absl::IsInvalidArgument(server.status()));
}

TEST(AuthenticationTest, KeyThatIsTakenBackEndsItsConnections) {
  TestTunnel tunnel(TestClientConfig());
  TunnelServerConfig rules = TestServerConfig();
  rules.allowed_clients = {StrangerIdentity().fingerprint};

  ASSERT_TRUE(tunnel.server().SetRules(rules).ok());

  EXPECT_TRUE(tunnel.WaitUntilUp(false));
  EXPECT_TRUE(tunnel.HasLogged("the key is not allowed any more"));
}

TEST(AuthenticationTest, NewRulesHoldForNewFlows) {
  TestListener target;
  TunnelClientConfig config = TestClientConfig();
  config.local_forwards = {ForwardTo(target.address())};
  TunnelServerConfig closed = TestServerConfig();
  closed.allowed_targets = {};
  TestTunnel tunnel(config, closed);
  EXPECT_EQ(TestStream::Connect(tunnel.forward(0)).WaitForEnd(), StreamEnd::kReset);

  ASSERT_TRUE(tunnel.server().SetRules(TestServerConfig()).ok());
  TestStream application = TestStream::Connect(tunnel.forward(0));
  application.Send("x");

  EXPECT_EQ(target.Accept().Read(1), "x");
}

}  // namespace
}  // namespace godwit::tunnel
