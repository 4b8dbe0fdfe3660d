// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_context.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/limits.h"
#include "crypto/boringssl.h"
#include "crypto/boringssl_callbacks.h"
#include "crypto/boringssl_tls_session.h"
#include "crypto/certificate.h"
#include "crypto/early_data_guard.h"
#include "crypto/peer_verifier.h"
#include "crypto/server_handshake.h"
#include "crypto/ticket_sealer.h"
#include "crypto/tls_identity.h"
#include "crypto/tls_policy.h"

namespace godwit {
namespace {

// BoringSSL leaves Ed25519 out of what it accepts unless told. Those with PKCS #1 are for the
// signatures within certificates only (RFC 8446 §4.2.3).
constexpr uint16_t kAcceptedSignatures[] = {
    SSL_SIGN_ED25519,          SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256,
    SSL_SIGN_RSA_PKCS1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PKCS1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA512,
};

// A ticket from before clients had to show certificates must not get around it: BoringSSL resumes
// only sessions of the same context id, and demands one where peers are verified.
constexpr std::string_view kVerifiedClients = "godwit: client certificates";

constexpr size_t kMaxTickets = 16;  // BoringSSL sends no more.

absl::Status OutOfMemory() { return absl::ResourceExhaustedError("out of memory"); }

// The body of an ALPN extension. RFC 7301 §3.1.
absl::StatusOr<std::vector<uint8_t>> MakeProtocolList(const std::vector<std::string>& protocols) {
  if (protocols.empty()) {
    return absl::InvalidArgumentError(
        "application_protocols is empty; QUIC needs at least one that both ends speak, such as "
        "\"h3\" (RFC 9001 §8.1)");
  }
  std::vector<uint8_t> list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("the application protocol \"", Printable(protocol), "\" has ",
                       protocol.size(), " bytes; it must have 1 to 255"));
    }
    list.push_back(static_cast<uint8_t>(protocol.size()));
    list.insert(list.end(), protocol.begin(), protocol.end());
  }
  if (list.size() > 1024) {
    return absl::InvalidArgumentError(
        "application_protocols takes more than 1024 bytes, which do not fit into a first packet");
  }
  return list;
}

absl::StatusOr<SslContextReference> MakeContext(std::unique_ptr<TlsPolicy> policy,
                                                bool export_session_secrets) {
  ERR_clear_error();
  // Without X.509 in the SSLs: PeerVerifier parses certificates when it needs them.
  SslContextReference context(SSL_CTX_new(TLS_with_buffers_method()));
  SSL_CTX* ssl_context = context.get();
  const BoringSslCallbackOptions callbacks = {
      .perspective = policy->perspective,
      .verify_peer = policy->peer_verifier.has_value(),
      .export_session_secrets = export_session_secrets,
  };
  if (ssl_context == nullptr ||
      // RFC 9001 §4.2
      SSL_CTX_set_min_proto_version(ssl_context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(ssl_context, TLS1_3_VERSION) != 1 ||
      !boringssl::SetKeyExchangeGroups(ssl_context) ||
      SSL_CTX_set_verify_algorithm_prefs(ssl_context, kAcceptedSignatures,
                                         std::size(kAcceptedSignatures)) != 1 ||
      !InstallBoringSslCallbacks(ssl_context, callbacks) ||
      !TlsPolicy::Attach(ssl_context, std::move(policy))) {
    ERR_clear_error();
    return OutOfMemory();
  }
  // A client's flight limit at the Handshake level is twice this (RFC 9000 §7.5).
  SSL_CTX_set_max_cert_list(ssl_context, kMaxCryptoBufferBytes / 2);
  return context;
}

absl::Status ConfigureTickets(SSL_CTX* context, const TlsServerConfig& config) {
  if (config.tickets_per_handshake > kMaxTickets) {
    return absl::InvalidArgumentError(absl::StrCat("tickets_per_handshake is ",
                                                   config.tickets_per_handshake, "; it must be ",
                                                   kMaxTickets, " at most"));
  }
  const int64_t seconds = absl::ToInt64Seconds(config.ticket_lifetime);
  // RFC 8446 §4.6.1
  if (seconds < 1 || seconds > int64_t{7} * 86'400) {
    return absl::InvalidArgumentError(absl::StrCat("ticket_lifetime is ",
                                                   absl::FormatDuration(config.ticket_lifetime),
                                                   "; it must be one second to seven days"));
  }
  // Tickets hold all there is: there is no cache of sessions.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_psk_dhe_timeout(context, static_cast<uint32_t>(seconds));
  SSL_CTX_set_num_tickets(context, config.tickets_per_handshake);
  if (config.tickets_per_handshake == 0) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  return absl::OkStatus();
}

}  // namespace

SslContextReference::SslContextReference(const SslContextReference& other)
    : context_(other.context_) {
  if (context_ != nullptr) SSL_CTX_up_ref(context_);
}

