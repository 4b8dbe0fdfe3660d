// SPDX-License-Identifier: Apache-2.0
#include "crypto/peer_verifier.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "crypto/certificate.h"
#include "crypto/pem_file.h"
#include "godwit/socket_address.h"

namespace godwit {
namespace {

// Where distributions keep the bundle: Debian, Red Hat, SUSE, Alpine.
constexpr const char* kSystemBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};
constexpr const char* kSystemDirectory = "/etc/ssl/certs";

constexpr int kMinRsaBits = 2048;
constexpr size_t kMaxApplicationWords = 300;

CertificateRejection ExpiredOrEarly(const X509* certificate, UnixTime now, bool expired) {
  const std::optional<CertificateValidity> validity = ValidityOf(certificate);
  const std::string when = !validity
                               ? "a time that cannot be read"
                               : DescribeTime(expired ? validity->not_after : validity->not_before);
  // RFC 8446 §6.2: certificate_expired stands for "not currently valid" in either direction.
  return {SSL_AD_CERTIFICATE_EXPIRED,
          absl::StrCat("certificate ", DescribeSubject(certificate),
                       expired ? " expired at " : " is not valid before ", when, "; it is now ",
                       DescribeTime(now))};
}

// What X509_verify_cert found wrong with `certificate`, one of the chain.
CertificateRejection Explain(int error, const X509* certificate, UnixTime now) {
  const std::string subject = DescribeSubject(certificate);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return ExpiredOrEarly(certificate, now, /*expired=*/true);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return ExpiredOrEarly(certificate, now, /*expired=*/false);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {SSL_AD_UNKNOWN_CA,
              absl::StrCat("certificate ", subject, " is self-signed and not trusted")};
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {SSL_AD_UNKNOWN_CA, absl::StrCat("unknown issuer: the chain ends at ", subject,
                                              ", which is not trusted")};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return {SSL_AD_UNKNOWN_CA, absl::StrCat("unknown issuer ", DescribeIssuer(certificate),
                                              " of certificate ", subject)};
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
      return {SSL_AD_UNKNOWN_CA,
              absl::StrCat("certificate ", subject, " may not issue the one before it")};
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return {SSL_AD_UNKNOWN_CA, "the certificate chain is too long"};
    case X509_V_ERR_INVALID_PURPOSE:
      return {SSL_AD_UNSUPPORTED_CERTIFICATE,
              absl::StrCat("certificate ", subject, " is not for this purpose")};
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return {SSL_AD_BAD_CERTIFICATE,
              absl::StrCat("the signature on certificate ", subject, " is wrong")};
    case X509_V_ERR_OUT_OF_MEM:
      return {SSL_AD_INTERNAL_ERROR, "out of memory"};
    default:
      return {SSL_AD_BAD_CERTIFICATE,
              absl::StrCat("certificate ", subject, ": ", X509_verify_cert_error_string(error))};
  }
}

// RFC 6125 §6: the name, or the address, must be among the alternative names of the certificate.
std::optional<CertificateRejection> CheckServerName(X509* leaf, std::string_view name) {
  const std::optional<SocketAddress> address = SocketAddress::ParseIp(name, 0);
  const bool matches = address
                           ? X509_check_ip(leaf, address->ip().data(), address->ip().size(), 0) == 1
                           : X509_check_host(leaf, name.data(), name.size(),
                                             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
  if (matches) return std::nullopt;
  return CertificateRejection{
      SSL_AD_BAD_CERTIFICATE,
      absl::StrCat("the certificate is for ", DescribeNames(leaf), "; wanted ", Printable(name))};
}

bssl::UniquePtr<STACK_OF(X509)> ParseOthers(const STACK_OF(CRYPTO_BUFFER) * chain) {
  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  for (size_t i = 1; others != nullptr && i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, i)));
    if (certificate == nullptr || !bssl::PushToStack(others.get(), std::move(certificate))) {
      return nullptr;
    }
  }
  return others;
}

// What kind of key the certificate has if it is one that a chain may not have.
std::optional<std::string> UnacceptableKey(X509* certificate) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  switch (key != nullptr ? EVP_PKEY_id(key.get()) : EVP_PKEY_NONE) {
    case EVP_PKEY_ED25519:
      return std::nullopt;
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_bits(key.get());
      if (bits >= kMinRsaBits) return std::nullopt;
      return absl::StrCat("RSA of ", bits, " bits");
    }
    case EVP_PKEY_EC: {
      const EC_KEY* ec_key = EVP_PKEY_get0_EC_KEY(key.get());
      const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(ec_key));
      if (curve == NID_X9_62_prime256v1 || curve == NID_secp384r1) return std::nullopt;
      return absl::StrCat("on the curve ", OBJ_nid2sn(curve));
    }
    default:
      return "of an unknown kind";
  }
}

