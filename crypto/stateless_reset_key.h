// SPDX-License-Identifier: Apache-2.0
//
// StatelessResetKey: the stateless reset token of every connection id that we issue, computed from
// one static key, so that an endpoint that lost its state still knows them (RFC 9000 §10.3.2).
//
// It does not decide whether a reset may be sent. Two rules bind whoever does: a token is shown to
// the network at most once for a connection id that is never used again (RFC 9000 §10.3.2), and
// endpoints that share the key get every packet of a connection id that one of them still serves
// (RFC 9000 §21.11); else anybody who can steer a packet to the wrong one ends the connection.
#ifndef GODWIT_CRYPTO_STATELESS_RESET_KEY_H_
#define GODWIT_CRYPTO_STATELESS_RESET_KEY_H_

#include "crypto/secret_key.h"
#include "godwit/connection_id.h"

namespace godwit {

class StatelessResetKey {
 public:
  explicit StatelessResetKey(const SecretKey& key) : key_(key) {}

  // The same for the same key and `connection_id`, in every process. `connection_id` must not be
  // empty: all connections would share one token.
  StatelessResetToken TokenFor(const ConnectionId& connection_id) const;

 private:
  SecretKey key_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_STATELESS_RESET_KEY_H_
