// SPDX-License-Identifier: Apache-2.0
//
// From configuration to TLS sessions: TlsClientContext and TlsServerContext check a configuration,
// read its files and hold what is shared by all sessions made from it; TlsServerSessions adds what
// belongs to one thread. Errors say what in the configuration is wrong and what to do.
//
// To take a new certificate into use, make a new context. Sessions that exist keep the old one
// alive for as long as they need it.
//
// Contexts are immutable: threads may share them. TlsServerSessions belongs to one thread.
#ifndef GODWIT_CRYPTO_TLS_CONTEXT_H_
#define GODWIT_CRYPTO_TLS_CONTEXT_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/environment.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

struct ssl_ctx_st;  // BoringSSL's SSL_CTX.

namespace godwit {

struct TlsServerPowers;

// A reference to an SSL_CTX of BoringSSL, which counts them.
class SslContextReference {
 public:
  explicit SslContextReference(ssl_ctx_st* context) : context_(context) {}  // Takes it over.
  SslContextReference(const SslContextReference& other);
  SslContextReference(SslContextReference&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)) {}
  SslContextReference& operator=(SslContextReference other) noexcept;
  ~SslContextReference();

  ssl_ctx_st* get() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

class TlsClientContext final : public TlsClientFactory {
 public:
  static absl::StatusOr<std::unique_ptr<TlsClientContext>> Create(const TlsClientConfig& config,
                                                                  UnixTime now);

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(const TlsClientSessionOptions& options,
                                                         TlsTime time) const override;

  // What is doubtful about the configuration but no error, one line each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  TlsClientContext(SslContextReference context, std::vector<std::string> warnings);

  SslContextReference context_;
  std::vector<std::string> warnings_;
};

class TlsServerContext {
 public:
  static absl::StatusOr<TlsServerContext> Create(const TlsServerConfig& config, UnixTime now);

  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  friend class TlsServerSessions;

  TlsServerContext(SslContextReference context, std::vector<std::string> warnings);

  SslContextReference context_;
  std::vector<std::string> warnings_;
};

class TlsServerSessions final : public TlsServerFactory {
 public:
  // What the sessions use of their thread; all of it outlives this object.
  struct Environment {
    Random* random = nullptr;
    // Whatever is shared by all servers that accept the same ticket keys. Each ticket that comes
    // with 0-RTT data takes two keys of it for 270 seconds, and two more if it comes again later.
    // Null: no 0-RTT.
    ReplayStore* replay_store = nullptr;
  };

  // The first of `ticket_keys` seals, all of them open. None: a key is made, and tickets are good
  // for this object alone. With given keys a ticket may have been used for 0-RTT before a restart:
  // no 0-RTT data is accepted in the first 130 seconds after the first ClientHello.
  static absl::StatusOr<std::unique_ptr<TlsServerSessions>> Create(
      const TlsServerContext& context, std::span<const SecretKey> ticket_keys,
      const Environment& environment);
  ~TlsServerSessions() override;

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
      const TlsServerSessionOptions& options) override;

  // Rotates the ticket keys; running handshakes use the new ones from here on. On failure the old
  // ones stay. The first given keys after one that was made stop 0-RTT as Create() says.
  absl::Status SetTicketKeys(std::span<const SecretKey> ticket_keys);

  // For the sessions made from here on.
  void SetContext(const TlsServerContext& context);

 private:
  TlsServerSessions(const TlsServerContext& context, TlsServerPowers powers);

  void UseGivenTicketKeys();

  SslContextReference context_;
  std::unique_ptr<TlsServerPowers> powers_;  // The sessions point to it.
  bool has_given_ticket_keys_ = false;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_CONTEXT_H_
