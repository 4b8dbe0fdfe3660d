// SPDX-License-Identifier: Apache-2.0
#include "crypto/deterministic_tls_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"

namespace godwit {
namespace {

// RFC 8446 §4: types of handshake messages.
constexpr uint8_t kClientHelloType = 1;
constexpr uint8_t kServerHelloType = 2;
constexpr uint8_t kNewSessionTicketType = 4;
constexpr uint8_t kEncryptedExtensionsType = 8;
constexpr uint8_t kCertificateType = 11;
constexpr uint8_t kCertificateVerifyType = 15;
constexpr uint8_t kFinishedType = 20;

constexpr uint8_t kUnexpectedMessage = 10;
constexpr uint8_t kDecodeError = 50;
constexpr uint8_t kDecryptError = 51;

constexpr size_t kHeaderLength = 4;
// What BoringSSL takes for these with X25519 and an ECDSA key.
constexpr size_t kServerHelloBytes = 90;
constexpr size_t kCertificateVerifyBytes = 80;

constexpr size_t kMaxFlightBytes = 16'384;

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// Builds the body of a message. Whatever is too long for its field was configured so: a CHECK.
class BodyWriter {
 public:
  BodyWriter() { GODWIT_CHECK_EQ(CBB_init(cbb_.get(), 256), 1); }

