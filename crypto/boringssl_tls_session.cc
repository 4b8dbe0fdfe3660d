// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl_tls_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/protocol_errors.h"
#include "crypto/boringssl_callbacks.h"
#include "crypto/certificate.h"
#include "crypto/resumption_ticket.h"
#include "crypto/tls_error_text.h"
#include "godwit/socket_address.h"

namespace godwit {
namespace {

// Tickets that a client keeps until they are polled; a server that sends more wastes its own work.
constexpr size_t kMaxPendingTickets = 8;

constexpr uint8_t kCertificateRequest = 13;  // RFC 8446 §4.

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// Empties the thread's queue of errors and returns the first one of TLS in it, which says more than
// what led to it deeper down; without one, the first of all.
uint32_t TakeTlsError() {
  uint32_t chosen = 0;
  while (const uint32_t error = ERR_get_error()) {
    if (chosen == 0 || ERR_GET_LIB(error) == ERR_LIB_SSL) chosen = error;
    if (ERR_GET_LIB(chosen) == ERR_LIB_SSL) break;
  }
  ERR_clear_error();
  return chosen;
}

}  // namespace

// ---- Making a session ----

BoringSslTlsSession::BoringSslTlsSession(bssl::UniquePtr<SSL> ssl, Perspective perspective)
    : ssl_(std::move(ssl)),
      perspective_(perspective),
      max_handshake_bytes_(
          SSL_quic_max_handshake_flight_len(ssl_.get(), ssl_encryption_handshake)) {
  SSL_set_app_data(ssl_.get(), this);
}

BoringSslTlsSession& BoringSslTlsSession::Of(const SSL* ssl) {
  return *static_cast<BoringSslTlsSession*>(SSL_get_app_data(ssl));
}

const TlsPolicy& BoringSslTlsSession::policy() const {
  return TlsPolicy::Of(SSL_get_SSL_CTX(ssl_.get()));
}

absl::StatusOr<std::unique_ptr<BoringSslTlsSession>> BoringSslTlsSession::Make(
    SSL_CTX* context, std::span<const uint8_t> local_transport_parameters) {
  // RFC 9001 §8.2: there are always some; the connection ids of the handshake at least.
  GODWIT_CHECK(!local_transport_parameters.empty());
  const Perspective perspective = TlsPolicy::Of(context).perspective;
  bssl::UniquePtr<SSL> ssl(SSL_new(context));
  if (ssl == nullptr) return absl::ResourceExhaustedError("out of memory");
  perspective == Perspective::kClient ? SSL_set_connect_state(ssl.get())
                                      : SSL_set_accept_state(ssl.get());
  SSL_set_shed_handshake_config(ssl.get(), 1);
  if (SSL_set_quic_transport_params(ssl.get(), local_transport_parameters.data(),
                                    local_transport_parameters.size()) != 1) {
    return absl::ResourceExhaustedError("out of memory");
  }
  return std::unique_ptr<BoringSslTlsSession>(new BoringSslTlsSession(std::move(ssl), perspective));
}

absl::StatusOr<std::unique_ptr<TlsSession>> BoringSslTlsSession::NewClient(
    SSL_CTX* context, const TlsClientSessionOptions& options, TlsTime time) {
  absl::StatusOr<std::unique_ptr<BoringSslTlsSession>> session =
      Make(context, options.local_transport_parameters);
  if (!session.ok()) return session.status();
  BoringSslTlsSession& client = **session;
  const absl::Status status = client.SetServerName(options.server_name);
  if (!status.ok()) return status;
  client.time_ = time;
  const ScopedBoringSslTime boringssl_time(time.wall);
  ERR_clear_error();
  if (!options.resumption_ticket.empty()) {
    client.ticket_use_ = client.OfferTicket(options.resumption_ticket, time.wall);
  }
  if (!client.Advance().ok()) {
    return absl::InternalError(absl::StrCat("TLS cannot start: ", client.failure_reason_));
  }
  client.ForgetTicketUnlessOffered();
  return std::unique_ptr<TlsSession>(*std::move(session));
}

absl::StatusOr<std::unique_ptr<TlsSession>> BoringSslTlsSession::NewServer(
    SSL_CTX* context, const TlsServerSessionOptions& options, TlsServerPowers* powers) {
  absl::StatusOr<std::unique_ptr<BoringSslTlsSession>> session =
      Make(context, options.local_transport_parameters);
  if (!session.ok()) return session.status();
  BoringSslTlsSession& server = **session;
  server.server_.emplace(server.ssl_.get(), powers);
  if (!server.server_->AllowEarlyData(options.early_data_context)) {
    return absl::ResourceExhaustedError("out of memory");
  }
  return std::unique_ptr<TlsSession>(*std::move(session));
}

absl::Status BoringSslTlsSession::SetServerName(std::string_view server_name) {
  if (server_name.empty()) {
    if (!policy().peer_verifier->needs_server_name()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "the server's name is empty, so its certificate cannot be checked; give the name, or pin "
        "the server's key");
  }
  // The name of a host is also written with a dot at its end, but not in certificates.
  if (server_name.back() == '.') server_name.remove_suffix(1);
  server_name_ = std::string(server_name);
  // RFC 6066 §3: addresses are not sent.
  if (SocketAddress::ParseIp(server_name, 0)) return absl::OkStatus();
  const bool is_host_name = std::all_of(server_name.begin(), server_name.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != ':' && c != '/' && c != '[' && c != ']';
  });
  if (!is_host_name || SSL_set_tlsext_host_name(ssl_.get(), server_name_.c_str()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat("\"", Printable(server_name),
                     "\" is no host name and no IP address; write names in ASCII, without port"));
  }
  return absl::OkStatus();
}

