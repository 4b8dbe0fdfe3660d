// SPDX-License-Identifier: Apache-2.0
//
// What a TLS session costs while its connection lives on after the handshake.
#include <malloc.h>

#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "crypto/tls_session.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

constexpr size_t kSessions = 200;

size_t HeapBytesInUse() { return mallinfo2().uordblks; }

// The sessions of many connections, without what the tests keep about them.
std::vector<std::unique_ptr<TlsSession>> Sessions(TlsEndpoints& endpoints, bool clients) {
  std::vector<std::unique_ptr<TlsSession>> sessions;
  for (size_t i = 0; i < kSessions; ++i) {
    TlsPair pair = endpoints.Connect();
    while (pair.client.session().PollResumptionTicket({})) {
    }
    sessions.push_back(clients ? pair.client.TakeSession() : pair.server.TakeSession());
  }
  return sessions;
}

size_t BytesPerSession(bool clients) {
  TlsEndpoints endpoints;
  static_cast<void>(Sessions(endpoints, clients));  // What is allocated once, is by now.
  const size_t before = HeapBytesInUse();
  const std::vector<std::unique_ptr<TlsSession>> sessions = Sessions(endpoints, clients);
  return (HeapBytesInUse() - before) / kSessions;
}

TEST(TlsMemoryTest, SessionsAreSmallAfterTheHandshake) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have a heap of their own";
#endif
  const size_t client_bytes = BytesPerSession(/*clients=*/true);
  const size_t server_bytes = BytesPerSession(/*clients=*/false);

  std::cout << "heap bytes a session: client " << client_bytes << ", server " << server_bytes
            << "\n";
  EXPECT_LT(client_bytes, 4200u);
  EXPECT_LT(server_bytes, 3800u);
}

}  // namespace
}  // namespace godwit
