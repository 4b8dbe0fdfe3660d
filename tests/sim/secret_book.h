// SPDX-License-Identifier: Apache-2.0
//
// SecretBook: the traffic secrets of all TLS sessions of a run, written down by TappedTlsSession as
// they go by, so that an observer can read what is on the wire. TlsWorld: the TLS of a run, real or
// deterministic, with that tap in it.
#ifndef GODWIT_TESTS_SIM_SECRET_BOOK_H_
#define GODWIT_TESTS_SIM_SECRET_BOOK_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/encryption_level.h"
#include "crypto/deterministic_tls_session.h"
#include "crypto/key_schedule.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"
#include "tests/crypto/tls_endpoints.h"

namespace godwit {

struct BookedSecret {
  EncryptionLevel level;
  Perspective sender;
  TrafficSecret secret;
};

using SecretBook = std::vector<BookedSecret>;

enum class TlsKind : uint8_t { kDeterministic, kReal };

class TlsWorld {
 public:
  // `book` outlives it.
  TlsWorld(TlsKind kind, const DeterministicTlsConfig& config, SecretBook* book);
  ~TlsWorld();

  const TlsClientFactory* clients() const { return tapped_clients_.get(); }
  TlsServerFactory* servers() { return tapped_servers_.get(); }
  std::string_view server_name() const { return "server.example"; }

 private:
  std::unique_ptr<TlsClientFactory> clients_;
  std::unique_ptr<TlsServerFactory> servers_;
  std::unique_ptr<TlsEndpoints> real_;
  std::unique_ptr<TlsClientFactory> tapped_clients_;
  std::unique_ptr<TlsServerFactory> tapped_servers_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SECRET_BOOK_H_