TicketUse BoringSslTlsSession::OfferTicket(std::span<const uint8_t> bytes, UnixTime now) {
  const std::optional<ResumptionTicket> ticket = ResumptionTicket::Read(bytes);
  if (!ticket) return TicketUse::kUnreadable;
  if (ticket->server_name != server_name_) return TicketUse::kOtherServerName;
  const std::vector<std::string>& protocols = policy().application_protocols;
  if (std::find(protocols.begin(), protocols.end(), ticket->application_protocol) ==
      protocols.end()) {
    return TicketUse::kOtherApplicationProtocol;
  }
  // Without a certificate the server goes by the one of the ticket, which must be who we are.
  const std::vector<uint8_t> own_hash = HashOwnCertificate(SSL_get_SSL_CTX(ssl_.get()));
  if (!std::equal(own_hash.begin(), own_hash.end(), ticket->own_certificate_hash.begin(),
                  ticket->own_certificate_hash.end())) {
    return TicketUse::kOtherIdentity;
  }
  const bssl::UniquePtr<SSL_SESSION> session(SSL_SESSION_from_bytes(
      ticket->tls_session.data(), ticket->tls_session.size(), SSL_get_SSL_CTX(ssl_.get())));
  if (session == nullptr) {
    ERR_clear_error();
    return TicketUse::kUnreadable;
  }
  const UnixTime issued =
      UnixTime::FromSeconds(static_cast<int64_t>(SSL_SESSION_get_time(session.get())));
  if (now >= issued.PlusSeconds(SSL_SESSION_get_timeout(session.get())) || now < issued) {
    return TicketUse::kExpired;
  }
  // Resuming shows no certificate. The one that the ticket stands for must pass as it would now:
  // the configuration may have changed, and it may have expired.
  if (policy().peer_verifier->Verify(SSL_SESSION_get0_peer_certificates(session.get()),
                                     server_name_, now)) {
    return TicketUse::kServerNotTrusted;
  }
  if (SSL_set_session(ssl_.get(), session.get()) != 1) return TicketUse::kUnreadable;
  SSL_set_early_data_enabled(ssl_.get(), policy().early_data ? 1 : 0);
  remembered_transport_state_.assign(ticket->transport_state.begin(),
                                     ticket->transport_state.end());
  return TicketUse::kOffered;
}

void BoringSslTlsSession::ForgetTicketUnlessOffered() {
  // BoringSSL takes every session and leaves one that it finds unfit out of the ClientHello.
  if (ticket_use_ != TicketUse::kOffered ||
      OffersPreSharedKey(outbox_.PendingCryptoData(EncryptionLevel::kInitial))) {
    return;
  }
  ticket_use_ = TicketUse::kUnreadable;
  remembered_transport_state_.clear();
}

