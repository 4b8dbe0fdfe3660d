// SPDX-License-Identifier: Apache-2.0
//
// TlsSession: the seam between QUIC and TLS 1.3, for one connection. CRYPTO bytes go in by
// encryption level, in order; CRYPTO bytes, secrets and facts come out. RFC 9001 §3, §4, §8.
//
// It calls nobody back: after every call the owner drains what there is. It does not reassemble
// CRYPTO frames, keep keys, judge transport parameters or know when the handshake is confirmed. It
// has no clock: time is a parameter. One thread at a time.
//
// Invariants:
//  1. PollSecret() gives secrets in the order in which TLS made them, each once. A level has its
//     send secret before TLS puts out CRYPTO bytes at that level, and before its recv secret, but
//     for 0-RTT: there each side has one direction only, and a server sends at 1-RTT before it
//     reads 0-RTT.
//  2. A server has the secret to send at 1-RTT before it has verified its client. What only a known
//     client may see has to wait for handshake_complete.
//  3. Failure is final: ProvideCryptoData() returns the same error from then on. What was put out
//     before stays there to be drained, because the peer must be told with keys that it has.
#ifndef GODWIT_CRYPTO_TLS_SESSION_H_
#define GODWIT_CRYPTO_TLS_SESSION_H_

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
#include "crypto/cipher_suite.h"
#include "crypto/key_schedule.h"
#include "godwit/public_key_hash.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {

// Both times of one moment: the connection's, for what is over in minutes (replays), and the wall
// clock's, for what outlives the process (certificates, tickets).
struct TlsTime {
  Timestamp now;
  UnixTime wall;
};

enum class SecretDirection : uint8_t { kSend, kRecv };

struct TlsSecret {
  EncryptionLevel level;
  SecretDirection direction;
  TrafficSecret secret;
};

// RFC 9001 §4.6. A server never is in kOffered: it decides while it reads the offer.
enum class EarlyDataState : uint8_t { kNotOffered, kOffered, kAccepted, kRejected };

// What became of the ticket that a client was made with.
enum class TicketUse : uint8_t {
  kNone,     // There was none.
  kOffered,  // The server decides; TlsFacts::resumed tells how.
  // Not made by PollResumptionTicket(), or by another version of this library or of BoringSSL.
  kUnreadable,
  kOtherServerName,
  kOtherApplicationProtocol,  // It was made with one that is not offered any more.
  kOtherIdentity,     // The server would take us for who we were: our certificate has changed.
  kExpired,           // Or issued later than now.
  kServerNotTrusted,  // The certificate that it stands for does not pass, or not any more.
};

// What is known so far. Views are valid until the next call of ProvideCryptoData(), and as long as
// the session lives.
struct TlsFacts {
  // RFC 9001 §4.1.1: our Finished is sent and the peer's is verified.
  bool handshake_complete = false;
  bool resumed = false;
  EarlyDataState early_data = EarlyDataState::kNotOffered;
  TicketUse ticket_use = TicketUse::kNone;
  std::optional<CipherSuite> cipher_suite;
  // "X25519"; empty before the end of the handshake.
  std::string_view key_exchange_group;
  // ALPN. A client that offers 0-RTT has here, until the server answers, what the ticket says.
  std::string_view application_protocol;
  // The name that the client asked for; empty if it asked for none.
  std::string_view server_name;
  // The body of the extension, empty before it came. RFC 9001 §8.2: not authenticated before
  // handshake_complete.
  std::span<const uint8_t> peer_transport_parameters;
};

class TlsSession {
 public:
  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  virtual ~TlsSession() = default;

