// SPDX-License-Identifier: Apache-2.0
#include "bench/tls_stream.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "bench/byte_queue.h"
#include "bench/self_signed.h"
#include "crypto/boringssl.h"
#include "godwit/tls_config.h"

namespace godwit {
namespace {

// Records are made until about so many bytes wait for one send().
constexpr size_t kSendBytes = size_t{256} << 10;
constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

absl::Status TlsError(const char* what) {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", text));
}

// BoringSSL leaves Ed25519 out of what it accepts unless told.
constexpr uint16_t kAcceptedSignatures[] = {SSL_SIGN_ED25519, SSL_SIGN_ECDSA_SECP256R1_SHA256};

bssl::UniquePtr<BIO> Reader(const PemSource& pem) {
  return bssl::UniquePtr<BIO>(
      BIO_new_mem_buf(pem.value().data(), static_cast<int>(pem.value().size())));
}

// DER.
bssl::UniquePtr<CRYPTO_BUFFER> ReadCertificate(const PemSource& pem) {
  char* name = nullptr;
  char* header = nullptr;
  uint8_t* bytes = nullptr;
  long size = 0;
  if (PEM_read_bio(Reader(pem).get(), &name, &header, &bytes, &size) != 1) return nullptr;
  bssl::UniquePtr<CRYPTO_BUFFER> certificate(
      CRYPTO_BUFFER_new(bytes, static_cast<size_t>(size), nullptr));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  return certificate;
}

bool Use(SSL_CTX* context, const TlsCertificate& own) {
  const bssl::UniquePtr<CRYPTO_BUFFER> certificate = ReadCertificate(own.chain);
  const bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(Reader(own.private_key).get(), nullptr, nullptr, nullptr));
  CRYPTO_BUFFER* const chain[] = {certificate.get()};
  return certificate && key &&
         SSL_CTX_set_chain_and_key(context, chain, 1, key.get(), nullptr) == 1;
}

ssl_verify_result_t AcceptAny(SSL* /*ssl*/, uint8_t* /*alert*/) { return ssl_verify_ok; }

class TlsStream final : public ByteStream {
 public:
  TlsStream(FileDescriptor socket, TransferRole role, SSL_CTX* context, const BIO_METHOD* method)
      : socket_(std::move(socket)), input_(kReceiveBytes), ssl_(SSL_new(context)) {
    BIO* const bio = BIO_new(method);
    GODWIT_CHECK(ssl_ != nullptr && bio != nullptr);
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (role == TransferRole::kServer) {
      SSL_set_accept_state(ssl_.get());
    } else {
      SSL_set_connect_state(ssl_.get());
    }
  }

  int fd() const override { return socket_.fd(); }
  IoOutcome Handshake() override {
    may_receive_ = true;
    return OutcomeOf(SSL_do_handshake(ssl_.get()), "TLS handshake");
  }
  IoOutcome Read(std::span<uint8_t> buffer) override;
  IoOutcome Write(std::span<const uint8_t> bytes) override;
  bool needs_flush() const override { return !output_.is_empty(); }
  IoOutcome Flush() override;
  IoOutcome End() override;
  const SocketCallCounts& calls() const override { return socket_.calls(); }
  std::string cipher() const override {
    const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_.get());
    return cipher == nullptr ? "" : SSL_CIPHER_standard_name(cipher);
  }
  std::string failure() const override { return failure_.empty() ? socket_.failure() : failure_; }

  // What BoringSSL calls.
  int ReadRecordBytes(uint8_t* to, int size);
  int WriteRecordBytes(const uint8_t* from, int size) {
    output_.Append({from, static_cast<size_t>(size)});
    return size;
  }

 private:
  IoOutcome OutcomeOf(int result, const char* what);

  CountedSocket socket_;
  std::vector<uint8_t> input_;  // Of which these bytes wait to be read:
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  bool may_receive_ = false;  // One recv() for each call from outside.
  ByteQueue output_;          // Records that are to be sent.
  std::string failure_;
  bssl::UniquePtr<SSL> ssl_;  // Last: it looks at the others.
};

int TlsStream::ReadRecordBytes(uint8_t* to, int size) {
  if (input_begin_ == input_end_) {
    if (!std::exchange(may_receive_, false)) return -1;
    const IoOutcome outcome = socket_.Receive(input_);
    if (outcome.state == IoOutcome::State::kBlocked) return -1;
    if (outcome.state != IoOutcome::State::kProgress) return 0;
    input_begin_ = 0;
    input_end_ = outcome.bytes;
  }
  const size_t count = std::min(static_cast<size_t>(size), input_end_ - input_begin_);
  std::memcpy(to, &input_[input_begin_], count);
  input_begin_ += count;
  return static_cast<int>(count);
}

IoOutcome TlsStream::OutcomeOf(int result, const char* what) {
  // Alerts and handshake messages.
  const IoOutcome flushed = Flush();
  if (flushed.state == IoOutcome::State::kFailed) return flushed;
  if (result > 0) return {IoOutcome::State::kProgress, static_cast<size_t>(result)};
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return {IoOutcome::State::kBlocked};
  if (error == SSL_ERROR_ZERO_RETURN) return {IoOutcome::State::kEnded};
  if (error == SSL_ERROR_SSL) {
    failure_ = std::string(TlsError(what).message());
  } else if (socket_.failure().empty()) {
    failure_ = absl::StrCat(what, ": the peer broke off");
  }
  return {IoOutcome::State::kFailed};
}

