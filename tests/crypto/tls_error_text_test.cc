// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_error_text.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

#include "crypto/boringssl.h"
#include "crypto/tls_alert.h"

namespace godwit {
namespace {

uint32_t TlsError(int reason) { return ERR_PACK(ERR_LIB_SSL, reason); }

TEST(TlsErrorTextTest, CommonReasonsAreSentencesWithTheAlert) {
  EXPECT_EQ(DescribeTlsError(TlsError(SSL_R_NO_SHARED_GROUP), 40, Perspective::kServer),
            "there is no common key exchange group (handshake_failure)");
  EXPECT_EQ(
      DescribeTlsError(TlsError(SSL_R_NO_APPLICATION_PROTOCOL), std::nullopt, Perspective::kClient),
      "the server chose no application protocol (ALPN)");
}

TEST(TlsErrorTextTest, OtherReasonsAreNamedAsBoringSslDoes) {
  EXPECT_EQ(DescribeTlsError(TlsError(SSL_R_DECODE_ERROR), 50, Perspective::kClient),
            "the TLS handshake failed: DECODE_ERROR (decode_error)");
  EXPECT_EQ(DescribeTlsError(0, std::nullopt, Perspective::kClient),
            "the TLS handshake failed: no details are known");
}

TEST(TlsAlertTest, NamesAreThoseOfTheStandard) {
  EXPECT_EQ(TlsAlertName(SSL_AD_CERTIFICATE_EXPIRED), "certificate_expired");
  EXPECT_EQ(TlsAlertName(SSL_AD_UNKNOWN_CA), "unknown_ca");
  EXPECT_EQ(TlsAlertName(SSL_AD_CERTIFICATE_REQUIRED), "certificate_required");
  EXPECT_EQ(TlsAlertName(SSL_AD_NO_APPLICATION_PROTOCOL), "no_application_protocol");
  EXPECT_EQ(TlsAlertName(255), "unknown alert");
}

}  // namespace
}  // namespace godwit
