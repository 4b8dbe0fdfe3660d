// SPDX-License-Identifier: Apache-2.0
//
// Encoding and decoding of the frames that most packets hold. Every iteration handles one frame;
// decoding includes the check against the table of permitted frames and a visit of the result.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "benchmark/benchmark.h"

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {
namespace {

constexpr size_t kDataBytes = 1200;
constexpr size_t kPacketBytes = 1452;
constexpr uint8_t kData[kDataBytes] = {};

// What a download that has run for a while looks like.
constexpr StreamFrame kStreamFrame{StreamId(4), 123'456'789, kData, false};
constexpr StreamFrameHeader kStreamHeader{StreamId(4), 123'456'789, kDataBytes, false};
constexpr MaxDataFrame kMaxDataFrame{987'654'321};
constexpr DatagramFrame kDatagramFrame{kData};
constexpr AckFrameFields kAckFields{100, EcnCounts{1'000'000, 0, 1'000}};

// `count` ranges of 1 to 40 packets, 1 to 3 packets apart.
std::vector<AckRange> MakeAckRanges(size_t count) {
  std::vector<AckRange> ranges;
  uint64_t largest = 1'000'000;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t smallest = largest - i * 7 % 40;
    ranges.push_back({PacketNumber(smallest), PacketNumber(largest)});
    largest = smallest - 2 - i % 3;
  }
  return ranges;
}

// One field of each kind of frame, so that no part of the decoding is for nothing.
struct FieldOf {
  uint64_t operator()(const StreamFrame& frame) const { return frame.offset_bytes; }
  uint64_t operator()(const MaxDataFrame& frame) const { return frame.maximum_bytes; }
  uint64_t operator()(const DatagramFrame& frame) const { return frame.data.size(); }
  uint64_t operator()(const AckFrame& frame) const {
    uint64_t sum = 0;
    for (const AckRange range : frame.ranges) sum += range.smallest.value();
    return sum;
  }
  template <typename F>
  uint64_t operator()(const F&) const {
    return 0;
  }
};

void DecodeFrames(benchmark::State& state, std::span<const uint8_t> payload) {
  Frame frame;
  for (auto _ : state) {
    benchmark::DoNotOptimize(payload);
    FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, Perspective::kServer);
    GODWIT_CHECK(decoder.Next(&frame).ok());
    benchmark::DoNotOptimize(frame.Visit(FieldOf{}));
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename Write>
void EncodeFrames(benchmark::State& state, const Write& write) {
  std::vector<uint8_t> buffer(kPacketBytes);
  for (auto _ : state) {
    ByteWriter writer(buffer);
    write(writer);
    benchmark::DoNotOptimize(buffer.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename Write>
std::vector<uint8_t> Encoded(const Write& write) {
  std::vector<uint8_t> buffer(kPacketBytes);
  ByteWriter writer(buffer);
  write(writer);
  buffer.resize(writer.position());
  return buffer;
}

void WriteStream(ByteWriter& writer) { WriteFrame(kStreamFrame, LengthField::kPresent, writer); }
void WriteLastStream(ByteWriter& writer) { WriteFrame(kStreamFrame, LengthField::kAbsent, writer); }
void WriteStreamHeader(ByteWriter& writer) {
  WriteStreamFrameHeader(kStreamHeader, LengthField::kPresent, writer);
}
void WriteDatagram(ByteWriter& writer) {
  WriteFrame(kDatagramFrame, LengthField::kPresent, writer);
}
void WriteMaxData(ByteWriter& writer) { WriteFrame(kMaxDataFrame, writer); }

struct WriteAck {
  std::vector<AckRange> ranges;

  void operator()(ByteWriter& writer) const {
    const AckFramePlan plan = PlanAckFrame(
        kAckFields, ranges, {.max_ranges = ranges.size(), .max_bytes = writer.space_left()});
    WriteAckFrame(kAckFields, ranges, plan, writer);
  }
};

void BM_DecodeStream(benchmark::State& state) { DecodeFrames(state, Encoded(WriteStream)); }
void BM_DecodeStreamWithoutLength(benchmark::State& state) {
  DecodeFrames(state, Encoded(WriteLastStream));
}
void BM_DecodeDatagram(benchmark::State& state) { DecodeFrames(state, Encoded(WriteDatagram)); }
void BM_DecodeMaxData(benchmark::State& state) { DecodeFrames(state, Encoded(WriteMaxData)); }
// The argument is the number of ranges; all are visited.
void BM_DecodeAck(benchmark::State& state) {
  const size_t range_count = static_cast<size_t>(state.range(0));
  DecodeFrames(state, Encoded(WriteAck{MakeAckRanges(range_count)}));
}

// Whole frames with the copy of their data, and the header alone as for a scattered seal.
void BM_EncodeStream(benchmark::State& state) { EncodeFrames(state, WriteStream); }
void BM_EncodeStreamHeader(benchmark::State& state) { EncodeFrames(state, WriteStreamHeader); }
void BM_EncodeDatagram(benchmark::State& state) { EncodeFrames(state, WriteDatagram); }
void BM_EncodeMaxData(benchmark::State& state) { EncodeFrames(state, WriteMaxData); }
// With the plan.
void BM_EncodeAck(benchmark::State& state) {
  EncodeFrames(state, WriteAck{MakeAckRanges(static_cast<size_t>(state.range(0)))});
}

BENCHMARK(BM_DecodeStream);
BENCHMARK(BM_DecodeStreamWithoutLength);
BENCHMARK(BM_DecodeDatagram);
BENCHMARK(BM_DecodeMaxData);
BENCHMARK(BM_DecodeAck)->Arg(1)->Arg(10)->Arg(64);
BENCHMARK(BM_EncodeStream);
BENCHMARK(BM_EncodeStreamHeader);
BENCHMARK(BM_EncodeDatagram);
BENCHMARK(BM_EncodeMaxData);
BENCHMARK(BM_EncodeAck)->Arg(1)->Arg(10)->Arg(64);

}  // namespace
}  // namespace godwit
