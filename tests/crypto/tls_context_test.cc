// SPDX-License-Identifier: Apache-2.0
//
// Configurations of TLS that are refused, and what is said about them.
#include "crypto/tls_context.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string WriteFile(const std::string& name, const std::string& text) {
  std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

absl::Status ServerStatus(const TlsServerConfig& config) {
  return TlsServerContext::Create(config, kTestNow).status();
}

absl::Status ClientStatus(const TlsClientConfig& config) {
  return TlsClientContext::Create(config, kTestNow).status();
}

class TlsContextTest : public ::testing::Test {
 protected:
  TlsEndpoints endpoints_;
  TlsServerConfig& server_ = endpoints_.server_config;
  TlsClientConfig& client_ = endpoints_.client_config;
  TestCertificate leaf_ =
      endpoints_.root().Issue({.common_name = "leaf", .names = "DNS:server.example"});
};

TEST_F(TlsContextTest, ApplicationProtocolsAreRequiredOnBothSides) {
  server_.application_protocols.clear();
  client_.application_protocols.clear();

  EXPECT_THAT(std::string(ServerStatus(server_).message()),
              HasSubstr("application_protocols is empty"));
  EXPECT_THAT(std::string(ClientStatus(client_).message()),
              HasSubstr("application_protocols is empty"));
}

TEST_F(TlsContextTest, ApplicationProtocolsHave1To255Bytes) {
  for (const size_t length : {size_t{0}, size_t{256}}) {
    client_.application_protocols = {"echo", std::string(length, 'x')};
    EXPECT_TRUE(absl::IsInvalidArgument(ClientStatus(client_))) << length;
  }
  client_.application_protocols = {"echo", std::string(255, 'x')};
  EXPECT_TRUE(ClientStatus(client_).ok());
  client_.application_protocols = std::vector<std::string>(5, std::string(255, 'x'));
  EXPECT_THAT(std::string(ClientStatus(client_).message()), HasSubstr("1024 bytes"));
}

TEST_F(TlsContextTest, ServerNeedsACertificate) {
  server_.certificates.clear();

  EXPECT_EQ(ServerStatus(server_).message(), "a server needs at least one certificate");
}

TEST_F(TlsContextTest, CertificatesComeFromFilesToo) {
  const std::string chain = WriteFile("chain.pem", leaf_.CertificatePem());
  const std::string key = WriteFile("key.pem", leaf_.PrivateKeyPem());
  const std::string roots = WriteFile("roots.pem", endpoints_.root().CertificatePem());
  server_.certificates = {{.chain = PemSource::File(chain), .private_key = PemSource::File(key)}};
  client_.server_verification = PeerVerification::Authorities({PemSource::File(roots)});

  TlsPair pair = endpoints_.Connect();

  EXPECT_TRUE(pair.client.session().facts().handshake_complete) << pair.client.reason();
}

