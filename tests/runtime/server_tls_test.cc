// SPDX-License-Identifier: Apache-2.0
//
// A server whose certificate changes while it runs, and secrets on their way to a handler.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/self_signed.h"
#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

class Listener final : public EventHandler {
 public:
  void OnConnected(ConnectionRef connection) override {
    lines_before_connected = lines.size();
    server_key = connection.Info()->peer_public_key_hash.value_or(PublicKeyHash());
    is_connected = true;
  }
  void OnKeyLogLine(std::string_view line) override { lines.emplace_back(line); }

  bool is_connected = false;
  PublicKeyHash server_key;
  size_t lines_before_connected = 0;
  std::vector<std::string> lines;
};

// What a client that believes everybody sees of a server.
PublicKeyHash KeySeenAt(const SocketAddress& server) {
  ClientConfig config = EchoClientConfig();
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  Listener listener;
  const auto client = *Client::Create(config, &listener);
  EXPECT_TRUE(client->Connect(server, "localhost").ok());
  EXPECT_TRUE(RunUntil(*client, [&] { return listener.is_connected; }));
  client->Shutdown(kPatience);
  return listener.server_key;
}

TEST(ServerTlsTest, EveryShardTakesANewCertificate) {
  ServerConfig config = EchoServerConfig();
  config.shards = 3;
  EchoServer server(config);
  const SelfSignedCertificate other = *SelfSignedCertificate::Make({});
  TlsServerConfig renewed = config.tls;
  renewed.certificates = {other.ForTls()};
  ASSERT_EQ(KeySeenAt(server.address()), LastingCertificateKey());

  ASSERT_TRUE(server.server().SetTls(renewed).ok());

  // The kernel chooses the shard.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(KeySeenAt(server.address()), other.public_key_hash);
}

TEST(ServerTlsTest, WithAnErrorTheCertificateStays) {
  EchoServer server;
  TlsServerConfig broken = EchoServerConfig().tls;
  broken.certificates[0].private_key = PemSource::File("/no/such/file");

  EXPECT_FALSE(server.server().SetTls(broken).ok());

  EXPECT_EQ(KeySeenAt(server.address()), LastingCertificateKey());
}

TEST(ServerTlsTest, AHandlerGetsTheSecretsBeforeItHearsOfTheConnection) {
  EchoServer server;
  ClientConfig config = EchoClientConfig();
  config.tls.export_session_secrets = true;
  Listener listener;
  const auto client = *Client::Create(config, &listener);

  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return listener.is_connected; }));

  EXPECT_GE(listener.lines_before_connected, 4U);
}

}  // namespace
}  // namespace godwit