// RFC 4055 §3.1: RSASSA-PSS names its hash in the parameters, and means SHA-1 by naming none.
int PssDigestOf(const X509_ALGOR* algorithm) {
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_undef;
  const ASN1_STRING* der = static_cast<const ASN1_STRING*>(value);
  CBS input;
  CBS parameters;
  CBS hash;
  int has_hash = 0;
  CBS_init(&input, ASN1_STRING_get0_data(der), static_cast<size_t>(ASN1_STRING_length(der)));
  if (!CBS_get_asn1(&input, &parameters, CBS_ASN1_SEQUENCE) ||
      !CBS_get_optional_asn1(&parameters, &hash, &has_hash,
                             CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0)) {
    return NID_undef;
  }
  if (has_hash == 0) return NID_sha1;
  const EVP_MD* digest = EVP_parse_digest_algorithm(&hash);
  return digest != nullptr ? EVP_MD_type(digest) : NID_undef;
}

// What the certificate is signed with if it is something that can be forged or is not known.
std::optional<std::string> UnacceptableSignature(const X509* certificate) {
  const int signature = X509_get_signature_nid(certificate);
  if (signature == NID_ED25519) return std::nullopt;
  int digest = NID_undef;
  if (signature == NID_rsassaPss) {
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(nullptr, &algorithm, certificate);
    digest = PssDigestOf(algorithm);
  } else if (OBJ_find_sigid_algs(signature, &digest, nullptr) != 1) {
    digest = NID_undef;
  }
  if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512) return std::nullopt;
  return digest != NID_undef ? OBJ_nid2sn(digest) : "an unknown algorithm";
}

// RFC 9325 §4.5 and RFC 8446 §4.4.2.4: keys and hashes that are too weak, wherever they stand in
// the chain that was found good. The signature of the last one is not what it is trusted for.
std::optional<CertificateRejection> CheckStrength(const STACK_OF(X509) * chain) {
  for (size_t i = 0; i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    if (const std::optional<std::string> key = UnacceptableKey(certificate)) {
      return CertificateRejection{
          SSL_AD_BAD_CERTIFICATE,
          absl::StrCat("the key of certificate ", DescribeSubject(certificate), " is ", *key,
                       "; accepted are RSA of ", kMinRsaBits,
                       " bits and more, P-256, P-384 and Ed25519")};
    }
    if (i + 1 == sk_X509_num(chain)) break;
    if (const std::optional<std::string> signature = UnacceptableSignature(certificate)) {
      return CertificateRejection{
          SSL_AD_BAD_CERTIFICATE,
          absl::StrCat("certificate ", DescribeSubject(certificate), " is signed with ", *signature,
                       "; accepted are SHA-256, SHA-384, SHA-512 and Ed25519")};
    }
  }
  return std::nullopt;
}

CertificateRejection Malformed() {
  return {SSL_AD_BAD_CERTIFICATE, "the certificate chain is malformed"};
}

}  // namespace

absl::StatusOr<PeerVerifier> PeerVerifier::Create(const PeerVerification& verification,
                                                  Perspective peer) {
  PeerVerifier verifier(verification.method(), peer);
  absl::Status status;
  switch (verification.method()) {
    case PeerVerification::Method::kSystemRoots:
      status = verifier.AddSystemRoots();
      break;
    case PeerVerification::Method::kAuthorities:
      status = verifier.AddAuthorities(verification.authorities());
      break;
    case PeerVerification::Method::kPinnedKeys:
      verifier.pinned_keys_ = verification.pinned_keys();
      if (verifier.pinned_keys_.empty()) {
        status = absl::InvalidArgumentError("peer verification by pinned keys needs at least one");
      }
      break;
    case PeerVerification::Method::kApplication:
      verifier.application_ = verification.verifier();
      if (verifier.application_ == nullptr) {
        status = absl::InvalidArgumentError("peer verification by the application has no verifier");
      }
      break;
    case PeerVerification::Method::kNone:
      break;
  }
  if (!status.ok()) return status;
  return verifier;
}

