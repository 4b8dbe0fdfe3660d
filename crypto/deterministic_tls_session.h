// SPDX-License-Identifier: Apache-2.0
//
// DeterministicTlsSession: a TlsSession for the simulator, where the same seed must give the same
// bytes. It has the messages of TLS 1.3, their order, levels and sizes, and checks them by a hash
// of all that was said; it has no key exchange and no signatures, so there is nothing secret about
// it. RFC 9001 §4.
//
// Secrets follow from the seed and the messages so far: ends that saw different messages have
// different keys, as in TLS. Both ends must have the same seed. No tickets can be resumed and no
// 0-RTT data is sent. For tests only (the target is testonly).
//
// Invariant: secrets and bytes come out in the order in which BoringSslTlsSession gives them.
#ifndef GODWIT_CRYPTO_DETERMINISTIC_TLS_SESSION_H_
#define GODWIT_CRYPTO_DETERMINISTIC_TLS_SESSION_H_

#include <array>
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
#include "crypto/cipher_suite.h"
#include "crypto/tls_outbox.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"

namespace godwit {

struct DeterministicTlsConfig {
  // The world's: the same at both ends.
  uint64_t seed = 1;
  std::vector<std::string> application_protocols = {"sim"};
  // A server's choice.
  CipherSuite cipher_suite = CipherSuite::kAes128GcmSha256;

  // Bytes of messages, at least what they need. Real clients send 250 to 1800 (those with
  // post-quantum keys), real chains have 500 to 10,000.
  size_t client_hello_bytes = 300;
  size_t certificate_bytes = 1000;
  // Of all NewSessionTicket messages together. 0: none.
  size_t ticket_bytes = 400;

  // If set, this end refuses its peer with this alert: a server when it has the ClientHello, a
  // client when it has the certificate.
  std::optional<uint8_t> refusal_alert = std::nullopt;
};

class DeterministicTlsSession final : public TlsSession {
 public:
  // `number` tells the sessions of an end apart: each has its own random bytes.
  DeterministicTlsSession(const DeterministicTlsConfig& config, Perspective perspective,
                          uint64_t number, std::string_view server_name,
                          std::span<const uint8_t> local_transport_parameters);

  Result ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                           TlsTime time) override;
  std::string_view failure_reason() const override { return failure_reason_; }
  size_t MaxCryptoDataBytes(EncryptionLevel level) const override;
  std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const override {
    return outbox_.PendingCryptoData(level);
  }
  void ConsumeCryptoData(EncryptionLevel level, size_t bytes) override {
    outbox_.ConsumeCryptoData(level, bytes);
  }
  std::optional<TlsSecret> PollSecret() override { return outbox_.PollSecret(); }
  TlsFacts facts() const override;
  std::span<const uint8_t> peer_certificate() const override { return peer_certificate_; }
  std::optional<PublicKeyHash> peer_public_key_hash() const override;
  std::optional<std::vector<uint8_t>> PollResumptionTicket(
      std::span<const uint8_t> transport_state) override;
  std::span<const uint8_t> remembered_transport_state() const override { return {}; }
  absl::Status ExportKeyingMaterial(std::string_view label, std::span<const uint8_t> context,
                                    std::span<uint8_t> out) const override;
  std::optional<std::string> PollKeyLogLine() override { return std::nullopt; }

 private:
  using Hash = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

  // What is awaited.
  enum class Step : uint8_t {
    kClientHello,
    kServerHello,
    kEncryptedExtensions,
    kCertificate,
    kCertificateVerify,
    kFinished,
    kNothing,  // The handshake is complete.
  };

  void SendClientHello();
  void SendServerFlight();
  void SendFinished();
  void SendMessage(EncryptionLevel level, uint8_t type, std::span<const uint8_t> body);

  Result OnMessage(uint8_t type, CBS body);
  Result OnClientHello(CBS body);
  Result OnServerHello(CBS body);
  Result OnEncryptedExtensions(CBS body);
  Result OnCertificate(CBS body);
  Result OnFinished(CBS body, const Hash& before);

  void PushSecret(EncryptionLevel level, SecretDirection direction);
  void Absorb(std::span<const uint8_t> bytes);
  Hash TranscriptHash() const;
  // `out` follows from `hash`, `label` and the seed.
  void Derive(std::span<const uint8_t> hash, std::string_view label, std::span<uint8_t> out) const;
  Hash FinishedOf(Perspective sender, const Hash& transcript) const;
  Result Fail(const ProtocolError& error, std::string reason);
  Result DecodeError();

  DeterministicTlsConfig config_;
  Perspective perspective_;
  uint64_t number_;
  std::string server_name_;
  std::vector<uint8_t> local_transport_parameters_;

  Step awaited_;
  EncryptionLevel read_level_ = EncryptionLevel::kInitial;
  std::vector<uint8_t> inbox_;  // Of read_level_, without complete messages.
  TlsOutbox outbox_;
  SHA256_CTX transcript_;
  // What the secrets of the two levels follow from: the transcript after the hellos, and after the
  // server's Finished.
  Hash handshake_hash_{};
  Hash one_rtt_hash_{};

  Result failure_ = Result::Ok();
  std::string failure_reason_;
  std::optional<CipherSuite> cipher_suite_;
  std::string application_protocol_;
  std::vector<uint8_t> peer_transport_parameters_;
  std::vector<uint8_t> peer_certificate_;
};

class DeterministicTlsClients final : public TlsClientFactory {
 public:
  explicit DeterministicTlsClients(const DeterministicTlsConfig& config) : config_(config) {}

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(const TlsClientSessionOptions& options,
                                                         TlsTime time) const override;

 private:
  DeterministicTlsConfig config_;
  mutable uint64_t sessions_ = 0;  // The simulator has one thread.
};

class DeterministicTlsServers final : public TlsServerFactory {
 public:
  explicit DeterministicTlsServers(const DeterministicTlsConfig& config) : config_(config) {}

  absl::StatusOr<std::unique_ptr<TlsSession>> NewSession(
      const TlsServerSessionOptions& options) override;

 private:
  DeterministicTlsConfig config_;
  uint64_t sessions_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_DETERMINISTIC_TLS_SESSION_H_
