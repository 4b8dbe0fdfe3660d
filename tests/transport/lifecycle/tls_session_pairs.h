// SPDX-License-Identifier: Apache-2.0
//
// Pairs of TLS sessions for the tests of what lies around them: real ones, deterministic ones, and
// ScriptedTlsSession, which takes and gives CRYPTO bytes without a meaning.
#ifndef GODWIT_TESTS_TRANSPORT_LIFECYCLE_TLS_SESSION_PAIRS_H_
#define GODWIT_TESTS_TRANSPORT_LIFECYCLE_TLS_SESSION_PAIRS_H_

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

#include "base/seeded_random.h"
#include "crypto/deterministic_tls_session.h"
#include "crypto/tls_context.h"
#include "crypto/tls_session.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {

// 2030.
inline constexpr TlsTime kTlsTime = {Timestamp::FromNanoseconds(1'000'000'000'000),
                                     UnixTime::FromSeconds(1'900'000'000)};

struct TlsSessionPair {
  std::unique_ptr<TlsSession> client;
  std::unique_ptr<TlsSession> server;
};

// Of BoringSSL, with an Ed25519 certificate that the client does not look at.
class RealTlsSessions {
 public:
  RealTlsSessions();

  TlsSessionPair NewPair();

 private:
  SeededRandom random_;
  std::unique_ptr<TlsClientContext> client_;
  std::unique_ptr<TlsServerSessions> server_;
};

TlsSessionPair NewDeterministicPair(const DeterministicTlsConfig& config = {});

// At any level what comes in is remembered, and what Say() was given goes out.
class ScriptedTlsSession final : public TlsSession {
 public:
  void Say(EncryptionLevel level, std::span<const uint8_t> bytes);
  const std::vector<uint8_t>& heard(EncryptionLevel level) const { return heard_[Index(level)]; }
  // From now on ProvideCryptoData() fails so, after saying a byte at the level.
  void FailWith(const ProtocolError& error) { error_ = &error; }

  Result ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                           TlsTime time) override;
  std::string_view failure_reason() const override { return {}; }
  size_t MaxCryptoDataBytes(EncryptionLevel /*level*/) const override { return max_bytes; }
  std::span<const uint8_t> PendingCryptoData(EncryptionLevel level) const override {
    return to_say_[Index(level)];
  }
  void ConsumeCryptoData(EncryptionLevel level, size_t bytes) override;
  std::optional<TlsSecret> PollSecret() override { return std::nullopt; }
  TlsFacts facts() const override { return {}; }
  std::span<const uint8_t> peer_certificate() const override { return {}; }
  std::optional<PublicKeyHash> peer_public_key_hash() const override { return std::nullopt; }
  std::optional<std::vector<uint8_t>> PollResumptionTicket(
      std::span<const uint8_t> /*transport_state*/) override {
    return std::nullopt;
  }
  std::span<const uint8_t> remembered_transport_state() const override { return {}; }
  absl::Status ExportKeyingMaterial(std::string_view /*label*/,
                                    std::span<const uint8_t> /*context*/,
                                    std::span<uint8_t> /*out*/) const override {
    return absl::UnimplementedError("no keys");
  }
  std::optional<std::string> PollKeyLogLine() override { return std::nullopt; }

  size_t max_bytes = 16384;

 private:
  static size_t Index(EncryptionLevel level) { return static_cast<size_t>(level); }

  std::array<std::vector<uint8_t>, kEncryptionLevelCount> heard_;
  std::array<std::vector<uint8_t>, kEncryptionLevelCount> to_say_;
  const ProtocolError* error_ = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_LIFECYCLE_TLS_SESSION_PAIRS_H_
