// SPDX-License-Identifier: Apache-2.0
//
// TokenSealer: address validation tokens, made and read without keeping state (RFC 9000 §8.1). A
// token proves that whoever sends it received it at the address that it names. The server keeps no
// table: everything is in the token, encrypted and authenticated, and the keys come from
// configuration, so tokens outlive a restart and hold on every server that has the keys.
//
// It decides whether a token is valid and, if not, why; TokenVerdict::action says what the RFC asks
// for. It sends nothing, reads no clock and draws randomness only from the caller's Random.
//
// Layout: marker (2 bytes; purpose and format), key id (1), nonce (12), sealed contents, tag (16).
// Marker, key id and nonce are readable and authenticated. The cipher is AES-128-GCM-SIV (RFC
// 8452): nonces are random, keys live long and are shared by servers, and a flood of Initials makes
// us draw a nonce each, so some day one repeats. With AES-GCM that gives forgeries away; here it
// shows at most that two tokens were equal.
//
// Invariants:
//  1. Every byte of a token is authenticated: there is one spelling of each.
//  2. A token that is sealed twice for the same client differs in its nonce (RFC 9000 §8.1.3).
//  3. A valid NEW_TOKEN token is valid once, as long as the ReplayStore lasts (RFC 9000 §8.1.4).
#ifndef GODWIT_CRYPTO_TOKEN_SEALER_H_
#define GODWIT_CRYPTO_TOKEN_SEALER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/environment.h"
#include "crypto/secret_key.h"
#include "godwit/connection_id.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

struct evp_aead_ctx_st;  // BoringSSL's EVP_AEAD_CTX.

namespace godwit {

enum class TokenPurpose : uint8_t { kRetry, kNewToken };

// How long tokens are accepted, in seconds; all must be at least 1 and at most kMaxSeconds.
struct TokenLifetimes {
  static constexpr int64_t kMaxSeconds = int64_t{365} * 86'400;

  // RFC 9000 §8.1.4: short, as a client answers a Retry at once. Five tries of a client that lost
  // its Initial and doubles its first timeout of 1 s (RFC 9002 §6.2.2) fit.
  int64_t retry_seconds = 30;
  // RFC 9000 §8.1.3, §21.3: longer makes fewer Retry packets, and gives an attacker who gave its
  // address up more time to have us flood the next who has it. Three days bridge a weekend.
  int64_t new_token_seconds = int64_t{3} * 86'400;
  // How far ahead the clock of the server that issued a token may be.
  int64_t clock_skew_seconds = 60;
};

// The bytes of a sealed token, for a Retry packet or a NEW_TOKEN frame.
class SealedToken {
 public:
  // Marker, key id, nonce, tag.
  static constexpr size_t kOverhead = 2 + 1 + 12 + 16;
  // Overhead, time, IP address and scope. One size for all, so that the length tells nothing.
  static constexpr size_t kNewTokenSize = kOverhead + 8 + 16 + 4;
  // Also the port, and two connection ids with a length byte each, which is what makes it vary.
  static constexpr size_t kMinRetrySize = kNewTokenSize + 2 + 2;
  static constexpr size_t kMaxSize = kMinRetrySize + 2 * ConnectionId::kMaxSize;

  // Points into this object.
  std::span<const uint8_t> bytes() const { return std::span(bytes_).first(size_); }

 private:
  friend class TokenSealer;

