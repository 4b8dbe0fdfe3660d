// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_error_text.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "crypto/boringssl.h"
#include "crypto/tls_alert.h"

namespace godwit {
namespace {

// Empty for what does not happen often enough to be worth a sentence.
std::string_view Sentence(int reason, Perspective perspective) {
  switch (reason) {
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return perspective == Perspective::kServer
                 ? "the client offered no application protocol (ALPN)"
                 : "the server chose no application protocol (ALPN)";
    case SSL_R_INVALID_ALPN_PROTOCOL:
      return "the server chose an application protocol that was not offered";
    case SSL_R_MISSING_EXTENSION:
      return "the peer left out an extension that TLS 1.3 requires";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client showed no certificate, but one is required";
    case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
      return "the peer accepts no signature that the key of our certificate can make";
    case SSL_R_WRONG_SIGNATURE_TYPE:
      return "the peer signed with an algorithm that was not offered";
    case SSL_R_BAD_SIGNATURE:
      return "the peer's signature of the handshake is wrong: it has not the certificate's key, or "
             "the handshake was changed on its way";
    case SSL_R_DIGEST_CHECK_FAILED:
      return "the two ends saw different handshakes: it was changed on its way";
    case SSL_R_NO_SHARED_GROUP:
    case SSL_R_WRONG_CURVE:
      return "there is no common key exchange group";
    case SSL_R_NO_SHARED_CIPHER:
      return "there is no common cipher suite";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_VERSION_NUMBER:
      return "the peer does not speak TLS 1.3";
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
      return "a handshake message of the peer is too large";
    case SSL_R_UNEXPECTED_MESSAGE:
      return "the peer sent a handshake message that has no place here";
    default:
      return {};
  }
}

}  // namespace

std::string DescribeTlsError(uint32_t error, std::optional<uint8_t> alert,
                             Perspective perspective) {
  std::string text;
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    const std::string_view sentence = Sentence(ERR_GET_REASON(error), perspective);
    text.assign(sentence.data(), sentence.size());
  }
  if (text.empty()) {
    const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
    text = absl::StrCat("the TLS handshake failed: ",
                        reason != nullptr ? reason : "no details are known");
  }
  if (alert) {
    const std::string_view name = TlsAlertName(*alert);
    absl::StrAppend(&text, " (", absl::string_view(name.data(), name.size()), ")");
  }
  return text;
}

}  // namespace godwit
