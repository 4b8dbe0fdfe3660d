// SPDX-License-Identifier: Apache-2.0
#include "tunnel/fingerprint.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit::tunnel {
namespace {

constexpr std::string_view kPrefix = "SHA256:";

}  // namespace

std::string FormatFingerprint(const PublicKeyHash& hash) {
  return std::string(kPrefix) + hash.ToHex();
}

absl::StatusOr<PublicKeyHash> ParseFingerprint(std::string_view what, std::string_view text) {
  const absl::string_view prefix(text.data(), std::min(text.size(), kPrefix.size()));
  std::optional<PublicKeyHash> hash;
  if (absl::EqualsIgnoreCase(prefix, {kPrefix.data(), kPrefix.size()})) {
    hash = PublicKeyHash::FromHex(text.substr(kPrefix.size()));
  }
  if (!hash) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bad ", absl::string_view(what.data(), what.size()), " \"",
        absl::string_view(text.data(), text.size()),
        "\": a fingerprint is SHA256: and 64 hexadecimal digits, as keygen prints it"));
  }
  return *hash;
}

std::string DescribeMismatch(const PublicKeyHash& expected, const PublicKeyHash& shown) {
  return absl::StrCat("the server's key is ", FormatFingerprint(shown), ", not ",
                      FormatFingerprint(expected),
                      " as --server-key says: it is another server, or has a new key");
}

}  // namespace godwit::tunnel
