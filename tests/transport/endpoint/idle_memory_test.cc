// SPDX-License-Identifier: Apache-2.0
//
// What an idle established connection takes from the heap, both ends together and without what the
// TLS library takes for itself.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "gtest/gtest.h"

#include "tests/base/heap_counter.h"
#include "tests/transport/endpoint/endpoint_hosts.h"

namespace godwit {
namespace {

constexpr uint64_t kConnections = 200;
constexpr uint64_t kMaxBytesOfAConnection = 12 * 1024;

class IdleMemoryTest : public testing::Test {
 protected:
  IdleMemoryTest() {
    network_.Add(&client_);
    network_.Add(&server_);
    client_.on_event = [this](const EndpointEvent& event) { Forget(client_, event); };
    server_.on_event = [this](const EndpointEvent& event) { Forget(server_, event); };
  }

  void Connect(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(
          client_.endpoint()
              .Connect({.four_tuple = {.local = client_.address(), .peer = server_.address()},
                        .server_name = "server"},
                       network_.now())
              .ok());
      network_.RunUntilQuiet();
    }
    network_.RunFor(Duration::Seconds(3));
  }

  // The fixture's own records are not what is measured.
  void Forget(EndpointHost& host, const EndpointEvent&) {
    host.events = {};
    host.train_sizes = {};
  }

  EndpointHost client_{{.address = "192.0.2.1:1000"}};
  EndpointHost server_{{.role = HostRole::kServer, .address = "192.0.2.9:443", .seed = 2}};
  EndpointNetwork network_;
};

TEST_F(IdleMemoryTest, BothEndsOfAConnectionTakeTwelveKibibytesAtMost) {
  Connect(kConnections / 10);  // What the endpoints have but once, and pools.
  const uint64_t before = CountHeap().live_bytes;

  Connect(kConnections);

  const uint64_t bytes = (CountHeap().live_bytes - before) / kConnections;
  std::printf("both ends of an idle connection: %llu bytes\n",
              static_cast<unsigned long long>(bytes));
  EXPECT_EQ(server_.endpoint().connection_count(), kConnections + kConnections / 10);
  EXPECT_LE(bytes, kMaxBytesOfAConnection);
}

}  // namespace
}  // namespace godwit
