// SPDX-License-Identifier: Apache-2.0
//
// ServerSecrets: the keys that a server keeps so that tokens, stateless resets and session tickets
// outlive a restart and hold on all servers of a group; and the text form in which an operator
// stores them. One `purpose hex` a line; '#' starts a comment; blank lines and spaces around words
// do not matter:
//
//     token-key  <64 hex digits>     seals tokens of Retry and NEW_TOKEN (crypto/token_sealer.h)
//     ticket-key <64 hex digits>     seals TLS session tickets
//     reset-key  <64 hex digits>     makes stateless reset tokens; exactly one
//
// Rotation: token-key and ticket-key may stand up to kMaxKeysPerPurpose times. The first of a
// purpose seals, the others still open. To rotate, add a new line after the first on every server,
// then move it to the front, and delete the old one when the last token or ticket has expired.
// The reset key is not rotated: with another one, resets of older connections are not understood.
//
// Error messages name the line and never quote it,
// because it may hold a key and messages end up in logs.
#ifndef GODWIT_CRYPTO_KEY_FILE_H_
#define GODWIT_CRYPTO_KEY_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "base/environment.h"
#include "crypto/secret_key.h"

namespace godwit {

// Wiped when it dies, as its keys are.
struct ServerSecrets {
  SecretKey reset_key;
  std::vector<SecretKey> token_keys;   // At least one; the first seals.
  std::vector<SecretKey> ticket_keys;  // The same.
};

inline constexpr size_t kMaxKeysPerPurpose = 8;
// Eight keys of either kind take 1.3 KB; the rest is room for comments.
inline constexpr size_t kMaxKeyFileBytes = 65'536;

// One key of each purpose.
ServerSecrets GenerateServerSecrets(Random& random);

// Reads what FormatServerSecrets writes, and what an operator made of it. Fails, saying in which
// line and what to do, on an unknown purpose, a key that is not 64 hex digits, is there twice or
// cannot be random, and on a purpose that is missing or there too often.
absl::StatusOr<ServerSecrets> ParseServerSecrets(std::string_view text);

// The same of a file, of at most kMaxKeyFileBytes. Errors name it.
absl::StatusOr<ServerSecrets> ReadServerSecretsFile(const std::string& path);

// Its own kind of text because it holds the keys; give the file that it goes to mode 0600.
SecretText FormatServerSecrets(const ServerSecrets& secrets);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_KEY_FILE_H_