SslContextReference& SslContextReference::operator=(SslContextReference other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

SslContextReference::~SslContextReference() { SSL_CTX_free(context_); }

// ---- Clients ----

TlsClientContext::TlsClientContext(SslContextReference context, std::vector<std::string> warnings)
    : context_(std::move(context)), warnings_(std::move(warnings)) {}

absl::StatusOr<std::unique_ptr<TlsClientContext>> TlsClientContext::Create(
    const TlsClientConfig& config, UnixTime now) {
  const absl::StatusOr<std::vector<uint8_t>> protocols =
      MakeProtocolList(config.application_protocols);
  if (!protocols.ok()) return protocols.status();
  absl::StatusOr<PeerVerifier> verifier =
      PeerVerifier::Create(config.server_verification, Perspective::kServer);
  if (!verifier.ok()) return verifier.status();
  auto policy = std::make_unique<TlsPolicy>();
  policy->perspective = Perspective::kClient;
  policy->application_protocols = config.application_protocols;
  policy->peer_verifier = *std::move(verifier);
  policy->early_data = config.offer_early_data;
  absl::StatusOr<SslContextReference> context =
      MakeContext(std::move(policy), config.export_session_secrets);
  if (!context.ok()) return context.status();
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_CLIENT);
  // This one returns 0 on success.
  if (SSL_CTX_set_alpn_protos(context->get(), protocols->data(), protocols->size()) != 0) {
    return OutOfMemory();
  }
  std::vector<std::string> warnings;
  if (config.certificate) {
    const absl::StatusOr<TlsIdentity> identity =
        TlsIdentity::Load(*config.certificate, now, warnings);
    if (!identity.ok()) return identity.status();
    if (!identity->Install(context->get())) return OutOfMemory();
  }
  return std::unique_ptr<TlsClientContext>(
      new TlsClientContext(*std::move(context), std::move(warnings)));
}

absl::StatusOr<std::unique_ptr<TlsSession>> TlsClientContext::NewSession(
    const TlsClientSessionOptions& options, TlsTime time) const {
  return BoringSslTlsSession::NewClient(context_.get(), options, time);
}

// ---- Servers ----

TlsServerContext::TlsServerContext(SslContextReference context, std::vector<std::string> warnings)
    : context_(std::move(context)), warnings_(std::move(warnings)) {}

absl::StatusOr<TlsServerContext> TlsServerContext::Create(const TlsServerConfig& config,
                                                          UnixTime now) {
  const absl::StatusOr<std::vector<uint8_t>> protocols =
      MakeProtocolList(config.application_protocols);
  if (!protocols.ok()) return protocols.status();
  std::vector<std::string> warnings;
  absl::StatusOr<ServerIdentities> identities =
      ServerIdentities::Load(config.certificates, now, warnings);
  if (!identities.ok()) return identities.status();
  auto policy = std::make_unique<TlsPolicy>();
  policy->perspective = Perspective::kServer;
  policy->application_protocols = config.application_protocols;
  policy->identities = *std::move(identities);
  policy->early_data = config.accept_early_data;
  if (config.client_verification) {
    absl::StatusOr<PeerVerifier> verifier =
        PeerVerifier::Create(*config.client_verification, Perspective::kClient);
    if (!verifier.ok()) return verifier.status();
    policy->peer_verifier = *std::move(verifier);
  }
  absl::StatusOr<SslContextReference> context =
      MakeContext(std::move(policy), config.export_session_secrets);
  if (!context.ok()) return context.status();
  const absl::Status status = ConfigureTickets(context->get(), config);
  if (!status.ok()) return status;
  if (config.client_verification &&
      SSL_CTX_set_session_id_context(context->get(),
                                     reinterpret_cast<const uint8_t*>(kVerifiedClients.data()),
                                     kVerifiedClients.size()) != 1) {
    return OutOfMemory();
  }
  return TlsServerContext(*std::move(context), std::move(warnings));
}

TlsServerSessions::TlsServerSessions(const TlsServerContext& context, TlsServerPowers powers)
    : context_(context.context_), powers_(std::make_unique<TlsServerPowers>(std::move(powers))) {}
TlsServerSessions::~TlsServerSessions() = default;

absl::StatusOr<std::unique_ptr<TlsServerSessions>> TlsServerSessions::Create(
    const TlsServerContext& context, std::span<const SecretKey> ticket_keys,
    const Environment& environment) {
  GODWIT_CHECK(environment.random != nullptr);
  absl::StatusOr<TicketSealer> sealer =
      ticket_keys.empty() ? TicketSealer::Create({{SecretKey::Generate(*environment.random)}})
                          : TicketSealer::Create(ticket_keys);
  if (!sealer.ok()) return sealer.status();
  std::unique_ptr<TlsServerSessions> sessions(new TlsServerSessions(
      context, {.ticket_sealer = *std::move(sealer),
                .random = environment.random,
                .early_data_guard = EarlyDataGuard(environment.replay_store)}));
  if (!ticket_keys.empty()) sessions->UseGivenTicketKeys();
  return sessions;
}

void TlsServerSessions::UseGivenTicketKeys() {
  if (!has_given_ticket_keys_) powers_->early_data_guard.DistrustPast();
  has_given_ticket_keys_ = true;
}

absl::StatusOr<std::unique_ptr<TlsSession>> TlsServerSessions::NewSession(
    const TlsServerSessionOptions& options) {
  return BoringSslTlsSession::NewServer(context_.get(), options, powers_.get());
}

absl::Status TlsServerSessions::SetTicketKeys(std::span<const SecretKey> ticket_keys) {
  absl::StatusOr<TicketSealer> sealer = TicketSealer::Create(ticket_keys);
  if (!sealer.ok()) return sealer.status();
  powers_->ticket_sealer = *std::move(sealer);
  UseGivenTicketKeys();
  return absl::OkStatus();
}

void TlsServerSessions::SetContext(const TlsServerContext& context) { context_ = context.context_; }

}  // namespace godwit