// ---- Running the handshake ----

Result BoringSslTlsSession::ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                                              TlsTime time) {
  if (!failure_.ok()) return failure_;
  // RFC 9001 §4.1.3 is about data; a level that was left may still repeat that it has no more.
  if (bytes.empty() && level != EncryptionLevel::kZeroRtt) return Result::Ok();
  GODWIT_RETURN_IF_ERROR(CheckLevel(level));
  // RFC 9001 §4.4: a server must not ask for a certificate after the handshake.
  if (complete_ && perspective_ == Perspective::kClient &&
      post_handshake_messages_.Scan(bytes, kCertificateRequest)) {
    return Fail(kPostHandshakeCertificateRequest,
                "the server asked for a certificate after the handshake");
  }
  time_ = time;
  const ScopedBoringSslTime boringssl_time(time.wall);
  ERR_clear_error();
  if (SSL_provide_quic_data(ssl_.get(), static_cast<ssl_encryption_level_t>(level), bytes.data(),
                            bytes.size()) != 1) {
    // RFC 9000 §7.5: the level is right, so it is the amount.
    ERR_clear_error();
    return Fail(kCryptoBufferExceeded, "the peer sent more handshake data than any message has");
  }
  const Result result = Advance();
  const bool is_client = perspective_ == Perspective::kClient;
  if (complete_ ||
      (SSL_session_reused(ssl_.get()) == 1 && !(is_client && SSL_in_early_data(ssl_.get()) == 1))) {
    KeepPeerCertificate();
  }
  return result;
}

Result BoringSslTlsSession::CheckLevel(EncryptionLevel level) {
  if (level == EncryptionLevel::kZeroRtt) {
    // RFC 9001 §8.3
    return Fail(kFrameNotPermitted, "the peer sent handshake data in a 0-RTT packet");
  }
  const auto read_level = static_cast<EncryptionLevel>(SSL_quic_read_level(ssl_.get()));
  // RFC 9001 §4.1.3
  if (level < read_level) {
    return Fail(kCryptoDataAtOldLevel,
                absl::StrCat("the peer sent handshake data at the level ", ToAbsl(ToString(level)),
                             ", which it had left"));
  }
  if (level > read_level) {
    return Fail(kCryptoDataAtFutureLevel,
                absl::StrCat("the peer sent handshake data at the level ", ToAbsl(ToString(level)),
                             " before the handshake got there"));
  }
  return Result::Ok();
}

Result BoringSslTlsSession::Advance() {
  SSL* ssl = ssl_.get();
  if (complete_) {
    return SSL_process_quic_post_handshake(ssl) == 1 ? Result::Ok() : FailFromTls();
  }
  while (true) {
    const int result = SSL_do_handshake(ssl);
    if (result == 1) {
      complete_ = SSL_in_early_data(ssl) == 0;
      return Result::Ok();
    }
    switch (SSL_get_error(ssl, result)) {
      case SSL_ERROR_WANT_READ:
        return Result::Ok();
      case SSL_ERROR_EARLY_DATA_REJECTED:
        // RFC 9001 §4.6.2: the handshake goes on without it.
        early_data_rejected_ = true;
        ERR_clear_error();
        SSL_reset_early_data_reject(ssl);
        break;
      default:
        return FailFromTls();
    }
  }
}

Result BoringSslTlsSession::Fail(const ProtocolError& error, std::string reason) {
  failure_ = error;
  failure_reason_ = std::move(reason);
  return failure_;
}

