// SPDX-License-Identifier: Apache-2.0
//
// The key file of a tunnel's end: one PEM file with the private key and the certificate that
// carries its public key. It makes new ones, writes and reads them, and insists that nobody else
// can read them. It decides nothing about peers.
//
// Errors are one line that names the file and says what to do. They hold no part of a key.
#ifndef GODWIT_TUNNEL_IDENTITY_H_
#define GODWIT_TUNNEL_IDENTITY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

enum class KeyKind : uint8_t { kEd25519, kEcdsaP256 };

absl::StatusOr<Identity> NewIdentity(KeyKind kind);

// Where the key lies unless --key says otherwise: godwit-tunnel/key.pem in $XDG_CONFIG_HOME, or in
// ~/.config.
absl::StatusOr<std::string> DefaultKeyFile();

// With mode 0600, and folders that are missing with 0700. AlreadyExists if there is a file, unless
// `replaces` it, which happens in one step: there is a whole key at any time.
absl::Status WriteKeyFile(const std::string& path, const Identity& identity, bool replaces);

// PermissionDenied if others may read the file: all others, or those of its group, unless the file
// is root's and this process is not (a group, or an ACL as systemd makes, is then how root hands a
// key to a service).
absl::StatusOr<Identity> LoadKeyFile(const std::string& path);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_IDENTITY_H_