  void Raw(std::span<const uint8_t> bytes) {
    GODWIT_CHECK_EQ(CBB_add_bytes(cbb_.get(), bytes.data(), bytes.size()), 1);
  }
  void Number(uint16_t value) { GODWIT_CHECK_EQ(CBB_add_u16(cbb_.get(), value), 1); }
  void Field(std::span<const uint8_t> bytes) {
    CBB field;
    GODWIT_CHECK_EQ(CBB_add_u16_length_prefixed(cbb_.get(), &field), 1);
    GODWIT_CHECK_EQ(CBB_add_bytes(&field, bytes.data(), bytes.size()), 1);
    GODWIT_CHECK_EQ(CBB_flush(cbb_.get()), 1);
  }
  void Field(std::string_view text) {
    Field({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  // Zeros, so that the message with its header has `bytes` in all.
  void PadMessageTo(size_t bytes) {
    while (CBB_len(cbb_.get()) + kHeaderLength < bytes) {
      GODWIT_CHECK_EQ(CBB_add_u8(cbb_.get(), 0), 1);
    }
  }

  std::span<const uint8_t> bytes() const { return {CBB_data(cbb_.get()), CBB_len(cbb_.get())}; }

 private:
  bssl::ScopedCBB cbb_;
};

std::vector<uint8_t> BytesOf(const CBS& cbs) {
  return {CBS_data(&cbs), CBS_data(&cbs) + CBS_len(&cbs)};
}

std::string TextOf(const CBS& cbs) {
  return {reinterpret_cast<const char*>(CBS_data(&cbs)), CBS_len(&cbs)};
}

bool IsZero(const CBS& cbs) {
  return std::all_of(CBS_data(&cbs), CBS_data(&cbs) + CBS_len(&cbs),
                     [](uint8_t byte) { return byte == 0; });
}

}  // namespace

DeterministicTlsSession::DeterministicTlsSession(
    const DeterministicTlsConfig& config, Perspective perspective, uint64_t number,
    std::string_view server_name, std::span<const uint8_t> local_transport_parameters)
    : config_(config),
      perspective_(perspective),
      number_(number),
      server_name_(server_name),
      local_transport_parameters_(local_transport_parameters.begin(),
                                  local_transport_parameters.end()),
      awaited_(perspective == Perspective::kClient ? Step::kServerHello : Step::kClientHello) {
  GODWIT_CHECK(!local_transport_parameters.empty());
  SHA256_Init(&transcript_);
  if (perspective == Perspective::kClient) SendClientHello();
}

// ---- Messages to the peer ----

void DeterministicTlsSession::SendMessage(EncryptionLevel level, uint8_t type,
                                          std::span<const uint8_t> body) {
  const std::array<uint8_t, kHeaderLength> header = {type, static_cast<uint8_t>(body.size() >> 16),
                                                     static_cast<uint8_t>(body.size() >> 8),
                                                     static_cast<uint8_t>(body.size())};
  Absorb(header);
  Absorb(body);
  outbox_.AppendCryptoData(level, header);
  outbox_.AppendCryptoData(level, body);
}

void DeterministicTlsSession::SendClientHello() {
  BodyWriter body;
  Hash random;
  Derive({}, absl::StrCat("client random ", number_), random);
  body.Raw(random);
  body.Field(server_name_);
  BodyWriter protocols;
  for (const std::string& protocol : config_.application_protocols) protocols.Field(protocol);
  body.Field(protocols.bytes());
  body.Field(local_transport_parameters_);
  body.PadMessageTo(config_.client_hello_bytes);
  SendMessage(EncryptionLevel::kInitial, kClientHelloType, body.bytes());
}

void DeterministicTlsSession::SendServerFlight() {
  cipher_suite_ = config_.cipher_suite;
  Hash random;
  Derive({}, absl::StrCat("server random ", number_), random);
  BodyWriter hello;
  hello.Raw(random);
  hello.Number(static_cast<uint16_t>(*cipher_suite_));
  hello.PadMessageTo(kServerHelloBytes);
  SendMessage(EncryptionLevel::kInitial, kServerHelloType, hello.bytes());
  handshake_hash_ = TranscriptHash();
  PushSecret(EncryptionLevel::kHandshake, SecretDirection::kSend);

  BodyWriter extensions;
  extensions.Field(application_protocol_);
  extensions.Field(local_transport_parameters_);
  SendMessage(EncryptionLevel::kHandshake, kEncryptedExtensionsType, extensions.bytes());
  Hash key;
  Derive({}, "certificate", key);
  BodyWriter certificate;
  certificate.Raw(key);
  certificate.PadMessageTo(config_.certificate_bytes);
  SendMessage(EncryptionLevel::kHandshake, kCertificateType, certificate.bytes());
  BodyWriter verify;
  verify.PadMessageTo(kCertificateVerifyBytes);
  SendMessage(EncryptionLevel::kHandshake, kCertificateVerifyType, verify.bytes());
  SendFinished();
  one_rtt_hash_ = TranscriptHash();
  PushSecret(EncryptionLevel::kOneRtt, SecretDirection::kSend);
  PushSecret(EncryptionLevel::kHandshake, SecretDirection::kRecv);
}

void DeterministicTlsSession::SendFinished() {
  SendMessage(EncryptionLevel::kHandshake, kFinishedType,
              FinishedOf(perspective_, TranscriptHash()));
}

// ---- Messages of the peer ----

Result DeterministicTlsSession::ProvideCryptoData(EncryptionLevel level,
                                                  std::span<const uint8_t> bytes,
                                                  TlsTime /*time*/) {
  if (!failure_.ok()) return failure_;
  if (level == EncryptionLevel::kZeroRtt) {
    return Fail(kFrameNotPermitted, "handshake data in a 0-RTT packet");
  }
  if (bytes.empty()) return Result::Ok();
  if (level < read_level_) return Fail(kCryptoDataAtOldLevel, "handshake data at an old level");
  if (level > read_level_) {
    return Fail(kCryptoDataAtFutureLevel, "handshake data at a future level");
  }
  if (inbox_.size() + bytes.size() > MaxCryptoDataBytes(level)) {
    return Fail(kCryptoBufferExceeded, "too much handshake data");
  }
  inbox_.insert(inbox_.end(), bytes.begin(), bytes.end());
  while (true) {
    CBS in;
    uint8_t type = 0;
    CBS body;
    CBS_init(&in, inbox_.data(), inbox_.size());
    if (!CBS_get_u8(&in, &type) || !CBS_get_u24_length_prefixed(&in, &body)) return Result::Ok();
    // The message stays in place while it is worked on.
    const std::vector<uint8_t> rest = BytesOf(in);
    GODWIT_RETURN_IF_ERROR(OnMessage(type, body));
    inbox_ = rest;
    if (level != read_level_ && !inbox_.empty()) {
      return Fail(kCryptoDataLeftAtLevel, "keys changed in the middle of a message");
    }
  }
}

Result DeterministicTlsSession::OnMessage(uint8_t type, CBS body) {
  // By Step.
  static constexpr uint8_t kExpectedTypes[] = {
      kClientHelloType,       kServerHelloType, kEncryptedExtensionsType, kCertificateType,
      kCertificateVerifyType, kFinishedType,    kNewSessionTicketType};
  const bool is_ticket_for_server =
      awaited_ == Step::kNothing && perspective_ == Perspective::kServer;
  if (type != kExpectedTypes[static_cast<size_t>(awaited_)] || is_ticket_for_server) {
    return Fail(TlsAlertError(kUnexpectedMessage), absl::StrCat("unexpected message ", type));
  }
  const Hash before = TranscriptHash();
  Absorb({CBS_data(&body) - kHeaderLength, CBS_len(&body) + kHeaderLength});
  switch (awaited_) {
    case Step::kClientHello:
      return OnClientHello(body);
    case Step::kServerHello:
      return OnServerHello(body);
    case Step::kEncryptedExtensions:
      return OnEncryptedExtensions(body);
    case Step::kCertificate:
      return OnCertificate(body);
    case Step::kCertificateVerify:
      awaited_ = Step::kFinished;
      return Result::Ok();
    case Step::kFinished:
      return OnFinished(body, before);
    case Step::kNothing:
      return Result::Ok();
  }
  GODWIT_UNREACHABLE();
}

Result DeterministicTlsSession::OnClientHello(CBS body) {
  CBS random;
  CBS name;
  CBS protocols;
  CBS parameters;
  if (!CBS_get_bytes(&body, &random, 32) || !CBS_get_u16_length_prefixed(&body, &name) ||
      !CBS_get_u16_length_prefixed(&body, &protocols) ||
      !CBS_get_u16_length_prefixed(&body, &parameters) || !IsZero(body)) {
    return DecodeError();
  }
  if (config_.refusal_alert) return Fail(TlsAlertError(*config_.refusal_alert), "refused");
  server_name_ = TextOf(name);
  peer_transport_parameters_ = BytesOf(parameters);
  if (peer_transport_parameters_.empty()) {
    return Fail(kTransportParametersMissing, "the peer left out the transport parameters");
  }
  std::vector<std::string> offered;
  while (CBS_len(&protocols) > 0) {
    CBS protocol;
    if (!CBS_get_u16_length_prefixed(&protocols, &protocol)) return DecodeError();
    offered.push_back(TextOf(protocol));
  }
  for (const std::string& protocol : config_.application_protocols) {
    if (std::find(offered.begin(), offered.end(), protocol) == offered.end()) continue;
    application_protocol_ = protocol;
    SendServerFlight();
    awaited_ = Step::kFinished;
    read_level_ = EncryptionLevel::kHandshake;
    return Result::Ok();
  }
  return Fail(kApplicationProtocolMissing, "no common application protocol");
}

Result DeterministicTlsSession::OnServerHello(CBS body) {
  uint16_t suite = 0;
  if (!CBS_skip(&body, 32) || !CBS_get_u16(&body, &suite) || !IsZero(body)) return DecodeError();
  cipher_suite_ = CipherSuiteFromTlsId(suite);
  if (!cipher_suite_) return DecodeError();
  handshake_hash_ = TranscriptHash();
  PushSecret(EncryptionLevel::kHandshake, SecretDirection::kSend);
  PushSecret(EncryptionLevel::kHandshake, SecretDirection::kRecv);
  awaited_ = Step::kEncryptedExtensions;
  read_level_ = EncryptionLevel::kHandshake;
  return Result::Ok();
}

Result DeterministicTlsSession::OnEncryptedExtensions(CBS body) {
  CBS protocol;
  CBS parameters;
  if (!CBS_get_u16_length_prefixed(&body, &protocol) ||
      !CBS_get_u16_length_prefixed(&body, &parameters) || CBS_len(&body) != 0) {
    return DecodeError();
  }
  application_protocol_ = TextOf(protocol);
  peer_transport_parameters_ = BytesOf(parameters);
  awaited_ = Step::kCertificate;
  return Result::Ok();
}

Result DeterministicTlsSession::OnCertificate(CBS body) {
  if (config_.refusal_alert) return Fail(TlsAlertError(*config_.refusal_alert), "refused");
  peer_certificate_ = BytesOf(body);
  awaited_ = Step::kCertificateVerify;
  return Result::Ok();
}

Result DeterministicTlsSession::OnFinished(CBS body, const Hash& before) {
  const Hash expected = FinishedOf(Opposite(perspective_), before);
  if (!CBS_mem_equal(&body, expected.data(), expected.size())) {
    return Fail(TlsAlertError(kDecryptError), "the two ends saw different handshakes");
  }
  if (perspective_ == Perspective::kClient) {
    one_rtt_hash_ = TranscriptHash();
    SendFinished();
    PushSecret(EncryptionLevel::kOneRtt, SecretDirection::kSend);
    PushSecret(EncryptionLevel::kOneRtt, SecretDirection::kRecv);
  } else {
    PushSecret(EncryptionLevel::kOneRtt, SecretDirection::kRecv);
    if (config_.ticket_bytes > 0) {
      BodyWriter ticket;
      ticket.PadMessageTo(config_.ticket_bytes);
      SendMessage(EncryptionLevel::kOneRtt, kNewSessionTicketType, ticket.bytes());
    }
  }
  awaited_ = Step::kNothing;
  read_level_ = EncryptionLevel::kOneRtt;
  return Result::Ok();
}

Result DeterministicTlsSession::Fail(const ProtocolError& error, std::string reason) {
  failure_ = error;
  failure_reason_ = std::move(reason);
  return failure_;
}

Result DeterministicTlsSession::DecodeError() {
  return Fail(TlsAlertError(kDecodeError), "malformed message");
}

// ---- Secrets and facts ----

void DeterministicTlsSession::Absorb(std::span<const uint8_t> bytes) {
  SHA256_Update(&transcript_, bytes.data(), bytes.size());
}

DeterministicTlsSession::Hash DeterministicTlsSession::TranscriptHash() const {
  SHA256_CTX copy = transcript_;
  Hash hash;
  SHA256_Final(hash.data(), &copy);
  return hash;
}

void DeterministicTlsSession::Derive(std::span<const uint8_t> hash, std::string_view label,
                                     std::span<uint8_t> out) const {
  const std::string info = absl::StrCat(ToAbsl(label), " of world ", config_.seed);
  GODWIT_CHECK_EQ(HKDF_expand(out.data(), out.size(), EVP_sha256(), hash.data(), hash.size(),
                              reinterpret_cast<const uint8_t*>(info.data()), info.size()),
                  1);
}

DeterministicTlsSession::Hash DeterministicTlsSession::FinishedOf(Perspective sender,
                                                                  const Hash& transcript) const {
  Hash finished;
  Derive(transcript, sender == Perspective::kClient ? "client finished" : "server finished",
         finished);
  return finished;
}

void DeterministicTlsSession::PushSecret(EncryptionLevel level, SecretDirection direction) {
  const bool of_client =
      (perspective_ == Perspective::kClient) == (direction == SecretDirection::kSend);
  const Hash& hash = level == EncryptionLevel::kHandshake ? handshake_hash_ : one_rtt_hash_;
  std::vector<uint8_t> secret(HashLength(*cipher_suite_));
  Derive(hash, absl::StrCat(of_client ? "client " : "server ", ToAbsl(ToString(level))), secret);
  outbox_.PushSecret(level, direction, TrafficSecret(*cipher_suite_, secret));
}

size_t DeterministicTlsSession::MaxCryptoDataBytes(EncryptionLevel level) const {
  switch (level) {
    case EncryptionLevel::kZeroRtt:
      return 0;
    case EncryptionLevel::kHandshake:
      return perspective_ == Perspective::kClient ? kMaxCryptoBufferBytes : kMaxFlightBytes;
    case EncryptionLevel::kInitial:
    case EncryptionLevel::kOneRtt:
      return kMaxFlightBytes;
  }
  GODWIT_UNREACHABLE();
}

TlsFacts DeterministicTlsSession::facts() const {
  return {.handshake_complete = awaited_ == Step::kNothing,
          .cipher_suite = cipher_suite_,
          .key_exchange_group = awaited_ == Step::kNothing ? "none" : "",
          .application_protocol = application_protocol_,
          .server_name = server_name_,
          .peer_transport_parameters = peer_transport_parameters_};
}

std::optional<PublicKeyHash> DeterministicTlsSession::peer_public_key_hash() const {
  if (peer_certificate_.empty()) return std::nullopt;
  std::array<uint8_t, PublicKeyHash::kSize> hash;
  SHA256(peer_certificate_.data(), peer_certificate_.size(), hash.data());
  return PublicKeyHash(hash);
}

std::optional<std::vector<uint8_t>> DeterministicTlsSession::PollResumptionTicket(
    std::span<const uint8_t> /*transport_state*/) {
  return std::nullopt;
}

absl::Status DeterministicTlsSession::ExportKeyingMaterial(std::string_view label,
                                                           std::span<const uint8_t> context,
                                                           std::span<uint8_t> out) const {
  if (awaited_ != Step::kNothing) {
    return absl::FailedPreconditionError("the handshake is not complete");
  }
  std::vector<uint8_t> hash(context.begin(), context.end());
  hash.insert(hash.end(), one_rtt_hash_.begin(), one_rtt_hash_.end());
  Derive(hash, label, out);
  return absl::OkStatus();
}

// ---- Factories ----

absl::StatusOr<std::unique_ptr<TlsSession>> DeterministicTlsClients::NewSession(
    const TlsClientSessionOptions& options, TlsTime /*time*/) const {
  return std::make_unique<DeterministicTlsSession>(config_, Perspective::kClient, ++sessions_,
                                                   options.server_name,
                                                   options.local_transport_parameters);
}

absl::StatusOr<std::unique_ptr<TlsSession>> DeterministicTlsServers::NewSession(
    const TlsServerSessionOptions& options) {
  return std::make_unique<DeterministicTlsSession>(config_, Perspective::kServer, ++sessions_, "",
                                                   options.local_transport_parameters);
}

}  // namespace godwit
