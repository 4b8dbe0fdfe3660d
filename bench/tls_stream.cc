// SPDX-License-Identifier: Apache-2.0
#include "bench/tls_stream.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

// Records are made until about so many bytes wait for one send().
constexpr size_t kSendBytes = size_t{256} << 10;
constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

constexpr long kCertificateSeconds = 24 * 60 * 60;

absl::Status TlsError(const char* what) {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", text));
}

bssl::UniquePtr<EVP_PKEY> NewKey() {
  bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  const bool is_made = ec_key && key && EC_KEY_generate_key(ec_key.get()) == 1 &&
                       EVP_PKEY_set1_EC_KEY(key.get(), ec_key.get()) == 1;
  return is_made ? std::move(key) : nullptr;
}

bssl::UniquePtr<X509> NewCertificate(EVP_PKEY* key) {
  bssl::UniquePtr<X509> certificate(X509_new());
  if (!certificate) return nullptr;
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const auto* common_name = reinterpret_cast<const uint8_t*>("godwit benchmark");
  const bool is_made =
      X509_set_version(certificate.get(), 2) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kCertificateSeconds) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kCertificateSeconds) != nullptr &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
      X509_set_issuer_name(certificate.get(), name) == 1 &&
      X509_set_pubkey(certificate.get(), key) == 1 &&
      X509_sign(certificate.get(), key, EVP_sha256()) != 0;
  return is_made ? std::move(certificate) : nullptr;
}

// Bytes that are taken from the front in the order in which they were put at the end. Its memory is
// that of the most it ever held.
class ByteQueue {
 public:
  std::span<const uint8_t> bytes() const { return std::span(bytes_).subspan(begin_); }
  bool is_empty() const { return begin_ == bytes_.size(); }
  void Append(std::span<const uint8_t> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  void RemoveFront(size_t count) {
    begin_ += count;
    if (!is_empty()) return;
    bytes_.clear();
    begin_ = 0;
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0;
};

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
  may_receive_ = true;
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

absl::StatusOr<TlsStreamContext> TlsStreamContext::Create(TransferRole role) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  BIO_METHOD* const method = BIO_meth_new(0, "counted socket");
  if (!context || method == nullptr) return TlsError("TLS context");
  BIO_meth_set_read(method, BioRead);
  BIO_meth_set_write(method, BioWrite);
  BIO_meth_set_ctrl(method, BioControl);
  TlsStreamContext result(role, context.release(), method);
  SSL_CTX_set_min_proto_version(result.context_, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(result.context_, TLS1_3_VERSION);
  SSL_CTX_set_options(result.context_, SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(result.context_, SSL_VERIFY_NONE, nullptr);
  if (role == TransferRole::kClient) return result;
  const bssl::UniquePtr<EVP_PKEY> key = NewKey();
  const bssl::UniquePtr<X509> certificate = key ? NewCertificate(key.get()) : nullptr;
  if (!certificate || SSL_CTX_use_certificate(result.context_, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(result.context_, key.get()) != 1) {
    return TlsError("making a certificate");
  }
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
