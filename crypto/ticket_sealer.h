// SPDX-License-Identifier: Apache-2.0
//
// TicketSealer: encrypts and authenticates the TLS sessions that a server hands to its clients as
// tickets, under keys of its configuration, so that they survive a restart and every server that
// has the keys can resume them. RFC 8446 §4.6.1, RFC 5077 §4.
//
// What a session is, how long it lives and whether a ticket was used before is decided elsewhere.
//
// Layout: key id (1 byte), nonce (12), sealed session, tag (16); small, because a ticket has to fit
// into the client's first packet (RFC 9001 §4.3). The cipher is AES-128-GCM-SIV (RFC 8452), as for
// tokens: keys are shared and long-lived, nonces random, and a repeated one does no harm there.
#ifndef GODWIT_CRYPTO_TICKET_SEALER_H_
#define GODWIT_CRYPTO_TICKET_SEALER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/environment.h"
#include "crypto/secret_key.h"

struct evp_aead_ctx_st;  // BoringSSL's EVP_AEAD_CTX.

namespace godwit {

// To rotate keys at run time, make a new one and let it take the old one's place.
class TicketSealer {
 public:
  static constexpr size_t kMaxKeys = 8;
  static constexpr size_t kOverhead = 1 + 12 + 16;

  // The first of `keys` seals, all of them open. In a group of servers a new key goes to the end of
  // everybody's list before it goes to the front of anybody's. Fails if there are none or more than
  // kMaxKeys.
  static absl::StatusOr<TicketSealer> Create(std::span<const SecretKey> keys);

  TicketSealer(TicketSealer&&) noexcept;
  TicketSealer& operator=(TicketSealer&&) noexcept;
  ~TicketSealer();

  // Writes the ticket of `session` to `out` and returns its size, `session.size()` + kOverhead.
  // Nothing if it does not fit. `session` and `out` may begin at the same place.
  std::optional<size_t> Seal(std::span<const uint8_t> session, Random& random,
                             std::span<uint8_t> out) const;

  // Writes the session in `ticket`, any bytes whatever, to `out` and returns its size. Nothing if
  // the ticket is not authentic or no key is known for it, or if `out` is smaller than `ticket`.
  // Both may begin at the same place.
  std::optional<size_t> Open(std::span<const uint8_t> ticket, std::span<uint8_t> out) const;

 private:
  struct AeadContextDeleter {
    void operator()(evp_aead_ctx_st* context) const;
  };
  struct Key {
    std::unique_ptr<evp_aead_ctx_st, AeadContextDeleter> context;
    uint8_t id;
  };

  explicit TicketSealer(std::vector<Key> keys);

  static Key MakeKey(const SecretKey& secret);

  std::vector<Key> keys_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TICKET_SEALER_H_
