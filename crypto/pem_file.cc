// SPDX-License-Identifier: Apache-2.0
#include "crypto/pem_file.h"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

// Bytes. The largest bundles of authorities have some hundred thousand.
constexpr size_t kMaxFileBytes = size_t{16} << 20;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// A string that may hold a private key.
class WipedText {
 public:
  WipedText() = default;
  WipedText(WipedText&& other) noexcept : text_(std::move(other.text_)) { other.text_.clear(); }
  WipedText& operator=(WipedText&&) = delete;
  ~WipedText() { OPENSSL_cleanse(text_.data(), text_.size()); }

  std::string& text() { return text_; }

 private:
  std::string text_;
};

absl::Status ReadFile(const std::string& path, std::string& text) {
  std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open \"", path, "\""));
  }
  std::setbuf(file.get(), nullptr);  // stdio's buffer would keep a copy of a key.
  // Grown by hand: a growing string would leave copies of a key behind.
  size_t capacity = size_t{1} << 16;
  size_t size = 0;
  text.resize(capacity);
  while (true) {
    size += std::fread(text.data() + size, 1, capacity - size, file.get());
    if (std::ferror(file.get()) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot read \"", path, "\""));
    }
    if (size < capacity) break;
    capacity *= 4;
    if (capacity > kMaxFileBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", path, "\" is too large for a PEM file (16 MiB)"));
    }
    std::string larger(capacity, '\0');
    larger.replace(0, size, text);
    OPENSSL_cleanse(text.data(), text.size());
    text = std::move(larger);
  }
  text.resize(size);
  return absl::OkStatus();
}

// A BIO over the text of `source`; `wiped` holds what was read and must outlive it.
absl::StatusOr<bssl::UniquePtr<BIO>> Open(const PemSource& source, const std::string& what,
                                          WipedText& wiped) {
  if (source.is_empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no ", what, " is given"));
  }
  const std::string* text = &source.value();
  if (source.is_file()) {
    absl::Status status = ReadFile(source.value(), wiped.text());
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
    }
    text = &wiped.text();
  }
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  if (bio == nullptr) return absl::ResourceExhaustedError("out of memory");
  return bio;
}

// Given instead of a passphrase: none is known here, and none must be asked for on a terminal.
int RefusePassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

}  // namespace

std::string DescribeSource(const PemSource& source) {
  return source.is_file() ? absl::StrCat("\"", source.value(), "\"") : "the PEM text";
}

absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> ReadCertificates(const PemSource& source,
                                                                    const std::string& what) {
  WipedText wiped;
  absl::StatusOr<bssl::UniquePtr<BIO>> bio = Open(source, what, wiped);
  if (!bio.ok()) return bio.status();
  std::vector<bssl::UniquePtr<X509>> certificates;
  ERR_clear_error();
  while (true) {
    bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(bio->get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  const uint32_t error = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": certificate ", certificates.size() + 1, " of ", DescribeSource(source),
        " is malformed (", ERR_reason_error_string(error), ")"));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": there is no certificate in ", DescribeSource(source),
                     "; it must have a block that begins with -----BEGIN CERTIFICATE-----"));
  }
  return certificates;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadPrivateKey(const PemSource& source) {
  WipedText wiped;
  absl::StatusOr<bssl::UniquePtr<BIO>> bio = Open(source, "private key", wiped);
  if (!bio.ok()) return bio.status();
  ERR_clear_error();
  bool asked_for_passphrase = false;
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio->get(), nullptr, RefusePassphrase, &asked_for_passphrase));
  const uint32_t error = ERR_peek_last_error();
  ERR_clear_error();
  if (key != nullptr) return key;
  const std::string name = DescribeSource(source);
  if (asked_for_passphrase) {
    return absl::InvalidArgumentError(
        absl::StrCat("private key: the key in ", name,
                     " is encrypted; decrypt it with openssl pkey -in FILE -out FILE"));
  }
  if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
    return absl::InvalidArgumentError(
        absl::StrCat("private key: there is no key in ", name,
                     "; it must have a block that begins with -----BEGIN PRIVATE KEY-----"));
  }
  const char* reason = ERR_reason_error_string(error);
  return absl::InvalidArgumentError(absl::StrCat("private key: the key in ", name,
                                                 " is malformed or of a kind that is not known (",
                                                 reason != nullptr ? reason : "no details", ")"));
}

}  // namespace godwit