IoOutcome TlsStream::Read(std::span<uint8_t> buffer) {
  GODWIT_CHECK(buffer.size() >= kReadBufferBytes);
  // What came together with the end of the handshake is there already; with more the buffer might
  // be too small.
  may_receive_ = input_begin_ == input_end_;
  size_t total = 0;
  int result = 0;
  do {
    GODWIT_CHECK(buffer.size() - total >= kRecordBytes);
    result = SSL_read(ssl_.get(), buffer.data() + total, kRecordBytes);
    if (result > 0) total += static_cast<size_t>(result);
  } while (result > 0);
  IoOutcome outcome = OutcomeOf(result, "TLS");
  if (outcome.state == IoOutcome::State::kBlocked && total > 0) {
    outcome.state = IoOutcome::State::kProgress;
  }
  outcome.bytes = total;
  return outcome;
}

IoOutcome TlsStream::Write(std::span<const uint8_t> bytes) {
  GODWIT_DCHECK(!needs_flush());
  size_t total = 0;
  while (total < bytes.size() && output_.bytes().size() + kRecordBytes < kSendBytes) {
    const size_t count = std::min(bytes.size() - total, kRecordBytes);
    const int result = SSL_write(ssl_.get(), bytes.data() + total, static_cast<int>(count));
    if (result <= 0) return OutcomeOf(result, "TLS");
    total += static_cast<size_t>(result);
  }
  const IoOutcome flushed = Flush();
  if (flushed.state == IoOutcome::State::kFailed) return flushed;
  return {IoOutcome::State::kProgress, total};
}

IoOutcome TlsStream::Flush() {
  while (!output_.is_empty()) {
    const IoOutcome sent = socket_.Send(output_.bytes());
    if (sent.state != IoOutcome::State::kProgress) return sent;
    output_.RemoveFront(sent.bytes);
  }
  return {};
}

IoOutcome TlsStream::End() {
  // Negative only if the alert could not be written, which our BIO always can.
  if (SSL_shutdown(ssl_.get()) < 0) return OutcomeOf(-1, "TLS");
  const IoOutcome flushed = Flush();
  if (flushed.state == IoOutcome::State::kFailed) return flushed;
  return {};
}

int BioRead(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const int count = static_cast<TlsStream*>(BIO_get_data(bio))
                        ->ReadRecordBytes(reinterpret_cast<uint8_t*>(to), size);
  if (count < 0) BIO_set_retry_read(bio);
  return count;
}

int BioWrite(BIO* bio, const char* from, int size) {
  return static_cast<TlsStream*>(BIO_get_data(bio))
      ->WriteRecordBytes(reinterpret_cast<const uint8_t*>(from), size);
}

// BoringSSL flushes at the end of every flight; that is done after each of its calls.
long BioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace

absl::StatusOr<TlsStreamContext> TlsStreamContext::Create(TransferRole role,
                                                          CertificateKind certificate) {
  // As godwit has it, so that both do the same work: without X.509 in the SSLs.
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  BIO_METHOD* const method = BIO_meth_new(0, "counted socket");
  if (!context || method == nullptr) return TlsError("TLS context");
  BIO_meth_set_read(method, BioRead);
  BIO_meth_set_write(method, BioWrite);
  BIO_meth_set_ctrl(method, BioControl);
  TlsStreamContext result(role, context.release(), method);
  if (SSL_CTX_set_min_proto_version(result.context_, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(result.context_, TLS1_3_VERSION) != 1 ||
      !boringssl::SetKeyExchangeGroups(result.context_) ||
      SSL_CTX_set_verify_algorithm_prefs(result.context_, kAcceptedSignatures,
                                         std::size(kAcceptedSignatures)) != 1) {
    return TlsError("TLS context");
  }
  SSL_CTX_set_options(result.context_, SSL_OP_NO_TICKET);
  if (role == TransferRole::kClient) {
    SSL_CTX_set_custom_verify(result.context_, SSL_VERIFY_PEER, AcceptAny);
    return result;
  }
  const absl::StatusOr<TlsCertificate> own = NewSelfSigned(certificate);
  if (!own.ok()) return own.status();
  if (!Use(result.context_, *own)) return TlsError("using a certificate");
  return result;
}

TlsStreamContext::TlsStreamContext(TransferRole role, ssl_ctx_st* context, bio_method_st* method)
    : role_(role), context_(context), method_(method) {}

TlsStreamContext::~TlsStreamContext() {
  SSL_CTX_free(context_);
  BIO_meth_free(method_);
}

TlsStreamContext::TlsStreamContext(TlsStreamContext&& other) noexcept
    : role_(other.role_),
      context_(std::exchange(other.context_, nullptr)),
      method_(std::exchange(other.method_, nullptr)) {}

std::unique_ptr<ByteStream> TlsStreamContext::NewStream(FileDescriptor socket) const {
  return std::make_unique<TlsStream>(std::move(socket), role_, context_, method_);
}

}  // namespace godwit
