// SPDX-License-Identifier: Apache-2.0
//
// ServerHandshake: what a server decides while TLS reads a ClientHello: the certificate for the
// name that was asked for, the application protocol, whether a ticket may be resumed, and whether
// 0-RTT data is to be accepted. RFC 8446 §4.2.10, §8; RFC 9001 §4.6, §8, §9.2.
//
// It is the server's half of BoringSslTlsSession, which calls it and keeps what it finds wrong.
#ifndef GODWIT_CRYPTO_SERVER_HANDSHAKE_H_
#define GODWIT_CRYPTO_SERVER_HANDSHAKE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/result.h"
#include "crypto/boringssl.h"
#include "crypto/early_data_guard.h"
#include "crypto/ticket_sealer.h"
#include "crypto/tls_policy.h"
#include "crypto/tls_session.h"

namespace godwit {

// What a server's sessions use of the thread that they run on.
struct TlsServerPowers {
  TicketSealer ticket_sealer;
  Random* random;
  EarlyDataGuard early_data_guard;
};

// What was found wrong in the middle of a handshake. `error` is null where the alert says it.
struct HandshakeRefusal {
  const ProtocolError* error = nullptr;
  std::string reason;
};

class ServerHandshake {
 public:
  // Both outlive it.
  ServerHandshake(SSL* ssl, TlsServerPowers* powers) : ssl_(ssl), powers_(powers) {}

  // Allows 0-RTT data for tickets that were issued with the same `context`, if configuration and
  // powers do. False: out of memory.
  bool AllowEarlyData(std::span<const uint8_t> context);

  std::optional<HandshakeRefusal> OnClientHello(const SSL_CLIENT_HELLO& hello, TlsTime time);

  // The protocol to speak, of the names in the client's ALPN extension; empty if none will do, with
  // the reason in `refusal`.
  std::string_view SelectProtocol(std::span<const uint8_t> offered,
                                  HandshakeRefusal& refusal) const;

  // As in TicketSealer.
  std::optional<size_t> SealTicket(std::span<const uint8_t> session, std::span<uint8_t> out) const;
  // Nothing: the handshake goes on as if there had been no ticket.
  std::optional<size_t> OpenTicket(std::span<const uint8_t> ticket, std::span<uint8_t> out,
                                   TlsTime time);

  bool early_data_offered() const { return early_data_offered_; }

 private:
  const TlsPolicy& policy() const { return TlsPolicy::Of(SSL_get_SSL_CTX(ssl_)); }
  bool ClientStillPasses(std::span<const uint8_t> tls_session, UnixTime now) const;

  SSL* ssl_;
  TlsServerPowers* powers_;
  bool early_data_offered_ = false;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_SERVER_HANDSHAKE_H_
