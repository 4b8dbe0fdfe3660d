// SPDX-License-Identifier: Apache-2.0
#include "tunnel/server_secrets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "crypto/secret_key.h"

namespace godwit::tunnel {
namespace {

using Block = std::array<uint8_t, SecretKey::kSize>;

// 32 bytes of a text of any length: HMAC-SHA256 (inside of Derive()), keyed with each piece of the
// text, over the piece's length and what the pieces before have given.
SecretKey Condense(std::string_view text) {
  Block state = {};
  while (!text.empty()) {
    Block piece = {};
    const size_t size = std::min(text.size(), piece.size());
    std::copy_n(text.begin(), size, piece.begin());
    std::string label(1, static_cast<char>(size));
    label.append(state.begin(), state.end());
    SecretKey(piece).Derive(label, state);
    text.remove_prefix(size);
  }
  return SecretKey(state);
}

SecretKey DeriveKey(const SecretKey& from, std::string_view label) {
  Block bytes = {};
  from.Derive(label, bytes);
  return SecretKey(bytes);
}

}  // namespace

ServerSecrets DeriveServerSecrets(std::string_view private_key_pem) {
  const SecretKey root = Condense(private_key_pem);
  return {.reset_key = DeriveKey(root, "godwit-tunnel reset-key"),
          .token_keys = {DeriveKey(root, "godwit-tunnel token-key")},
          .ticket_keys = {DeriveKey(root, "godwit-tunnel ticket-key")}};
}

DerivedKeyFile::DerivedKeyFile(std::string_view private_key_pem)
    : fd_(memfd_create("godwit-tunnel-keys", MFD_CLOEXEC)) {
  if (!fd_.is_open()) return;
  const SecretText text = FormatServerSecrets(DeriveServerSecrets(private_key_pem));
  const ssize_t written = write(fd_.get(), text.view().data(), text.view().size());
  const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
  // Without /proc there is no name for it.
  if (written == static_cast<ssize_t>(text.view().size()) && access(path.c_str(), R_OK) == 0) {
    path_ = path;
  }
}

}  // namespace godwit::tunnel