Result BoringSslTlsSession::FailFromTls() {
  const uint32_t error = TakeTlsError();
  if (refusal_.error != nullptr) return Fail(*refusal_.error, refusal_.reason);
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  if (reason == SSL_R_EXCESS_HANDSHAKE_DATA) {
    return Fail(kCryptoDataLeftAtLevel, "the peer changed keys in the middle of a message");
  }
  // RFC 9001 §4.6.1: of a limit BoringSSL says illegal_parameter for the reason "decode error"; of
  // an extension that comes twice it says illegal_parameter for another.
  if (complete_ && perspective_ == Perspective::kClient && alert_ == SSL_AD_ILLEGAL_PARAMETER &&
      reason == SSL_R_DECODE_ERROR) {
    return Fail(kEarlyDataSizeInvalid, "the server's ticket limits early data, which QUIC forbids");
  }
  std::string words =
      refusal_.reason.empty() ? DescribeTlsError(error, alert_, perspective_) : refusal_.reason;
  const uint8_t alert = alert_.value_or(SSL_AD_INTERNAL_ERROR);
  if (alert == SSL_AD_NO_APPLICATION_PROTOCOL) {
    return Fail(kApplicationProtocolMissing, std::move(words));
  }
  // RFC 9001 §8.2
  if (alert == SSL_AD_MISSING_EXTENSION && facts().peer_transport_parameters.empty()) {
    return Fail(kTransportParametersMissing, "the peer left out the transport parameters");
  }
  return Fail(TlsAlertError(alert), std::move(words));
}

// ---- BoringSSL's events ----

bool BoringSslTlsSession::OnSecret(EncryptionLevel level, SecretDirection direction,
                                   const SSL_CIPHER* cipher, std::span<const uint8_t> secret) {
  const std::optional<CipherSuite> suite = CipherSuiteFromTlsId(SSL_CIPHER_get_protocol_id(cipher));
  if (!suite) return false;
  if (perspective_ == Perspective::kClient && level == EncryptionLevel::kZeroRtt) {
    early_data_offered_ = true;
  }
  outbox_.PushSecret(level, direction, TrafficSecret(*suite, secret));
  return true;
}

void BoringSslTlsSession::OnCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes) {
  outbox_.AppendCryptoData(level, bytes);
}

bool BoringSslTlsSession::OnClientHello(const SSL_CLIENT_HELLO& hello) {
  std::optional<HandshakeRefusal> refusal = server_->OnClientHello(hello, time_);
  if (!refusal) return true;
  refusal_ = *std::move(refusal);
  return false;
}

std::string_view BoringSslTlsSession::OnApplicationProtocols(std::span<const uint8_t> offered) {
  return server_->SelectProtocol(offered, refusal_);
}

std::optional<uint8_t> BoringSslTlsSession::OnPeerCertificate() {
  KeepPeerCertificate();
  std::optional<CertificateRejection> rejection = policy().peer_verifier->Verify(
      SSL_get0_peer_certificates(ssl_.get()), server_name_, time_.wall);
  if (!rejection) return std::nullopt;
  refusal_.reason = std::move(rejection->reason);
  return rejection->alert;
}

void BoringSslTlsSession::OnNewSession(bssl::UniquePtr<SSL_SESSION> session) {
  if (tickets_.size() < kMaxPendingTickets) tickets_.push_back(std::move(session));
}

std::optional<size_t> BoringSslTlsSession::OnSealTicket(std::span<const uint8_t> session,
                                                        std::span<uint8_t> out) {
  return server_->SealTicket(session, out);
}

std::optional<size_t> BoringSslTlsSession::OnOpenTicket(std::span<const uint8_t> ticket,
                                                        std::span<uint8_t> out) {
  return server_->OpenTicket(ticket, out, time_);
}

// ---- What there is to take ----

size_t BoringSslTlsSession::MaxCryptoDataBytes(EncryptionLevel level) const {
  switch (level) {
    case EncryptionLevel::kZeroRtt:
      return 0;
    case EncryptionLevel::kHandshake:
      return max_handshake_bytes_;
    case EncryptionLevel::kInitial:
    case EncryptionLevel::kOneRtt:
      return SSL_quic_max_handshake_flight_len(ssl_.get(),
                                               static_cast<ssl_encryption_level_t>(level));
  }
  GODWIT_UNREACHABLE();
}

std::span<const uint8_t> BoringSslTlsSession::PendingCryptoData(EncryptionLevel level) const {
  return outbox_.PendingCryptoData(level);
}

void BoringSslTlsSession::ConsumeCryptoData(EncryptionLevel level, size_t bytes) {
  outbox_.ConsumeCryptoData(level, bytes);
}

