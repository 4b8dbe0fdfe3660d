// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/base/heap_counter.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

// Trains and single datagrams, marked and from a given address, to and fro, and one too large.
void Exchange(UdpSocket& a, UdpSocket& b, std::span<const Transmit> transmits, DatagramBatch& batch,
              size_t rounds) {
  for (size_t i = 0; i < rounds; ++i) {
    a.Send(transmits);
    while (!b.Receive(batch, kReceiveTime).empty()) continue;
  }
}

TEST(UdpSocketMemoryTest, SendingAndReceivingAllocateNothing) {
  UdpSocket a = OpenUdp("0.0.0.0:0");
  UdpSocket b = OpenUdp("127.0.0.1:0");
  DatagramBatch batch;
  const std::vector<uint8_t> bytes = PatternBytes(65'520, 1'200);
  std::array<Transmit, 4> transmits;
  transmits.fill(Train(bytes, 1'200, b.local_address(),
                       {.ecn = EcnMark::kEct0, .local = Address("127.0.0.2:0")}));
  transmits[1].segment_size = 20;
  transmits[2].payload = transmits[2].payload.first(1'000);
  transmits[3].segment_size = bytes.size();
  Exchange(a, b, transmits, batch, 1);

  const uint64_t before = CountHeap().allocations;
  Exchange(a, b, transmits, batch, 100);

  EXPECT_EQ(CountHeap().allocations, before);
  EXPECT_GT(b.stats().datagrams_received, 1'000u);
  EXPECT_EQ(a.stats().lost.too_large, 101u);
}

}  // namespace
}  // namespace godwit
