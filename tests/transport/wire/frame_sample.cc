// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/wire/frame_sample.h"

#include <utility>

#include "base/protocol_errors.h"

namespace godwit {
namespace {

// RFC 9000 §16: the length in the two top bits, then the value in network byte order.
std::vector<uint8_t> VarintBytes(uint64_t value, VarintWidth width) {
  const size_t size = static_cast<size_t>(width);
  std::vector<uint8_t> bytes(size);
  for (size_t i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<uint8_t>(value);
  const uint8_t prefix = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  bytes[0] = static_cast<uint8_t>(bytes[0] | prefix << 6);
  return bytes;
}

}  // namespace

FrameSample::FrameSample(uint64_t type, VarintWidth width, std::string text)
    : type_(type), width_(width), text_(std::move(text)) {
  Append(VarintBytes(type, type < 64 ? VarintWidth::k1 : VarintWidth::k2), kFrameTruncated);
  errors_by_size_.front() = kPacketWithoutFrames;
}

FrameSample& FrameSample::Varints(std::initializer_list<uint64_t> values) {
  for (const uint64_t value : values) Append(VarintBytes(value, width_), kFrameTruncated);
  return *this;
}

FrameSample& FrameSample::Byte(uint8_t value) {
  Append(std::span(&value, 1), kFrameTruncated);
  return *this;
}

FrameSample& FrameSample::Fixed(std::span<const uint8_t> bytes) {
  Append(bytes, kFrameTruncated);
  return *this;
}

FrameSample& FrameSample::Announced(std::span<const uint8_t> bytes) {
  Append(bytes, kFrameLengthBeyondPacket);
  return *this;
}

FrameSample& FrameSample::Rest(std::span<const uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  reaches_to_end_ = true;
  return *this;
}

void FrameSample::Append(std::span<const uint8_t> bytes, Result error_if_cut) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  errors_by_size_.insert(errors_by_size_.end(), bytes.size(), error_if_cut);
}

namespace {

constexpr uint8_t kData[] = {0xda, 0x7a, 0x00};

// Types 0x00 to 0x07.
std::vector<FrameSample> SamplesBeforeStream(VarintWidth w) {
  return {
      FrameSample(0x00, w, "PADDING length=1"),
      FrameSample(0x01, w, "PING"),
      FrameSample(0x02, w, "ACK delay=7 ranges=[60,63]").Varints({63, 7, 0, 3}),
      FrameSample(0x02, w, "ACK delay=0 ranges=[63,63][61,61][40,58][0,5]")
          .Varints({63, 0, 3, 0, 0, 0, 1, 18, 33, 5}),
      FrameSample(0x03, w, "ACK delay=9 ranges=[0,0] ect0=1 ect1=2 ce=3")
          .Varints({0, 9, 0, 0, 1, 2, 3}),
      FrameSample(0x03, w, "ACK delay=9 ranges=[30,31][10,20] ect0=0 ect1=0 ce=63")
          .Varints({31, 9, 1, 1, 8, 10, 0, 0, 63}),
      FrameSample(0x04, w, "RESET_STREAM id=4 error=5 final_size=6").Varints({4, 5, 6}),
      FrameSample(0x05, w, "STOP_SENDING id=7 error=8").Varints({7, 8}),
      FrameSample(0x06, w, "CRYPTO offset=9 data=da7a00").Varints({9, 3}).Announced(kData),
      FrameSample(0x06, w, "CRYPTO offset=9 data=").Varints({9, 0}),
      FrameSample(0x07, w, "NEW_TOKEN token=da7a00").Varints({3}).Announced(kData),
  };
}

// Types 0x08 to 0x0f.
std::vector<FrameSample> SamplesOfStream(VarintWidth w) {
  return {
      FrameSample(0x08, w, "STREAM id=1 offset=0 fin=0 data=da7a00").Varints({1}).Rest(kData),
      FrameSample(0x09, w, "STREAM id=1 offset=0 fin=1 data=da7a00").Varints({1}).Rest(kData),
      FrameSample(0x09, w, "STREAM id=1 offset=0 fin=1 data=").Varints({1}).Rest({}),
      FrameSample(0x0a, w, "STREAM id=1 offset=0 fin=0 data=da7a00")
          .Varints({1, 3})
          .Announced(kData),
      FrameSample(0x0b, w, "STREAM id=1 offset=0 fin=1 data=da7a00")
          .Varints({1, 3})
          .Announced(kData),
      FrameSample(0x0b, w, "STREAM id=1 offset=0 fin=1 data=").Varints({1, 0}),
      FrameSample(0x0c, w, "STREAM id=1 offset=63 fin=0 data=da7a00").Varints({1, 63}).Rest(kData),
      FrameSample(0x0d, w, "STREAM id=1 offset=63 fin=1 data=da7a00").Varints({1, 63}).Rest(kData),
      FrameSample(0x0e, w, "STREAM id=1 offset=63 fin=0 data=da7a00")
          .Varints({1, 63, 3})
          .Announced(kData),
      FrameSample(0x0f, w, "STREAM id=1 offset=0 fin=1 data=da7a00")
          .Varints({1, 0, 3})
          .Announced(kData),
  };
}

// Types 0x10 to 0x17.
std::vector<FrameSample> SamplesOfFlowControl(VarintWidth w) {
  return {
      FrameSample(0x10, w, "MAX_DATA maximum=10").Varints({10}),
      FrameSample(0x11, w, "MAX_STREAM_DATA id=11 maximum=12").Varints({11, 12}),
      FrameSample(0x12, w, "MAX_STREAMS direction=bidi maximum=13").Varints({13}),
      FrameSample(0x13, w, "MAX_STREAMS direction=uni maximum=14").Varints({14}),
      FrameSample(0x14, w, "DATA_BLOCKED limit=15").Varints({15}),
      FrameSample(0x15, w, "STREAM_DATA_BLOCKED id=16 limit=17").Varints({16, 17}),
      FrameSample(0x16, w, "STREAMS_BLOCKED direction=bidi limit=18").Varints({18}),
      FrameSample(0x17, w, "STREAMS_BLOCKED direction=uni limit=19").Varints({19}),
  };
}

// Types 0x18 and above.
std::vector<FrameSample> SamplesBehindFlowControl(VarintWidth w) {
  const std::vector<uint8_t> path_data = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<uint8_t> longest_id(20, 0xc1);
  const std::string longest_id_text = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";
  const std::vector<uint8_t> token(16, 0x70);
  const std::string token_text = "70707070707070707070707070707070";
  return {
      FrameSample(0x18, w,
                  "NEW_CONNECTION_ID sequence=21 retire_prior_to=21 id=da7a00 token=" + token_text)
          .Varints({21, 21})
          .Byte(3)
          .Announced(kData)
          .Fixed(token),
      FrameSample(0x18, w,
                  "NEW_CONNECTION_ID sequence=2 retire_prior_to=0 id=" + longest_id_text +
                      " token=" + token_text)
          .Varints({2, 0})
          .Byte(20)
          .Announced(longest_id)
          .Fixed(token),
      FrameSample(0x19, w, "RETIRE_CONNECTION_ID sequence=22").Varints({22}),
      FrameSample(0x1a, w, "PATH_CHALLENGE data=0102030405060708").Fixed(path_data),
      FrameSample(0x1b, w, "PATH_RESPONSE data=0102030405060708").Fixed(path_data),
      FrameSample(0x1c, w, "CONNECTION_CLOSE space=transport error=23 frame_type=24 reason=da7a00")
          .Varints({23, 24, 3})
          .Announced(kData),
      FrameSample(0x1c, w, "CONNECTION_CLOSE space=transport error=0 frame_type=0 reason=")
          .Varints({0, 0, 0}),
      FrameSample(0x1d, w, "CONNECTION_CLOSE space=application error=25 frame_type=0 reason=da7a00")
          .Varints({25, 3})
          .Announced(kData),
      FrameSample(0x1e, w, "HANDSHAKE_DONE"),
      FrameSample(0x1f, w, "IMMEDIATE_ACK"),
      FrameSample(0x30, w, "DATAGRAM data=da7a00").Rest(kData),
      FrameSample(0x30, w, "DATAGRAM data=").Rest({}),
      FrameSample(0x31, w, "DATAGRAM data=da7a00").Varints({3}).Announced(kData),
      FrameSample(0x31, w, "DATAGRAM data=").Varints({0}),
      FrameSample(0xaf, w, "ACK_FREQUENCY sequence=26 threshold=27 max_ack_delay=28 reordering=29")
          .Varints({26, 27, 28, 29}),
  };
}

}  // namespace

std::vector<FrameSample> AllFrameSamples(VarintWidth width) {
  std::vector<FrameSample> samples;
  for (const std::vector<FrameSample>& some :
       {SamplesBeforeStream(width), SamplesOfStream(width), SamplesOfFlowControl(width),
        SamplesBehindFlowControl(width)}) {
    samples.insert(samples.end(), some.begin(), some.end());
  }
  return samples;
}

}  // namespace godwit