EarlyDataState BoringSslTlsSession::early_data_state() const {
  const bool offered = server_ ? server_->early_data_offered() : early_data_offered_;
  if (!offered) return EarlyDataState::kNotOffered;
  if (SSL_early_data_accepted(ssl_.get()) == 1) return EarlyDataState::kAccepted;
  const bool undecided = !server_ && !complete_ && !early_data_rejected_;
  return undecided ? EarlyDataState::kOffered : EarlyDataState::kRejected;
}

TlsFacts BoringSslTlsSession::facts() const {
  const SSL* ssl = ssl_.get();
  TlsFacts facts;
  facts.handshake_complete = complete_;
  // A client in early data counts as resuming for BoringSSL, before the server has agreed.
  facts.resumed = SSL_session_reused(ssl) == 1 &&
                  (perspective_ == Perspective::kServer || SSL_in_early_data(ssl) == 0);
  facts.early_data = early_data_state();
  facts.ticket_use = ticket_use_;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  if (cipher != nullptr) {
    facts.cipher_suite = CipherSuiteFromTlsId(SSL_CIPHER_get_protocol_id(cipher));
  }
  const char* group = complete_ ? SSL_get_curve_name(SSL_get_curve_id(ssl)) : nullptr;
  if (group != nullptr) facts.key_exchange_group = group;
  const uint8_t* bytes = nullptr;
  unsigned protocol_length = 0;
  SSL_get0_alpn_selected(ssl, &bytes, &protocol_length);
  facts.application_protocol = {reinterpret_cast<const char*>(bytes), protocol_length};
  if (perspective_ == Perspective::kClient) {
    facts.server_name = server_name_;
  } else if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    facts.server_name = name;
  }
  size_t parameters_length = 0;
  SSL_get_peer_quic_transport_params(ssl, &bytes, &parameters_length);
  facts.peer_transport_parameters = {bytes, parameters_length};
  return facts;
}

void BoringSslTlsSession::KeepPeerCertificate() {
  if (peer_certificate_ != nullptr) return;
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(ssl_.get());
  if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0) return;
  peer_certificate_ = bssl::UpRef(sk_CRYPTO_BUFFER_value(chain, 0));
}

std::span<const uint8_t> BoringSslTlsSession::peer_certificate() const {
  if (peer_certificate_ == nullptr) return {};
  return BytesOf(peer_certificate_.get());
}

std::optional<PublicKeyHash> BoringSslTlsSession::peer_public_key_hash() const {
  return HashPublicKey(peer_certificate());
}

std::optional<std::vector<uint8_t>> BoringSslTlsSession::PollResumptionTicket(
    std::span<const uint8_t> transport_state) {
  if (tickets_.empty()) return std::nullopt;
  const bssl::UniquePtr<SSL_SESSION> session = std::move(tickets_.front());
  tickets_.erase(tickets_.begin());
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (SSL_SESSION_to_bytes(session.get(), &bytes, &length) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  const bssl::UniquePtr<uint8_t> owned(bytes);
  const std::vector<uint8_t> own_hash = HashOwnCertificate(SSL_get_SSL_CTX(ssl_.get()));
  const ResumptionTicket ticket = {.server_name = server_name_,
                                   .application_protocol = facts().application_protocol,
                                   .own_certificate_hash = own_hash,
                                   .transport_state = transport_state,
                                   .tls_session = {bytes, length}};
  return ticket.Write();
}

absl::Status BoringSslTlsSession::ExportKeyingMaterial(std::string_view label,
                                                       std::span<const uint8_t> context,
                                                       std::span<uint8_t> out) const {
  if (!complete_) {
    return absl::FailedPreconditionError(
        "keying material can be exported when the handshake is complete");
  }
  if (SSL_export_keying_material(ssl_.get(), out.data(), out.size(), label.data(), label.size(),
                                 context.data(), context.size(), 1) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the label or the length of exported keying is too long");
  }
  return absl::OkStatus();
}

std::optional<std::string> BoringSslTlsSession::PollKeyLogLine() {
  if (key_log_lines_.empty()) return std::nullopt;
  std::string line = std::move(key_log_lines_.front());
  key_log_lines_.erase(key_log_lines_.begin());
  return line;
}

}  // namespace godwit
