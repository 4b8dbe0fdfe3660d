// SPDX-License-Identifier: Apache-2.0
//
// BoringSSL orders cipher suites by what the processor is fast at. This test is started with
// OPENSSL_ia32cap set so that there is no hardware for AES (see BUILD.bazel), and then ChaCha20 is
// what a handshake comes to.
#include <optional>

#include "gtest/gtest.h"

#include "crypto/cipher_suite.h"
#include "crypto/tls_session.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

TEST(TlsChaCha20Test, IsNegotiatedByProcessorsWithoutAes) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "OPENSSL_ia32cap is for x86 processors";
#endif
  TlsEndpoints endpoints;

  TlsPair pair = endpoints.Connect();

  const std::optional<CipherSuite> suite = pair.client.session().facts().cipher_suite;
  ASSERT_TRUE(suite.has_value());
  EXPECT_EQ(*suite, CipherSuite::kChaCha20Poly1305Sha256);
  EXPECT_EQ(static_cast<int>(*suite), 0x1303);
  EXPECT_EQ(pair.server.session().facts().cipher_suite, suite);
  const std::optional<TlsSecret> secret =
      pair.server.Secret(EncryptionLevel::kOneRtt, SecretDirection::kSend);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret->secret.suite(), CipherSuite::kChaCha20Poly1305Sha256);
}

}  // namespace
}  // namespace godwit
