// SPDX-License-Identifier: Apache-2.0
//
// What an application does with TLS while an engine runs: it takes the secrets of connections, and
// gives a server another certificate.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/crypto/test_certificates.h"
#include "tests/transport/engine/engine_pair.h"
#include "transport/engine/key_log_queue.h"

namespace godwit {
namespace {

std::string LabelOf(const std::string& line) { return line.substr(0, line.find(' ')); }

std::set<std::string> LabelsOf(const std::vector<std::string>& lines) {
  std::set<std::string> labels;
  for (const std::string& line : lines) labels.insert(LabelOf(line));
  return labels;
}

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::ranges::sort(lines);
  return lines;
}

TestCertificate OtherCertificate() {
  return TestCertificate::SelfSigned({.common_name = "other", .names = "DNS:server"});
}

EnginePair::Options WithExport(bool of_client, bool of_server) {
  EnginePair::Options options;
  options.client_tls.export_session_secrets = of_client;
  options.server_tls.export_session_secrets = of_server;
  return options;
}

// Of a client that believes every server, so that it can be seen which certificate one shows.
EnginePair::Options BelievingClient() {
  EnginePair::Options options;
  options.client_tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  return options;
}

PublicKeyHash ServerKeyOf(const ConnectionRef& connection) {
  const auto info = connection.Info();
  EXPECT_TRUE(info.ok()) << info.status();
  return info.ok() ? info->peer_public_key_hash.value_or(PublicKeyHash()) : PublicKeyHash();
}

TEST(EngineTlsTest, BothSidesHandOutTheSecretsOfAConnection) {
  EnginePair pair(WithExport(true, true));

  pair.Connect();

  const std::vector<std::string>& lines = pair.client().key_log;
  const std::set<std::string> labels = LabelsOf(lines);
  EXPECT_EQ(labels.size(), lines.size());
  for (const char* label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                            "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}) {
    EXPECT_TRUE(labels.contains(label)) << label;
  }
  EXPECT_EQ(Sorted(lines), Sorted(pair.server().key_log));
}

TEST(EngineTlsTest, WhoHasNotAskedGetsNoSecrets) {
  EnginePair pair(WithExport(true, false));

  pair.Connect();

  EXPECT_FALSE(pair.client().key_log.empty());
  EXPECT_TRUE(pair.server().key_log.empty());
}

TEST(EngineTlsTest, SecretsOfAHandshakeThatFailsAreHandedOut) {
  EnginePair::Options options = WithExport(true, true);
  options.client_tls.server_verification =
      PeerVerification::PinnedKeys({OtherCertificate().KeyHash()});
  EnginePair pair(options);

  EXPECT_FALSE(pair.Connect().is_open());

  for (EnginePeer* peer : {&pair.client(), &pair.server()}) {
    EXPECT_TRUE(LabelsOf(peer->key_log).contains("SERVER_HANDSHAKE_TRAFFIC_SECRET"));
  }
}

TEST(EngineTlsTest, LinesThatNobodyTakesAreBounded) {
  KeyLogQueue queue;
  for (size_t i = 0; i < kMaxKeyLogLines + 5; ++i) queue.OnKeyLogLine("CLIENT_RANDOM 00 00");

  size_t count = 0;
  while (queue.Poll().has_value()) ++count;

  EXPECT_EQ(count, kMaxKeyLogLines);
}

TEST(EngineTlsTest, NewConnectionsGetANewCertificateAndOldOnesLiveOn) {
  EnginePair pair(BelievingClient());
  ConnectionRef before = pair.Connect();
  TlsServerConfig renewed = TestServerTls();
  renewed.certificates = {OtherCertificate().Config()};

  ASSERT_TRUE(pair.server().engine().SetServerTls(renewed, kTestNow).ok());
  ConnectionRef after = pair.Connect();

  EXPECT_EQ(ServerKeyOf(after), OtherCertificate().KeyHash());
  EXPECT_NE(ServerKeyOf(before), OtherCertificate().KeyHash());
  const StreamId stream = *before.OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(before.Write(stream, "still there").ok());
  pair.RunUntilQuiet();
  EXPECT_EQ(pair.server().CountStreamEvents(StreamEvent::Kind::kReadable), 1U);
}

TEST(EngineTlsTest, ACertificateThatDoesNotFitItsKeyChangesNothing) {
  EnginePair pair(BelievingClient());
  const PublicKeyHash key = ServerKeyOf(pair.Connect());
  TlsServerConfig broken = TestServerTls();
  broken.certificates[0].private_key = PemSource::Text(OtherCertificate().PrivateKeyPem());

  EXPECT_FALSE(pair.server().engine().SetServerTls(broken, kTestNow).ok());

  EXPECT_EQ(ServerKeyOf(pair.Connect()), key);
}

TEST(EngineTlsTest, AnEngineThatAcceptsNothingTakesNoCertificate) {
  EnginePair pair;

  EXPECT_TRUE(
      absl::IsFailedPrecondition(pair.client().engine().SetServerTls(TestServerTls(), kTestNow)));
}

}  // namespace
}  // namespace godwit
