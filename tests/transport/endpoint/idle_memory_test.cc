// SPDX-License-Identifier: Apache-2.0
//
// What an idle established connection takes from the heap, both ends together: what is ours, which
// is all that comes from operator new, and beside it what the TLS library takes with malloc.
#include <malloc.h>

#include <cstdint>
#include <cstdio>

#include "gtest/gtest.h"

#include "tests/base/heap_counter.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/transport/endpoint/endpoint_hosts.h"

namespace godwit {
namespace {

// A power of two, so that tables which grow by doubling are as full before as they are after.
constexpr uint64_t kConnections = 64;
constexpr uint64_t kMaxBytesOfAConnection = 12 * 1024;

class IdleMemoryTest : public testing::Test {
 protected:
  IdleMemoryTest() {
    network_.Add(&client_);
    network_.Add(&server_);
    for (EndpointHost* host : {&client_, &server_}) {
      // Certificates are checked against the wall clock.
      host->endpoint().SetWallClock({network_.now(), kTestTime.wall});
      // The fixture's own records are not what is measured.
      host->on_event = [host](const EndpointEvent&) {
        host->events = {};
        host->train_sizes = {};
      };
    }
  }

  void Connect(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(
          client_.endpoint()
              .Connect({.four_tuple = {.local = client_.address(), .peer = server_.address()},
                        .server_name = tls_.server_name},
                       network_.now())
              .ok());
      network_.RunUntilQuiet();
    }
    network_.RunFor(Duration::Seconds(5));
  }

  TlsEndpoints tls_;
  EndpointHost client_{{.address = "192.0.2.1:1000", .tls_clients = &tls_.client()}};
  EndpointHost server_{{.role = HostRole::kServer,
                        .address = "192.0.2.9:443",
                        .tls_servers = &tls_.server(),
                        .seed = 2}};
  EndpointNetwork network_;
};

TEST_F(IdleMemoryTest, BothEndsOfAConnectionTakeTwelveKibibytesAtMost) {
  Connect(kConnections);
  const uint64_t ours_before = CountHeap().live_bytes;
  const uint64_t all_before = mallinfo2().uordblks;

  Connect(kConnections);

  const uint64_t ours = (CountHeap().live_bytes - ours_before) / kConnections;
  const uint64_t all = (mallinfo2().uordblks - all_before) / kConnections;
  std::printf("both ends of an idle connection: %llu bytes, and %llu of the TLS library\n",
              static_cast<unsigned long long>(ours), static_cast<unsigned long long>(all - ours));
  ASSERT_EQ(server_.endpoint().connection_count(), 2 * kConnections);
  EXPECT_LE(ours, kMaxBytesOfAConnection);
}

}  // namespace
}  // namespace godwit
