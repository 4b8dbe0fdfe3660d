// SPDX-License-Identifier: Apache-2.0
//
// ResumptionTicket: what a client keeps of a connection to resume it later, as the opaque bytes
// that an application stores: the TLS session, the server's name, who the client was, the
// application protocol, and what the transport wants to remember (RFC 9000 §7.4.1, RFC 9001 §4.5).
//
// The bytes come from the client's own store, not from a peer, and hold secrets. They are not
// authenticated: whoever can write the store can give the client another server's session, which
// then does not resume. Reading never fails but for saying "not readable".
#ifndef GODWIT_CRYPTO_RESUMPTION_TICKET_H_
#define GODWIT_CRYPTO_RESUMPTION_TICKET_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/boringssl.h"

namespace godwit {

// Views into the bytes that it was read from.
struct ResumptionTicket {
  std::string_view server_name;
  std::string_view application_protocol;
  // SHA-256 of the client's own certificate; empty if it had none.
  std::span<const uint8_t> own_certificate_hash;
  std::span<const uint8_t> transport_state;
  std::span<const uint8_t> tls_session;

  // Nothing if one of the parts is above 65,535 bytes (the TLS session: 2^24 - 1).
  std::optional<std::vector<uint8_t>> Write() const;

  static std::optional<ResumptionTicket> Read(std::span<const uint8_t> bytes);
};

// SHA-256 of the certificate that the sessions of `context` show; empty if they have none.
std::vector<uint8_t> HashOwnCertificate(const SSL_CTX* context);

// Whether the ClientHello that `bytes` are offers a ticket. RFC 8446 §4.1.2, §4.2.11.
bool OffersPreSharedKey(std::span<const uint8_t> bytes);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_RESUMPTION_TICKET_H_