TEST_F(TlsContextTest, ErrorsNameTheFileAndTheReason) {
  const std::string missing = ::testing::TempDir() + "/no-such-file.pem";
  const std::string empty = WriteFile("empty.pem", "nothing here\n");
  const std::string chain = WriteFile("chain.pem", leaf_.CertificatePem());
  const std::string key = WriteFile("key.pem", leaf_.PrivateKeyPem());
  const std::string other_key = WriteFile("other-key.pem", endpoints_.root().PrivateKeyPem());
  std::string damaged_pem = leaf_.CertificatePem();
  damaged_pem[60] = damaged_pem[60] == 'A' ? 'B' : 'A';
  const std::string damaged = WriteFile("damaged.pem", damaged_pem);
  const std::vector<std::tuple<std::string, std::string, std::string>> expectations = {
      {missing, key, "certificate chain: cannot open \"" + missing + "\": No such file"},
      {chain, missing, "private key: cannot open \"" + missing + "\": No such file"},
      {"/", key, "certificate chain: cannot read \"/\": Is a directory"},
      {empty, key, "certificate chain: there is no certificate in \"" + empty + "\""},
      {key, key, "certificate chain: there is no certificate in \"" + key + "\""},
      {damaged, key, "certificate chain: certificate 1 of \"" + damaged + "\" is malformed"},
      {chain, empty, "private key: there is no key in \"" + empty + "\""},
      {chain, chain, "private key: there is no key in \"" + chain + "\""},
      {chain, other_key,
       "private key: the key in \"" + other_key +
           "\" does not belong to certificate \"leaf\" of \"" + chain + "\""},
      {"", key, "no certificate chain is given"},
      {chain, "", "no private key is given"},
  };
  for (const auto& [chain_path, key_path, words] : expectations) {
    server_.certificates = {
        {.chain = PemSource::File(chain_path), .private_key = PemSource::File(key_path)}};

    const absl::Status status = ServerStatus(server_);

    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST_F(TlsContextTest, LargeFilesAreRead) {
  const std::string padding(300'000, '\n');
  const std::string chain = WriteFile("large.pem", padding + leaf_.CertificatePem());
  server_.certificates = {
      {.chain = PemSource::File(chain), .private_key = PemSource::Text(leaf_.PrivateKeyPem())}};

  EXPECT_TRUE(ServerStatus(server_).ok());
}

TEST_F(TlsContextTest, EncryptedKeysAreRefusedWithoutAskingForAPassphrase) {
  // openssl genpkey -algorithm ed25519 -aes128 -pass pass:x
  constexpr char kEncrypted[] =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhCwSw5uKROiAICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEC93bU9AWYU3LZ7g5Wfm0a0EQJs2\n"
      "1PpxMu+9rIQ+gJarWFtdBMMRrW1awvsuFUtAZitS1T3GIsyvqmZJtQrMNv4ysZkQ\n"
      "JnWOFIHFqRKaw7TayyY=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  server_.certificates[0].private_key = PemSource::Text(kEncrypted);

  EXPECT_THAT(std::string(ServerStatus(server_).message()), HasSubstr("is encrypted; decrypt it"));
}

TEST_F(TlsContextTest, KeysThatCannotSignHandshakesAreRefused) {
  bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_new_by_curve_name(NID_secp521r1));
  ASSERT_EQ(EC_KEY_generate_key(ec_key.get()), 1);
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(
      PEM_write_bio_ECPrivateKey(bio.get(), ec_key.get(), nullptr, nullptr, 0, nullptr, nullptr),
      1);
  const uint8_t* pem = nullptr;
  size_t length = 0;
  ASSERT_EQ(BIO_mem_contents(bio.get(), &pem, &length), 1);
  server_.certificates[0].private_key =
      PemSource::Text(std::string(reinterpret_cast<const char*>(pem), length));

  EXPECT_THAT(std::string(ServerStatus(server_).message()),
              HasSubstr("make one of Ed25519, ECDSA with P-256 or P-384, or RSA of 2048 bits"));
}

TEST_F(TlsContextTest, CertificateOfTheKeyComesFirst) {
  server_.certificates = {
      {.chain = PemSource::Text(endpoints_.root().CertificatePem() + leaf_.CertificatePem()),
       .private_key = PemSource::Text(leaf_.PrivateKeyPem())}};

  EXPECT_THAT(std::string(ServerStatus(server_).message()),
              HasSubstr("belongs to certificate 2 of the PEM text; the certificate of the key must "
                        "come first"));
}

TEST_F(TlsContextTest, DoubtfulCertificatesAreWarnedOf) {
  const TestCertificate old =
      endpoints_.root().Issue({.common_name = "old", .not_after = kTestNow.PlusSeconds(-kDay)});
  const TestCertificate young =
      endpoints_.root().Issue({.common_name = "young", .not_before = kTestNow.PlusSeconds(kDay)});
  const TestCertificate stranger = TestAuthority("Stranger");
  server_.certificates = {leaf_.Config(), old.Config(), young.Config(), leaf_.Config({&stranger})};

  const TlsServerContext context = TlsServerContext::Create(server_, kTestNow).value();

  EXPECT_THAT(context.warnings(),
              ElementsAre("certificate \"old\" of the PEM text expired at 2027-01-14 08:00:00 UTC; "
                          "peers that check will refuse it",
                          "certificate \"young\" of the PEM text is not valid before 2027-01-16 "
                          "08:00:00 UTC; peers that check will refuse it",
                          "certificate 1 of the PEM text was issued by \"Test Root\", but the next "
                          "one is \"Stranger\"; some peers will refuse the chain"));
}

TEST_F(TlsContextTest, ClientCertificatesAreWarnedOfToo) {
  client_.certificate = leaf_.Config();
  EXPECT_THAT(TlsClientContext::Create(client_, kTestNow).value()->warnings(), IsEmpty());
  EXPECT_THAT(
      TlsClientContext::Create(client_, kTestNow.PlusSeconds(99 * kDay)).value()->warnings(),
      ElementsAre(HasSubstr("expired")));
}

TEST_F(TlsContextTest, VerificationNeedsSomethingToTrust) {
  for (const auto& [verification, words] :
       {std::pair(PeerVerification::Authorities({}), "needs at least one"),
        std::pair(PeerVerification::Authorities({PemSource::Text("none")}),
                  "certificate authorities: there is no certificate in the PEM text"),
        std::pair(PeerVerification::PinnedKeys({}), "needs at least one"),
        std::pair(PeerVerification::Application(nullptr), "has no verifier")}) {
    client_.server_verification = verification;
    server_.client_verification = verification;

    EXPECT_THAT(std::string(ClientStatus(client_).message()), HasSubstr(words));
    EXPECT_THAT(std::string(ServerStatus(server_).message()), HasSubstr(words));
  }
}

TEST_F(TlsContextTest, SystemRootsDoNotKnowTheTestsAuthority) {
  if (!std::filesystem::exists("/etc/ssl/certs/ca-certificates.crt")) {
    GTEST_SKIP() << "there is no bundle of authorities at /etc/ssl/certs/ca-certificates.crt";
  }
  client_.server_verification = PeerVerification::SystemRoots();

  TlsPair pair = endpoints_.Connect();

  ASSERT_FALSE(pair.client.result().ok());
  EXPECT_THAT(pair.client.reason(), HasSubstr("unknown issuer \"Test Root\""));
}

TEST_F(TlsContextTest, TicketSettingsHaveBounds) {
  server_.tickets_per_handshake = 17;
  EXPECT_THAT(std::string(ServerStatus(server_).message()), HasSubstr("tickets_per_handshake"));
  server_.tickets_per_handshake = 16;
  for (const auto& [lifetime, good] :
       {std::pair(absl::Seconds(0), false), std::pair(absl::Seconds(1), true),
        std::pair(absl::Hours(24 * 7), true), std::pair(absl::Hours(24 * 7 + 1), false),
        std::pair(absl::InfiniteDuration(), false)}) {
    server_.ticket_lifetime = lifetime;
    EXPECT_EQ(ServerStatus(server_).ok(), good) << lifetime;
  }
}

TEST_F(TlsContextTest, TicketKeysAreEightAtMost) {
  SeededRandom random(1);
  const TlsServerContext context = TlsServerContext::Create(server_, kTestNow).value();
  const std::vector<SecretKey> keys(9, SecretKey::Generate(random));

  EXPECT_FALSE(TlsServerSessions::Create(context, keys, {.random = &random}).ok());
  EXPECT_TRUE(
      TlsServerSessions::Create(context, std::span(keys).first(8), {.random = &random}).ok());
}

TEST_F(TlsContextTest, ServerNameIsAHostNameOrAnAddress) {
  const std::vector<std::pair<std::string, bool>> expectations = {
      {"server.example", true},
      {"server.example.", true},
      {"localhost", true},
      {"under_score.example", true},
      {"192.0.2.1", true},
      {"2001:db8::1", true},
      {"", false},
      {"server.example:443", false},
      {"[2001:db8::1]", false},
      {"https://server", false},
      {"b\xc3\xbc"
       "cher.example",
       false},
      {"two words", false},
      {".", false},
      {std::string(256, 'x'), false},
      {std::string("a\0b", 3), false},
  };
  const std::vector<uint8_t> parameters = {1};
  const auto client = TlsClientContext::Create(client_, kTestNow).value();
  for (const auto& [name, good] : expectations) {
    const auto session = client->NewSession(
        {.server_name = name, .local_transport_parameters = parameters}, kTestTime);

    EXPECT_EQ(session.ok(), good) << name;
    EXPECT_TRUE(good || absl::IsInvalidArgument(session.status()));
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST_F(TlsContextTest, NameMayBeEmptyWhereNothingDependsOnIt) {
  const std::vector<uint8_t> parameters = {1};
  client_.server_verification = PeerVerification::PinnedKeys({leaf_.KeyHash()});
  const auto client = TlsClientContext::Create(client_, kTestNow).value();

  EXPECT_TRUE(client->NewSession({.local_transport_parameters = parameters}, kTestTime).ok());
}

}  // namespace
}  // namespace godwit