  // The next bytes of the CRYPTO stream of `level`, in order and without gaps, cut anywhere. Never
  // ahead of the levels that TLS has left: bytes of a level whose recv secret is not out yet are to
  // be kept by the caller (RFC 9001 §4.1.3). No bytes at all do nothing, at any level but 0-RTT.
  virtual Result ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                                   TlsTime time) = 0;

  // The story behind the error that ProvideCryptoData() returned, one line for people: which name
  // was wanted, when the certificate expired. Empty before.
  virtual std::string_view failure_reason() const = 0;

  // Bytes of CRYPTO data that a peer can need at `level` at one time, and so what is worth keeping
  // out of order. RFC 9000 §7.5.
  virtual size_t MaxCryptoDataBytes(EncryptionLevel level) const = 0;

  // CRYPTO bytes to be sent at `level`, following those consumed before.
  virtual std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const = 0;
  // The first `bytes` of them are taken over. Not more than there are.
  virtual void ConsumeCryptoData(EncryptionLevel level, size_t bytes) = 0;

  virtual std::optional<TlsSecret> PollSecret() = 0;

  virtual TlsFacts facts() const = 0;

  // DER, valid as long as the session lives; empty if the peer has shown none, or not yet. Of a
  // session that resumes it is the one of the ticket, once it is sure to resume: what a client's
  // ticket says is not the server's word before. That of a client is authenticated only with
  // handshake_complete.
  virtual std::span<const uint8_t> peer_certificate() const = 0;
  // Of that certificate.
  virtual std::optional<PublicKeyHash> peer_public_key_hash() const = 0;

  // Of a client: a ticket of the server's to store for one later connection to the same name, with
  // `transport_state` in it, which that connection gives back as remembered_transport_state() (RFC
  // 9000 §7.4.1). Nothing if there is none left. The bytes are secret: who has them can pose as
  // this client, and reads the 0-RTT data sent with them.
  virtual std::optional<std::vector<uint8_t>> PollResumptionTicket(
      std::span<const uint8_t> transport_state) = 0;

  // Of a client whose ticket was offered: what the ticket was stored with. Otherwise empty.
  virtual std::span<const uint8_t> remembered_transport_state() const = 0;

  // Keying material for the application, as RFC 5705 and RFC 8446 §7.5 define it; both ends get the
  // same for the same `label` and `context`. Fails before handshake_complete.
  virtual absl::Status ExportKeyingMaterial(std::string_view label,
                                            std::span<const uint8_t> context,
                                            std::span<uint8_t> out) const = 0;

  // The next line for an SSLKEYLOGFILE, without its end of line; never one unless the configuration
  // has export_session_secrets.
  virtual std::optional<std::string> PollKeyLogLine() = 0;
};

struct TlsClientSessionOptions {
  // A host name, or a numeric IP address: what the server's certificate must be for, and (unless it
  // is an address, RFC 6066 §3) what the server is told. May be empty if nothing depends on it.
  std::string_view server_name = {};
  // The body of the transport parameters extension. Not empty.
  std::span<const uint8_t> local_transport_parameters = {};
  // From PollResumptionTicket(), or empty. One that cannot be used does no harm: see TicketUse.
  std::span<const uint8_t> resumption_ticket = {};
};

struct TlsServerSessionOptions {
  // The body of the transport parameters extension. Not empty.
  std::span<const uint8_t> local_transport_parameters = {};
  // What must not have changed since a ticket was issued for its 0-RTT data to be accepted: the
  // limits that a client remembers, the application's settings (RFC 9001 §4.6.3). Empty: no 0-RTT.
  std::span<const uint8_t> early_data_context = {};
};

// Makes the sessions of an endpoint's clients. May be shared by threads.
class TlsClientFactory {
 public:
  virtual ~TlsClientFactory() = default;

  // The session has its ClientHello pending. Fails if `options` do not fit the configuration.
  virtual absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
      const TlsClientSessionOptions& options, TlsTime time) const = 0;
};

// Makes the sessions of an endpoint's server. Belongs to one thread, and outlives its sessions.
class TlsServerFactory {
 public:
  virtual ~TlsServerFactory() = default;

  virtual absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
      const TlsServerSessionOptions& options) = 0;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_SESSION_H_
