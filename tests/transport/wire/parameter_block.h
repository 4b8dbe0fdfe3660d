// SPDX-License-Identifier: Apache-2.0
//
// Blocks of transport parameters, put together without the encoder: RFC 9000 §18.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_PARAMETER_BLOCK_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_PARAMETER_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/varint.h"

namespace godwit {

inline std::vector<uint8_t> VarintBytes(uint64_t value, VarintWidth width) {
  std::vector<uint8_t> bytes(ByteCount(width));
  ByteWriter(bytes).WriteVarintWithWidth(value, width);
  return bytes;
}

class ParameterBlock {
 public:
  ParameterBlock& Bytes(uint64_t id, const std::vector<uint8_t>& value) {
    Append(VarintBytes(id, VarintWidthOf(id)));
    Append(VarintBytes(value.size(), VarintWidthOf(value.size())));
    Append(value);
    ends_.push_back(block_.size());
    return *this;
  }
  ParameterBlock& Hex(uint64_t id, std::string_view value) { return Bytes(id, HexBytes(value)); }
  ParameterBlock& Number(uint64_t id, uint64_t value) {
    return Bytes(id, VarintBytes(value, VarintWidthOf(value)));
  }

  const std::vector<uint8_t>& block() const { return block_; }
  // Where each parameter ends.
  const std::vector<size_t>& ends() const { return ends_; }

 private:
  void Append(const std::vector<uint8_t>& bytes) {
    block_.insert(block_.end(), bytes.begin(), bytes.end());
  }

  std::vector<uint8_t> block_;
  std::vector<size_t> ends_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_PARAMETER_BLOCK_H_
