// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl_callbacks.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/encryption_level.h"
#include "crypto/boringssl_tls_session.h"
#include "crypto/ticket_sealer.h"
#include "crypto/tls_session.h"

namespace godwit {
namespace {

thread_local std::optional<UnixTime> boringssl_time;

static_assert(static_cast<int>(ssl_encryption_initial) ==
              static_cast<int>(EncryptionLevel::kInitial));
static_assert(static_cast<int>(ssl_encryption_early_data) ==
              static_cast<int>(EncryptionLevel::kZeroRtt));
static_assert(static_cast<int>(ssl_encryption_handshake) ==
              static_cast<int>(EncryptionLevel::kHandshake));
static_assert(static_cast<int>(ssl_encryption_application) ==
              static_cast<int>(EncryptionLevel::kOneRtt));

EncryptionLevel FromBoringSsl(ssl_encryption_level_t level) {
  return static_cast<EncryptionLevel>(level);
}

BoringSslTlsSession& SessionOf(const SSL* ssl) { return BoringSslTlsSession::Of(ssl); }

int SetReadSecret(SSL* ssl, ssl_encryption_level_t level, const SSL_CIPHER* cipher,
                  const uint8_t* secret, size_t secret_length) {
  return SessionOf(ssl).OnSecret(FromBoringSsl(level), SecretDirection::kRecv, cipher,
                                 {secret, secret_length})
             ? 1
             : 0;
}

int SetWriteSecret(SSL* ssl, ssl_encryption_level_t level, const SSL_CIPHER* cipher,
                   const uint8_t* secret, size_t secret_length) {
  return SessionOf(ssl).OnSecret(FromBoringSsl(level), SecretDirection::kSend, cipher,
                                 {secret, secret_length})
             ? 1
             : 0;
}

int AddHandshakeData(SSL* ssl, ssl_encryption_level_t level, const uint8_t* bytes, size_t length) {
  SessionOf(ssl).OnCryptoData(FromBoringSsl(level), {bytes, length});
  return 1;
}

int FlushFlight(SSL* /*ssl*/) { return 1; }

int SendAlert(SSL* ssl, ssl_encryption_level_t /*level*/, uint8_t alert) {
  SessionOf(ssl).OnAlert(alert);
  return 1;
}

constexpr SSL_QUIC_METHOD kQuicMethod = {SetReadSecret, SetWriteSecret, AddHandshakeData,
                                         FlushFlight, SendAlert};

void CurrentTime(const SSL* /*ssl*/, timeval* out) {
  GODWIT_CHECK(boringssl_time.has_value());
  out->tv_sec = static_cast<time_t>(boringssl_time->seconds());
  out->tv_usec = 0;
}

ssl_verify_result_t VerifyPeer(SSL* ssl, uint8_t* out_alert) {
  const std::optional<uint8_t> alert = SessionOf(ssl).OnPeerCertificate();
  if (!alert) return ssl_verify_ok;
  *out_alert = *alert;
  return ssl_verify_invalid;
}

ssl_select_cert_result_t SelectCertificate(const SSL_CLIENT_HELLO* hello) {
  return SessionOf(hello->ssl).OnClientHello(*hello) ? ssl_select_cert_success
                                                     : ssl_select_cert_error;
}

int SelectApplicationProtocol(SSL* ssl, const uint8_t** out, uint8_t* out_length,
                              const uint8_t* offered, unsigned offered_length, void* /*argument*/) {
  const std::string_view protocol =
      SessionOf(ssl).OnApplicationProtocols({offered, offered_length});
  // RFC 9001 §8.1: this becomes the alert no_application_protocol.
  if (protocol.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = reinterpret_cast<const uint8_t*>(protocol.data());
  *out_length = static_cast<uint8_t>(protocol.size());
  return SSL_TLSEXT_ERR_OK;
}

int NewSession(SSL* ssl, SSL_SESSION* session) {
  SessionOf(ssl).OnNewSession(bssl::UniquePtr<SSL_SESSION>(session));
  return 1;
}

size_t TicketOverhead(SSL* /*ssl*/) { return TicketSealer::kOverhead; }

int SealTicket(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out_length,
               const uint8_t* session, size_t session_length) {
  const std::optional<size_t> size =
      SessionOf(ssl).OnSealTicket({session, session_length}, {out, max_out_length});
  *out_length = size.value_or(0);
  return size ? 1 : 0;
}

ssl_ticket_aead_result_t OpenTicket(SSL* ssl, uint8_t* out, size_t* out_length,
                                    size_t max_out_length, const uint8_t* ticket,
                                    size_t ticket_length) {
  const std::optional<size_t> size =
      SessionOf(ssl).OnOpenTicket({ticket, ticket_length}, {out, max_out_length});
  *out_length = size.value_or(0);
  return size ? ssl_ticket_aead_success : ssl_ticket_aead_ignore_ticket;
}

constexpr SSL_TICKET_AEAD_METHOD kTicketMethod = {TicketOverhead, SealTicket, OpenTicket};

void LogKeys(const SSL* ssl, const char* line) { SessionOf(ssl).OnKeyLogLine(line); }

}  // namespace

bool InstallBoringSslCallbacks(SSL_CTX* context, const BoringSslCallbackOptions& options) {
  if (SSL_CTX_set_quic_method(context, &kQuicMethod) != 1) return false;
  SSL_CTX_set_current_time_cb(context, CurrentTime);
  if (options.export_session_secrets) SSL_CTX_set_keylog_callback(context, LogKeys);
  if (options.verify_peer) {
    SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                              VerifyPeer);
  }
  if (options.perspective == Perspective::kServer) {
    SSL_CTX_set_select_certificate_cb(context, SelectCertificate);
    SSL_CTX_set_alpn_select_cb(context, SelectApplicationProtocol, nullptr);
    SSL_CTX_set_ticket_aead_method(context, &kTicketMethod);
  } else {
    SSL_CTX_sess_set_new_cb(context, NewSession);
  }
  return true;
}

ScopedBoringSslTime::ScopedBoringSslTime(UnixTime now)
    : outer_(std::exchange(boringssl_time, now)) {}

ScopedBoringSslTime::~ScopedBoringSslTime() { boringssl_time = outer_; }

}  // namespace godwit
