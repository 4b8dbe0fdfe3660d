// SPDX-License-Identifier: Apache-2.0
//
// Shows a QUIC version 1 handshake and a transfer between two ends in memory, packet by packet, and
// what the packets of the transfer cost. tools/demo runs it until there is a tunnel to show.
#include <chrono>
#include <cstdio>
#include <vector>

#include "base/seeded_random.h"
#include "tests/exchange/packet_pair.h"

namespace godwit {
namespace {

void PrintReceived(const char* direction, PacketEnd& receiver) {
  for (const PacketRecord& record : receiver.TakeReceived()) {
    std::printf("  %s  %-9.*s #%-2llu %4zu bytes  %s\n", direction,
                static_cast<int>(ToString(record.level).size()), ToString(record.level).data(),
                static_cast<unsigned long long>(record.packet_number.value()), record.size_bytes,
                record.frames.c_str());
  }
}

int Run() {
  PacketPair pair;
  std::printf("1. The handshake: every packet as its receiver read it\n");
  const Result handshake = pair.Handshake([&pair](Perspective, DatagramBytes&) {
    PrintReceived("client -> server", pair.server());
    PrintReceived("server -> client", pair.client());
  });
  PrintReceived("client -> server", pair.server());
  PrintReceived("server -> client", pair.client());
  if (!handshake.ok()) {
    std::printf("failed: the peer %s (%s)\n", handshake.error().reason, handshake.error().rfc);
    return 1;
  }
  const TlsFacts facts = pair.client().session().facts();
  std::printf("  TLS 1.3, suite 0x%04x, group %.*s, protocol \"%.*s\", handshake %s\n",
              static_cast<unsigned>(*facts.cipher_suite),
              static_cast<int>(facts.key_exchange_group.size()), facts.key_exchange_group.data(),
              static_cast<int>(facts.application_protocol.size()),
              facts.application_protocol.data(),
              pair.server().handshake_confirmed() && pair.client().handshake_confirmed()
                  ? "confirmed on both sides"
                  : "NOT confirmed");

  constexpr size_t kBytes = 64 << 20;
  constexpr size_t kDatagramBytes = 1452;
  std::vector<uint8_t> data(kBytes);
  SeededRandom(1).Fill(data);
  const auto begin = std::chrono::steady_clock::now();
  const Result transfer = pair.Transfer(data, kDatagramBytes, 44);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const bool is_intact = transfer.ok() && pair.server().stream_data() == data;
  std::printf(
      "2. %zu MiB on one stream in datagrams of %zu bytes: %s\n"
      "  %.2f s on one core for both ends: sealing, opening, frames, and copying in this demo\n",
      kBytes >> 20, kDatagramBytes, is_intact ? "arrived intact" : "DAMAGED", seconds.count());
  return is_intact ? 0 : 1;
}

}  // namespace
}  // namespace godwit

int main() { return godwit::Run(); }
