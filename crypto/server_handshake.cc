// SPDX-License-Identifier: Apache-2.0
#include "crypto/server_handshake.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/protocol_errors.h"
#include "crypto/certificate.h"

namespace godwit {
namespace {

// The names in the body of an ALPN extension, for people.
std::string DescribeProtocols(std::span<const uint8_t> list) {
  std::vector<std::string> names;
  CBS in;
  CBS name;
  CBS_init(&in, list.data(), list.size());
  while (names.size() < 10 && CBS_get_u8_length_prefixed(&in, &name)) {
    names.push_back(Printable({reinterpret_cast<const char*>(CBS_data(&name)), CBS_len(&name)}));
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

bool ServerHandshake::AllowEarlyData(std::span<const uint8_t> context) {
  const bool is_possible = policy().early_data && powers_->early_data_guard.has_store();
  if (!is_possible || context.empty()) return true;
  SSL_set_early_data_enabled(ssl_, 1);
  return SSL_set_quic_early_data_context(ssl_, context.data(), context.size()) == 1;
}

std::optional<HandshakeRefusal> ServerHandshake::OnClientHello(const SSL_CLIENT_HELLO& hello,
                                                               TlsTime time) {
  powers_->early_data_guard.OnClientHello(time);
  // RFC 9001 §8.4
  if (hello.session_id_len != 0) {
    return HandshakeRefusal{&kCompatibilityModeRequested,
                            "the client asked for the middlebox compatibility mode of TLS"};
  }
  const uint8_t* extension = nullptr;
  size_t extension_length = 0;
  early_data_offered_ = SSL_early_callback_ctx_extension_get(&hello, TLSEXT_TYPE_early_data,
                                                             &extension, &extension_length) == 1;
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  if (policy().identities->Select(name != nullptr ? name : "").Install(ssl_)) return std::nullopt;
  return HandshakeRefusal{&TlsAlertError(SSL_AD_INTERNAL_ERROR),
                          "our own certificate cannot be used"};
}

std::string_view ServerHandshake::SelectProtocol(std::span<const uint8_t> offered,
                                                 HandshakeRefusal& refusal) const {
  const std::vector<std::string>& protocols = policy().application_protocols;
  for (const std::string& protocol : protocols) {
    CBS in;
    CBS name;
    CBS_init(&in, offered.data(), offered.size());
    while (CBS_get_u8_length_prefixed(&in, &name)) {
      if (CBS_mem_equal(&name, reinterpret_cast<const uint8_t*>(protocol.data()),
                        protocol.size())) {
        return protocol;
      }
    }
  }
  refusal.reason =
      absl::StrCat("no common application protocol: the client offers ", DescribeProtocols(offered),
                   "; we speak ", absl::StrJoin(protocols, ", "));
  return {};
}

std::optional<size_t> ServerHandshake::SealTicket(std::span<const uint8_t> session,
                                                  std::span<uint8_t> out) const {
  return powers_->ticket_sealer.Seal(session, *powers_->random, out);
}

std::optional<size_t> ServerHandshake::OpenTicket(std::span<const uint8_t> ticket,
                                                  std::span<uint8_t> out, TlsTime time) {
  const std::vector<uint8_t> sealed(ticket.begin(), ticket.end());  // `out` may overwrite it.
  const std::optional<size_t> size = powers_->ticket_sealer.Open(sealed, out);
  if (!size) return std::nullopt;
  // BoringSSL asks whether 0-RTT is enabled after this, when it decides; the tickets of a
  // connection where it is not will not allow it either. That this ticket is authentic is known by
  // now. Whoever copied it from a client's packet can use it up first, but who sees packets can
  // also drop them. It is noted even if something else refuses the 0-RTT data here: what is refused
  // must not pass at another server of the store.
  if (early_data_offered_ && !powers_->early_data_guard.Admit(sealed, time)) {
    SSL_set_early_data_enabled(ssl_, 0);
  }
  if (!ClientStillPasses(out.first(*size), time.wall)) return std::nullopt;
  return size;
}

bool ServerHandshake::ClientStillPasses(std::span<const uint8_t> tls_session, UnixTime now) const {
  const std::optional<PeerVerifier>& verifier = policy().peer_verifier;
  if (!verifier) return true;
  // A client that resumes shows no certificate. The one that the ticket stands for must pass as it
  // would now: the configuration may have changed, and it may have expired.
  const bssl::UniquePtr<SSL_SESSION> session(
      SSL_SESSION_from_bytes(tls_session.data(), tls_session.size(), SSL_get_SSL_CTX(ssl_)));
  const bool passes = session != nullptr &&
                      !verifier->Verify(SSL_SESSION_get0_peer_certificates(session.get()), {}, now);
  ERR_clear_error();
  return passes;
}

}  // namespace godwit
