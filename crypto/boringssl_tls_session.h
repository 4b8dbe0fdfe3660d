// SPDX-License-Identifier: Apache-2.0
//
// BoringSslTlsSession: the TlsSession on BoringSSL's QUIC interface (SSL_QUIC_METHOD). It feeds an
// SSL, collects what comes out, and turns failures into an error code with words. RFC 9001 §4, §8.
//
// What the SSL_CTX knows (certificates, protocols, whom to trust) is TlsPolicy's. The functions
// On...() are BoringSSL's events; crypto/boringssl_callbacks.cc calls them, from within the calls
// that this class makes into BoringSSL, and nobody else does.
//
// BoringSSL draws the randomness of a handshake itself, so no two are the same; the simulator uses
// DeterministicTlsSession.
//
// Invariants:
//  1. BoringSSL runs only within ProvideCryptoData() and NewClient(), under the time of that call.
//  2. Nothing that BoringSSL queued as an error remains in the thread's queue after a call.
#ifndef GODWIT_CRYPTO_BORINGSSL_TLS_SESSION_H_
#define GODWIT_CRYPTO_BORINGSSL_TLS_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/encryption_level.h"
#include "base/result.h"
#include "crypto/boringssl.h"
#include "crypto/handshake_message_scanner.h"
#include "crypto/server_handshake.h"
#include "crypto/tls_outbox.h"
#include "crypto/tls_policy.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"

namespace godwit {

class BoringSslTlsSession final : public TlsSession {
 public:
  // `context` has a TlsPolicy and the callbacks of boringssl_callbacks.h.
  static absl::StatusOr<std::unique_ptr<TlsSession>> NewClient(
      SSL_CTX* context, const TlsClientSessionOptions& options, TlsTime time);
  // `powers` outlives the session.
  static absl::StatusOr<std::unique_ptr<TlsSession>> NewServer(
      SSL_CTX* context, const TlsServerSessionOptions& options, TlsServerPowers* powers);

  Result ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                           TlsTime time) override;
  std::string_view failure_reason() const override { return failure_reason_; }
  size_t MaxCryptoDataBytes(EncryptionLevel level) const override;
  std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const override;
  void ConsumeCryptoData(EncryptionLevel level, size_t bytes) override;
  std::optional<TlsSecret> PollSecret() override { return outbox_.PollSecret(); }
  TlsFacts facts() const override;
  std::span<const uint8_t> peer_certificate() const override;
  std::optional<PublicKeyHash> peer_public_key_hash() const override;
  std::optional<std::vector<uint8_t>> PollResumptionTicket(
      std::span<const uint8_t> transport_state) override;
  std::span<const uint8_t> remembered_transport_state() const override {
    return remembered_transport_state_;
  }
  absl::Status ExportKeyingMaterial(std::string_view label, std::span<const uint8_t> context,
                                    std::span<uint8_t> out) const override;
  std::optional<std::string> PollKeyLogLine() override;

  static BoringSslTlsSession& Of(const SSL* ssl);

  bool OnSecret(EncryptionLevel level, SecretDirection direction, const SSL_CIPHER* cipher,
                std::span<const uint8_t> secret);
  void OnCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes);
  void OnAlert(uint8_t alert) { alert_ = alert; }
  void OnKeyLogLine(std::string_view line) { key_log_lines_.emplace_back(line); }
  // False: the handshake must not go on.
  bool OnClientHello(const SSL_CLIENT_HELLO& hello);
  // Of the list of names in the client's ALPN extension, the one to speak; empty if none will do.
  std::string_view OnApplicationProtocols(std::span<const uint8_t> offered);
  // The alert to refuse the peer's certificate with, if it is to be refused.
  std::optional<uint8_t> OnPeerCertificate();
  void OnNewSession(bssl::UniquePtr<SSL_SESSION> session);
  std::optional<size_t> OnSealTicket(std::span<const uint8_t> session, std::span<uint8_t> out);
  std::optional<size_t> OnOpenTicket(std::span<const uint8_t> ticket, std::span<uint8_t> out);

 private:
  BoringSslTlsSession(bssl::UniquePtr<SSL> ssl, Perspective perspective);

  static absl::StatusOr<std::unique_ptr<BoringSslTlsSession>> Make(
      SSL_CTX* context, std::span<const uint8_t> local_transport_parameters);

  absl::Status SetServerName(std::string_view server_name);
  TicketUse OfferTicket(std::span<const uint8_t> bytes, UnixTime now);

  // Of a client whose ClientHello is out.
  void ForgetTicketUnlessOffered();
  void KeepPeerCertificate();
  Result CheckLevel(EncryptionLevel level);
  Result Advance();
  Result Fail(const ProtocolError& error, std::string reason);
  Result FailFromTls();
  EarlyDataState early_data_state() const;
  const TlsPolicy& policy() const;

  bssl::UniquePtr<SSL> ssl_;
  Perspective perspective_;
  std::optional<ServerHandshake> server_;  // A server's.
  TlsTime time_;                           // Of the call that runs.
  TlsOutbox outbox_;

  Result failure_ = Result::Ok();
  std::string failure_reason_;
  std::optional<uint8_t> alert_;
  HandshakeRefusal refusal_;  // What an event found wrong.

  std::string server_name_;  // A client's: without the dot that a full name may end with.
  TicketUse ticket_use_ = TicketUse::kNone;
  std::vector<uint8_t> remembered_transport_state_;
  // BoringSSL frees it with the ticket if another session takes that one's place.
  bssl::UniquePtr<CRYPTO_BUFFER> peer_certificate_;
  std::vector<bssl::UniquePtr<SSL_SESSION>> tickets_;  // A client's, not polled yet.
  std::vector<std::string> key_log_lines_;
  HandshakeMessageScanner post_handshake_messages_;
  size_t max_handshake_bytes_;
  bool complete_ = false;
  bool early_data_offered_ = false;   // A client's.
  bool early_data_rejected_ = false;  // A client's.
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_BORINGSSL_TLS_SESSION_H_
