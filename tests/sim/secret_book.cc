// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/secret_book.h"

#include <optional>
#include <string>
#include <utility>

namespace godwit {
namespace {

class TappedTlsSession final : public TlsSession {
 public:
  TappedTlsSession(std::unique_ptr<TlsSession> session, Perspective perspective, SecretBook* book)
      : session_(std::move(session)), perspective_(perspective), book_(*book) {}

  Result ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                           TlsTime time) override {
    return session_->ProvideCryptoData(level, bytes, time);
  }
  std::string_view failure_reason() const override { return session_->failure_reason(); }
  size_t MaxCryptoDataBytes(EncryptionLevel level) const override {
    return session_->MaxCryptoDataBytes(level);
  }
  std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const override {
    return session_->PendingCryptoData(level);
  }
  void ConsumeCryptoData(EncryptionLevel level, size_t bytes) override {
    session_->ConsumeCryptoData(level, bytes);
  }
  std::optional<TlsSecret> PollSecret() override {
    std::optional<TlsSecret> secret = session_->PollSecret();
    if (secret.has_value() && secret->direction == SecretDirection::kSend) {
      book_.push_back({secret->level, perspective_, secret->secret});
    }
    return secret;
  }
  TlsFacts facts() const override { return session_->facts(); }
  std::span<const uint8_t> peer_certificate() const override {
    return session_->peer_certificate();
  }
  std::optional<PublicKeyHash> peer_public_key_hash() const override {
    return session_->peer_public_key_hash();
  }
  std::optional<std::vector<uint8_t>> PollResumptionTicket(
      std::span<const uint8_t> transport_state) override {
    return session_->PollResumptionTicket(transport_state);
  }
  std::span<const uint8_t> remembered_transport_state() const override {
    return session_->remembered_transport_state();
  }
  absl::Status ExportKeyingMaterial(std::string_view label, std::span<const uint8_t> context,
                                    std::span<uint8_t> out) const override {
    return session_->ExportKeyingMaterial(label, context, out);
  }
  std::optional<std::string> PollKeyLogLine() override { return session_->PollKeyLogLine(); }

 private:
  std::unique_ptr<TlsSession> session_;
  Perspective perspective_;
  SecretBook& book_;
};

absl::StatusOr<std::unique_ptr<TlsSession>> Tap(absl::StatusOr<std::unique_ptr<TlsSession>> made,
                                                Perspective perspective, SecretBook* book) {
  if (!made.ok()) return made;
  return std::unique_ptr<TlsSession>(
      std::make_unique<TappedTlsSession>(*std::move(made), perspective, book));
}

class TappedClients final : public TlsClientFactory {
 public:
  TappedClients(const TlsClientFactory* factory, SecretBook* book)
      : factory_(*factory), book_(book) {}

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(const TlsClientSessionOptions& options,
                                                         TlsTime time) const override {
    return Tap(factory_.NewSession(options, time), Perspective::kClient, book_);
  }

 private:
  const TlsClientFactory& factory_;
  SecretBook* book_;
};

class TappedServers final : public TlsServerFactory {
 public:
  TappedServers(TlsServerFactory* factory, SecretBook* book) : factory_(*factory), book_(book) {}

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
      const TlsServerSessionOptions& options) override {
    return Tap(factory_.NewSession(options), Perspective::kServer, book_);
  }

 private:
  TlsServerFactory& factory_;
  SecretBook* book_;
};

}  // namespace

TlsWorld::TlsWorld(TlsKind kind, const DeterministicTlsConfig& config, SecretBook* book) {
  if (kind == TlsKind::kDeterministic) {
    clients_ = std::make_unique<DeterministicTlsClients>(config);
    servers_ = std::make_unique<DeterministicTlsServers>(config);
    tapped_clients_ = std::make_unique<TappedClients>(clients_.get(), book);
    tapped_servers_ = std::make_unique<TappedServers>(servers_.get(), book);
  } else {
    real_ = std::make_unique<TlsEndpoints>();
    real_->has_run_for_a_while = false;
    tapped_clients_ = std::make_unique<TappedClients>(&real_->client(), book);
    tapped_servers_ = std::make_unique<TappedServers>(&real_->server(), book);
  }
}

TlsWorld::~TlsWorld() = default;

}  // namespace godwit
