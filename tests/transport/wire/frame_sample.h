// SPDX-License-Identifier: Apache-2.0
//
// Encodings of frames, put together field by field and without the encoder: one sample or more of
// every frame type, and what each means. RFC 9000 §19; RFC 9221 §4; draft-ietf-quic-ack-frequency.
//
// A sample knows where its fields end, and so what is wrong with it when it is cut.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_FRAME_SAMPLE_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_FRAME_SAMPLE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "transport/wire/varint.h"

namespace godwit {

class FrameSample {
 public:
  // `text`: what ToText() says of the frame. Varint fields take `width`, the type does not.
  FrameSample(uint64_t type, VarintWidth width, std::string text);

  FrameSample& Varints(std::initializer_list<uint64_t> values);
  FrameSample& Byte(uint8_t value);
  FrameSample& Fixed(std::span<const uint8_t> bytes);
  // Bytes whose length a field before them has announced.
  FrameSample& Announced(std::span<const uint8_t> bytes);
  // Bytes that reach to the end of the packet.
  FrameSample& Rest(std::span<const uint8_t> bytes);

  uint64_t type() const { return type_; }
  const std::string& text() const { return text_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  bool reaches_to_end_of_packet() const { return reaches_to_end_; }

  // Cutting to any size below this one leaves no frame; cutting above it leaves a shorter one.
  size_t least_size() const { return errors_by_size_.size(); }
  // What is wrong with the first `size` bytes, of fewer than least_size().
  Result ErrorOfFirst(size_t size) const { return errors_by_size_[size]; }

 private:
  void Append(std::span<const uint8_t> bytes, Result error_if_cut);

  uint64_t type_;
  VarintWidth width_;
  std::string text_;
  std::vector<uint8_t> bytes_;
  std::vector<Result> errors_by_size_;
  bool reaches_to_end_ = false;
};

// At least one of each frame type, with all varint fields of `width`. All are fit for a 1-RTT
// packet from a server.
std::vector<FrameSample> AllFrameSamples(VarintWidth width);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_FRAME_SAMPLE_H_
