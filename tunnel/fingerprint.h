// SPDX-License-Identifier: Apache-2.0
//
// The one way in which people see and write the fingerprint of a key: "SHA256:" and 64 hexadecimal
// digits. Hexadecimal, because case does not matter in it: one may read it out.
#ifndef GODWIT_TUNNEL_FINGERPRINT_H_
#define GODWIT_TUNNEL_FINGERPRINT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "godwit/public_key_hash.h"

namespace godwit::tunnel {

// With digits of lower case.
std::string FormatFingerprint(const PublicKeyHash& hash);

// Of either case. `what` says what it belongs to, for the error, which is one line.
absl::StatusOr<PublicKeyHash> ParseFingerprint(std::string_view what, std::string_view text);

// What to say when a peer showed another key than it should have. One line, with both.
std::string DescribeMismatch(const PublicKeyHash& expected, const PublicKeyHash& shown);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_FINGERPRINT_H_
