// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "godwit/socket_address.h"

namespace godwit {
namespace {

constexpr size_t kMaxDescribedNames = 5;
constexpr size_t kMaxDnsNames = 1000;

struct GeneralNamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using GeneralNames = std::unique_ptr<GENERAL_NAMES, GeneralNamesDeleter>;

GeneralNames AlternativeNamesOf(const X509* certificate) {
  return GeneralNames(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string_view TextOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string AddressOf(const ASN1_STRING* string) {
  const std::span<const uint8_t> bytes(ASN1_STRING_get0_data(string),
                                       static_cast<size_t>(ASN1_STRING_length(string)));
  if (bytes.size() == SocketAddress::kIpv4Size) {
    const std::string text =
        SocketAddress::FromIpv4(bytes.first<SocketAddress::kIpv4Size>(), 0).ToString();
    return text.substr(0, text.find(':'));  // Without the port.
  }
  if (bytes.size() == SocketAddress::kIpv6Size) {
    const std::string text =
        SocketAddress::FromIpv6(bytes.first<SocketAddress::kIpv6Size>(), 0).ToString();
    return text.substr(1, text.find(']') - 1);  // Also without the brackets.
  }
  return "a malformed address";
}

std::optional<UnixTime> ToUnixTime(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return std::nullopt;
  return UnixTime::FromSeconds(int64_t{days} * 86400 + seconds);
}

std::string DescribeName(const X509_NAME* name) {
  std::array<char, kMaxDescribedBytes + 1> text{};
  const int length =
      X509_NAME_get_text_by_NID(name, NID_commonName, text.data(), static_cast<int>(text.size()));
  if (length > 0) {
    return absl::StrCat("\"", Printable({text.data(), static_cast<size_t>(length)}), "\"");
  }
  if (X509_NAME_entry_count(name) == 0) return "(no name)";
  X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
  return absl::StrCat("\"", Printable(text.data()), "\"");
}

}  // namespace

std::optional<PublicKeyHash> HashPublicKey(std::span<const uint8_t> der) {
  CBS input;
  CBS certificate;
  CBS to_be_signed;
  CBS public_key;
  CBS_init(&input, der.data(), der.size());
  // RFC 5280 §4.1: version, serial number, signature, issuer, validity and subject come first.
  if (!CBS_get_asn1(&input, &certificate, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&certificate, &to_be_signed, CBS_ASN1_SEQUENCE) ||
      !CBS_get_optional_asn1(&to_be_signed, nullptr, nullptr,
                             CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) ||
      !CBS_get_asn1(&to_be_signed, nullptr, CBS_ASN1_INTEGER) ||
      !CBS_get_asn1(&to_be_signed, nullptr, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&to_be_signed, nullptr, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&to_be_signed, nullptr, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&to_be_signed, nullptr, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1_element(&to_be_signed, &public_key, CBS_ASN1_SEQUENCE)) {
    return std::nullopt;
  }
  std::array<uint8_t, PublicKeyHash::kSize> hash;
  SHA256(CBS_data(&public_key), CBS_len(&public_key), hash.data());
  return PublicKeyHash(hash);
}

std::optional<CertificateValidity> ValidityOf(const X509* certificate) {
  const std::optional<UnixTime> not_before = ToUnixTime(X509_get0_notBefore(certificate));
  const std::optional<UnixTime> not_after = ToUnixTime(X509_get0_notAfter(certificate));
  if (!not_before || !not_after) return std::nullopt;
  return CertificateValidity{*not_before, *not_after};
}

std::vector<std::string> DnsNamesOf(const X509* certificate) {
  std::vector<std::string> result;
  const GeneralNames names = AlternativeNamesOf(certificate);
  const size_t count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (size_t i = 0; i < count && result.size() < kMaxDnsNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const std::string_view text = TextOf(name->d.dNSName);
    result.push_back(absl::AsciiStrToLower(absl::string_view(text.data(), text.size())));
  }
  return result;
}

std::string Printable(std::string_view text, size_t max_bytes) {
  std::string result(text.substr(0, max_bytes));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  if (text.size() > max_bytes) result += "...";
  return result;
}

std::string DescribeNames(const X509* certificate) {
  std::vector<std::string> described;
  size_t more = 0;
  const GeneralNames names = AlternativeNamesOf(certificate);
  const size_t count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (size_t i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    if (described.size() == kMaxDescribedNames) {
      ++more;
      continue;
    }
    described.push_back(name->type == GEN_DNS ? Printable(TextOf(name->d.dNSName))
                                              : AddressOf(name->d.iPAddress));
  }
  if (described.empty()) return "no name";
  std::string text = absl::StrJoin(described, ", ");
  if (more > 0) absl::StrAppend(&text, " and ", more, " more");
  return text;
}

std::string DescribeSubject(const X509* certificate) {
  return DescribeName(X509_get_subject_name(certificate));
}

std::string DescribeIssuer(const X509* certificate) {
  return DescribeName(X509_get_issuer_name(certificate));
}

std::string DescribeTime(UnixTime time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

}  // namespace godwit
