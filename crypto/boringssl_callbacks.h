// SPDX-License-Identifier: Apache-2.0
//
// The functions that BoringSSL calls, as plain C functions on an SSL_CTX, and the time that it asks
// for. Each finds the session that the SSL belongs to and hands the event on; nothing is decided
// here.
#ifndef GODWIT_CRYPTO_BORINGSSL_CALLBACKS_H_
#define GODWIT_CRYPTO_BORINGSSL_CALLBACKS_H_

#include <optional>

#include "crypto/boringssl.h"
#include "godwit/perspective.h"
#include "godwit/unix_time.h"

namespace godwit {

struct BoringSslCallbackOptions {
  Perspective perspective;
  // Whether the peer must show a certificate.
  bool verify_peer;
  bool export_session_secrets;
};

// All SSLs of `context` must belong to a BoringSslTlsSession. False: out of memory.
bool InstallBoringSslCallbacks(SSL_CTX* context, const BoringSslCallbackOptions& options);

// While it lives, BoringSSL takes `now` for the time of day on this thread. BoringSSL asks a
// callback of the SSL_CTX, without saying for which SSL; the SSL_CTX is shared by threads and the
// library has no clock, so the time waits in a variable of the thread. They nest: an application's
// verifier may begin another handshake.
class ScopedBoringSslTime {
 public:
  explicit ScopedBoringSslTime(UnixTime now);
  ScopedBoringSslTime(const ScopedBoringSslTime&) = delete;
  ScopedBoringSslTime& operator=(const ScopedBoringSslTime&) = delete;
  ~ScopedBoringSslTime();

 private:
  std::optional<UnixTime> outer_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_BORINGSSL_CALLBACKS_H_