absl::Status PeerVerifier::AddAuthorities(const std::vector<PemSource>& authorities) {
  if (authorities.empty()) {
    return absl::InvalidArgumentError("peer verification by authorities needs at least one");
  }
  store_.reset(X509_STORE_new());
  if (store_ == nullptr) return absl::ResourceExhaustedError("out of memory");
  for (const PemSource& source : authorities) {
    absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> certificates =
        ReadCertificates(source, "certificate authorities");
    if (!certificates.ok()) return certificates.status();
    for (const bssl::UniquePtr<X509>& certificate : *certificates) {
      if (X509_STORE_add_cert(store_.get(), certificate.get()) != 1) {
        return absl::ResourceExhaustedError("out of memory");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status PeerVerifier::AddSystemRoots() {
  for (const char* bundle : kSystemBundles) {
    absl::Status status = AddAuthorities({PemSource::File(bundle)});
    if (!absl::IsNotFound(status)) return status;
  }
  store_.reset(X509_STORE_new());
  X509_LOOKUP* lookup =
      store_ == nullptr ? nullptr : X509_STORE_add_lookup(store_.get(), X509_LOOKUP_hash_dir());
  if (lookup == nullptr || X509_LOOKUP_add_dir(lookup, kSystemDirectory, X509_FILETYPE_PEM) != 1) {
    return absl::ResourceExhaustedError("out of memory");
  }
  return absl::OkStatus();
}

std::optional<CertificateRejection> PeerVerifier::Verify(const STACK_OF(CRYPTO_BUFFER) * chain,
                                                         std::string_view server_name,
                                                         UnixTime now) const {
  std::optional<CertificateRejection> rejection = Judge(chain, server_name, now);
  // An error that stays, of ours or of the application's making, BoringSSL would take for its own
  // where it waits for more of the handshake.
  ERR_clear_error();
  return rejection;
}

std::optional<CertificateRejection> PeerVerifier::Judge(const STACK_OF(CRYPTO_BUFFER) * chain,
                                                        std::string_view server_name,
                                                        UnixTime now) const {
  if (method_ == PeerVerification::Method::kNone) return std::nullopt;
  if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0) {
    return CertificateRejection{SSL_AD_CERTIFICATE_REQUIRED, "the peer has shown no certificate"};
  }
  CRYPTO_BUFFER* leaf_der = sk_CRYPTO_BUFFER_value(chain, 0);
  const std::optional<PublicKeyHash> hash = HashPublicKey(BytesOf(leaf_der));
  if (!hash) return Malformed();
  if (method_ == PeerVerification::Method::kPinnedKeys) return CheckPin(*hash);
  if (method_ == PeerVerification::Method::kApplication) {
    return AskApplication(chain, *hash, server_name, now);
  }

  const bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(leaf_der));
  const bssl::UniquePtr<STACK_OF(X509)> others = ParseOthers(chain);
  if (leaf == nullptr || others == nullptr) return Malformed();
  std::optional<CertificateRejection> rejection = CheckChain(leaf.get(), others.get(), now);
  if (!rejection && peer_ == Perspective::kServer) {
    rejection = CheckServerName(leaf.get(), server_name);
  }
  return rejection;
}

std::optional<CertificateRejection> PeerVerifier::CheckPin(const PublicKeyHash& hash) const {
  if (std::find(pinned_keys_.begin(), pinned_keys_.end(), hash) != pinned_keys_.end()) {
    return std::nullopt;
  }
  const auto append_hex = [](std::string* out, const PublicKeyHash& pin) { *out += pin.ToHex(); };
  return CertificateRejection{
      SSL_AD_CERTIFICATE_UNKNOWN,
      absl::StrCat("the public key is not pinned: its SHA-256 is ", hash.ToHex(), "; pinned ",
                   absl::StrJoin(pinned_keys_, ", ", append_hex))};
}

std::optional<CertificateRejection> PeerVerifier::AskApplication(const STACK_OF(CRYPTO_BUFFER) *
                                                                     chain,
                                                                 const PublicKeyHash& hash,
                                                                 std::string_view server_name,
                                                                 UnixTime now) const {
  std::vector<std::span<const uint8_t>> certificates;
  for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    certificates.push_back(BytesOf(sk_CRYPTO_BUFFER_value(chain, i)));
  }
  const absl::Status status = application_->Verify(
      {.chain = certificates, .public_key_hash = hash, .server_name = server_name, .now = now});
  if (status.ok()) return std::nullopt;
  // It may quote the certificate, which a stranger wrote.
  const absl::string_view message = status.message();
  return CertificateRejection{
      SSL_AD_CERTIFICATE_UNKNOWN,
      absl::StrCat("the application refused it: ",
                   Printable({message.data(), message.size()}, kMaxApplicationWords))};
}

std::optional<CertificateRejection> PeerVerifier::CheckChain(X509* leaf, STACK_OF(X509) * others,
                                                             UnixTime now) const {
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (context == nullptr || X509_STORE_CTX_init(context.get(), store_.get(), leaf, others) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), peer_ == Perspective::kServer
                                                    ? X509_PURPOSE_SSL_SERVER
                                                    : X509_PURPOSE_SSL_CLIENT) != 1) {
    return CertificateRejection{SSL_AD_INTERNAL_ERROR, "out of memory"};
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(now.seconds()));
  // Whatever the configuration lists is where a chain may end, root or not.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_verify_cert(context.get()) == 1) {
    return CheckStrength(X509_STORE_CTX_get0_chain(context.get()));
  }
  const X509* culprit = X509_STORE_CTX_get_current_cert(context.get());
  return Explain(X509_STORE_CTX_get_error(context.get()), culprit != nullptr ? culprit : leaf, now);
}

}  // namespace godwit
