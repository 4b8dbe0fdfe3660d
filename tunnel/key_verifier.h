// SPDX-License-Identifier: Apache-2.0
//
// KeyVerifier: a peer is who it should be if its key is one of those that were pinned. As
// PeerVerification::PinnedKeys(), but the keys can be changed while connections stand, and it
// remembers what was refused, so that people can be shown both.
//
// Threads: any.
#ifndef GODWIT_TUNNEL_KEY_VERIFIER_H_
#define GODWIT_TUNNEL_KEY_VERIFIER_H_

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "godwit/public_key_hash.h"
#include "godwit/tls_config.h"
#include "tunnel/fingerprint.h"

namespace godwit::tunnel {

class KeyVerifier final : public CertificateVerifier {
 public:
  explicit KeyVerifier(std::vector<PublicKeyHash> keys) : keys_(std::move(keys)) {}

  [[nodiscard]] absl::Status Verify(const PeerCertificate& certificate) const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (Holds(certificate.public_key_hash)) return absl::OkStatus();
    refused_ = certificate.public_key_hash;
    return absl::PermissionDeniedError("the key " + FormatFingerprint(certificate.public_key_hash) +
                                       " is not one that is expected here");
  }

  void SetKeys(std::vector<PublicKeyHash> keys) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_ = std::move(keys);
  }
  [[nodiscard]] bool Allows(const PublicKeyHash& key) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Holds(key);
  }
  // The last one, once.
  std::optional<PublicKeyHash> TakeRefused() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(refused_, std::nullopt);
  }

 private:
  bool Holds(const PublicKeyHash& key) const {
    return std::ranges::find(keys_, key) != keys_.end();
  }

  mutable std::mutex mutex_;
  std::vector<PublicKeyHash> keys_;  // Both are guarded by mutex_.
  mutable std::optional<PublicKeyHash> refused_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_KEY_VERIFIER_H_
