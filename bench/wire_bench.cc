// SPDX-License-Identifier: Apache-2.0
//
// Varints and packet headers, the parts of the wire format that every packet meets several times.
// The time of a varint benchmark is that of kVarintCount varints (items_per_second counts single
// ones); that of a header benchmark is one packet.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "base/check.h"
#include "base/packet_number.h"
#include "base/seeded_random.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/invariant_header.h"
#include "transport/wire/packet_header_encoder.h"
#include "transport/wire/packet_number_codec.h"
#include "transport/wire/protected_packet.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

constexpr size_t kVarintCount = 1000;
constexpr size_t kPacketSize = 1452;
constexpr uint8_t kConnectionId[8] = {1, 2, 3, 4, 5, 6, 7, 8};

// Sizes in bytes of the varints in STREAM and ACK frames of a bulk transfer, one after the other.
constexpr size_t kBulkSizes[] = {1, 1, 4, 2, 1, 4, 2, 1, 1, 1, 1, 1, 8, 2};

// `size` 0: those of kBulkSizes.
std::vector<uint64_t> VarintsOfSize(size_t size) {
  SeededRandom random(1);
  std::vector<uint64_t> values;
  for (size_t i = 0; i < kVarintCount; ++i) {
    const size_t bytes = size != 0 ? size : kBulkSizes[i % std::size(kBulkSizes)];
    const uint64_t most = MaxVarintOf(static_cast<VarintWidth>(bytes));
    values.push_back(most - random.UniformBelow(most / 2));
  }
  return values;
}

std::vector<uint8_t> Encoded(const std::vector<uint64_t>& values) {
  std::vector<uint8_t> bytes(values.size() * kMaxVarintBytes);
  ByteWriter writer(bytes);
  for (const uint64_t value : values) writer.WriteVarint(value);
  bytes.resize(writer.position());
  return bytes;
}

void ReadVarints(benchmark::State& state) {
  const std::vector<uint8_t> bytes = Encoded(VarintsOfSize(static_cast<size_t>(state.range(0))));
  for (auto _ : state) {
    ByteReader reader(bytes);
    uint64_t value = 0;
    uint64_t sum = 0;
    while (reader.ReadVarint(&value)) sum += value;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kVarintCount));
}
BENCHMARK(ReadVarints)->ArgName("bytes")->Arg(0)->Arg(1)->Arg(2)->Arg(4)->Arg(8);

void WriteVarints(benchmark::State& state) {
  const std::vector<uint64_t> values = VarintsOfSize(static_cast<size_t>(state.range(0)));
  std::vector<uint8_t> bytes(kVarintCount * kMaxVarintBytes);
  for (auto _ : state) {
    ByteWriter writer(bytes);
    for (const uint64_t value : values) writer.WriteVarint(value);
    benchmark::DoNotOptimize(writer);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kVarintCount));
}
BENCHMARK(WriteVarints)->ArgName("bytes")->Arg(0)->Arg(1)->Arg(2)->Arg(4)->Arg(8);

std::vector<uint8_t> OneRttPacket() {
  std::vector<uint8_t> packet(kPacketSize);
  ByteWriter writer(packet);
  EncodeShortHeader(
      {.dcid = kConnectionId, .packet_number = PacketNumber(123'456), .packet_number_size = 2},
      writer);
  return packet;
}

std::vector<uint8_t> InitialPacket() {
  std::vector<uint8_t> packet(kPacketSize);
  ByteWriter writer(packet);
  SetPacketLength(packet, EncodeLongHeader({.dcid = kConnectionId, .scid = kConnectionId}, writer));
  return packet;
}

void RouteShortHeader(benchmark::State& state) {
  const std::vector<uint8_t> packet = OneRttPacket();
  for (auto _ : state) {
    InvariantHeader header;
    benchmark::DoNotOptimize(ParseInvariantHeader(packet, sizeof(kConnectionId), &header));
    benchmark::DoNotOptimize(header);
  }
}
BENCHMARK(RouteShortHeader);

// From the datagram to the packet whose payload is to be opened; removing header protection is
// crypto's and not in it.
void ParsePacket(benchmark::State& state, std::vector<uint8_t> packet) {
  const PacketRules rules(sizeof(kConnectionId));
  for (auto _ : state) {
    DatagramSplitter splitter(packet, rules);
    for (DatagramPart part; splitter.Next(&part);) {
      GODWIT_CHECK(part.kind() == DatagramPart::Kind::kPacket);
      const EncryptedPacket encrypted =
          part.packet().HeaderProtectionRemoved(PacketNumber(123'455));
      benchmark::DoNotOptimize(encrypted.packet_number());
      benchmark::DoNotOptimize(encrypted.protected_payload());
    }
  }
}
BENCHMARK_CAPTURE(ParsePacket, one_rtt, OneRttPacket());
BENCHMARK_CAPTURE(ParsePacket, initial, InitialPacket());

void EncodeOneRttHeader(benchmark::State& state) {
  std::vector<uint8_t> packet(kPacketSize);
  PacketNumber number(123'456);
  const PacketNumber largest_acked(123'000);
  for (auto _ : state) {
    ByteWriter writer(packet);
    benchmark::DoNotOptimize(number);
    EncodeShortHeader({.dcid = kConnectionId,
                       .packet_number = number,
                       .packet_number_size = PacketNumberSize(number, largest_acked)},
                      writer);
    benchmark::DoNotOptimize(writer);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(EncodeOneRttHeader);

void EncodeInitialHeader(benchmark::State& state) {
  std::vector<uint8_t> packet(kPacketSize);
  for (auto _ : state) {
    ByteWriter writer(packet);
    SetPacketLength(packet,
                    EncodeLongHeader({.dcid = kConnectionId, .scid = kConnectionId}, writer));
    benchmark::DoNotOptimize(writer);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(EncodeInitialHeader);

void ExpandPacketNumbers(benchmark::State& state) {
  uint32_t truncated = 0;
  PacketNumber largest(123'456);
  for (auto _ : state) {
    benchmark::DoNotOptimize(largest);
    benchmark::DoNotOptimize(ExpandPacketNumber(truncated++ & 0xffff, 2, largest));
  }
}
BENCHMARK(ExpandPacketNumbers);

}  // namespace
}  // namespace godwit
