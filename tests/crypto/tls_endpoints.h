// SPDX-License-Identifier: Apache-2.0
//
// A client's and a server's TLS configuration with what they need around them, to make pairs of
// sessions of. By default both trust each other, speak "echo" and use an Ed25519 certificate for
// server.example.
#ifndef GODWIT_TESTS_CRYPTO_TLS_ENDPOINTS_H_
#define GODWIT_TESTS_CRYPTO_TLS_ENDPOINTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "crypto/replay_store.h"
#include "crypto/secret_key.h"
#include "crypto/tls_context.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {

class TlsEndpoints {
 public:
  TlsEndpoints();

  // To be changed before the first pair is made.
  TlsServerConfig server_config;
  TlsClientConfig client_config;
  std::string server_name = "server.example";
  std::vector<uint8_t> client_parameters = {0x01, 0x02, 0x43, 0xe8};
  std::vector<uint8_t> server_parameters = {0x04, 0x04, 0x80, 0x10, 0x00, 0x00};
  std::vector<uint8_t> early_data_context = {'v', '1'};
  std::vector<SecretKey> ticket_keys;
  // Whether the server has been running for long enough to accept 0-RTT data.
  bool has_run_for_a_while = true;

  const TestCertificate& root() const { return root_; }

  // The configurations as they are now, from here on.
  void Rebuild();

  TlsServerSessions& server();
  const TlsClientContext& client();

  TlsPair MakePair(const std::vector<uint8_t>& ticket = {}, TlsTime time = kTestTime);
  // Made and run, without cutting.
  TlsPair Connect(const std::vector<uint8_t>& ticket = {}, TlsTime time = kTestTime);
  // A ticket from a connection of its own; "state" is what the transport remembers.
  std::vector<uint8_t> Ticket(TlsTime time = kTestTime);

 private:
  TestCertificate root_;
  SeededRandom random_;
  BoundedReplayStore replay_store_;
  std::unique_ptr<TlsClientContext> client_;
  std::unique_ptr<TlsServerSessions> server_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_CRYPTO_TLS_ENDPOINTS_H_