  std::array<uint8_t, kMaxSize> bytes_;
  size_t size_ = 0;
};

// What the server does with the Initial packet that brought a token.
enum class TokenAction : uint8_t {
  kAccept,  // The client's address is validated.
  kIgnore,  // As if there had been no token: unvalidated, perhaps send Retry (RFC 9000 §8.1.3).
  kCloseInvalid,  // Close with INVALID_TOKEN, keep no state (RFC 9000 §8.1.2).
};

enum class TokenReason : uint8_t {
  kValid,
  kMalformed,          // Not of our layout: empty, of another server or version, or cut.
  kUnknownKey,         // Sealed under a key that was never ours or is rotated out.
  kForged,             // Our layout, a key id of ours, but not authentic.
  kWrongAddress,       // Another IP address; for Retry also another port.
  kWrongConnectionId,  // Retry only: not sent to the connection id that the Retry named.
  kExpired,
  kFromFuture,  // Issued later than now by more than the clock skew: a clock is wrong.
  kReplayed,    // NEW_TOKEN only: seen before, or the store cannot tell.
};

// Short, for logs: "sealed under an unknown key".
const char* ToText(TokenReason reason);

struct TokenVerdict {
  TokenReason reason = TokenReason::kMalformed;
  // Empty if kMalformed. If kUnknownKey or kForged, only what the readable marker claims.
  std::optional<TokenPurpose> purpose;
  // For a valid Retry token, else empty: what the server must put into the transport parameters
  // original_destination_connection_id and retry_source_connection_id (RFC 9000 §7.3).
  ConnectionId original_destination_cid;
  ConnectionId retry_source_cid;

  TokenAction action() const;
};

// The Initial packet that brought a token, and when.
struct TokenBearer {
  SocketAddress address;
  ConnectionId destination_cid;
  UnixTime unix_now;
  Timestamp now;  // The same instant on the clock of the ReplayStore.
};

struct RetryTokenContents {
  SocketAddress client_address;
  // Destination of the Initial that Retry answers, and source of the Retry packet.
  ConnectionId original_destination_cid;
  ConnectionId retry_source_cid;
};

// Not synchronised, but its const functions may run on several threads at once. To rotate keys at
// run time, make a new one and let it take the old one's place.
class TokenSealer {
 public:
  static constexpr size_t kMaxKeys = 8;

  // The first of `keys` seals, all of them open. In a group of servers a new key goes to the end
  // of everybody's list before it goes to the front of anybody's. Fails if there are no keys, more
  // than kMaxKeys, or a lifetime out of range.
  static absl::StatusOr<TokenSealer> Create(std::span<const SecretKey> keys,
                                            const TokenLifetimes& lifetimes = {});
  TokenSealer(TokenSealer&&) noexcept;
  TokenSealer& operator=(TokenSealer&&) noexcept;
  ~TokenSealer();

  SealedToken SealRetry(const RetryTokenContents& contents, UnixTime now, Random& random) const;
  SealedToken SealNewToken(const SocketAddress& client_address, UnixTime now, Random& random) const;

  // `token`: the Token field of an Initial packet, any bytes whatever. A NEW_TOKEN token that is
  // otherwise valid is used up: `store` remembers it until it expires. Retry tokens do not go
  // through the store: a client repeats its token in every Initial (RFC 9000 §17.2.5.3), and
  // address, port, connection id and a short life limit what a copy is good for.
  TokenVerdict Open(std::span<const uint8_t> token, const TokenBearer& bearer,
                    ReplayStore& store) const;

 private:
  struct AeadContextDeleter {
    void operator()(evp_aead_ctx_st* context) const;
  };
  struct Key {
    std::unique_ptr<evp_aead_ctx_st, AeadContextDeleter> context;
    uint8_t id;
  };
  struct Contents;

  TokenSealer(std::vector<Key> keys, const TokenLifetimes& lifetimes);

  static Key MakeKey(const SecretKey& secret);
  SealedToken Seal(TokenPurpose purpose, std::span<const uint8_t> plaintext, Random& random) const;
  // The size of what was opened into `plaintext`; kUnknownKey or kForged in `reason` if nothing.
  std::optional<size_t> OpenBytes(std::span<const uint8_t> token, std::span<uint8_t> plaintext,
                                  TokenReason& reason) const;
  TokenReason CheckLifetime(TokenPurpose purpose, UnixTime issued_at, UnixTime now) const;

  std::vector<Key> keys_;
  TokenLifetimes lifetimes_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TOKEN_SEALER_H_
