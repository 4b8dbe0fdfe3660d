// SPDX-License-Identifier: Apache-2.0
//
// OperationBytes: a string of bytes read as a list of operations, so that a fuzzer and a seeded
// random test drive a part and its model by the same code.
#ifndef GODWIT_TESTS_TRANSPORT_DELIVERY_OPERATION_BYTES_H_
#define GODWIT_TESTS_TRANSPORT_DELIVERY_OPERATION_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace godwit {

class OperationBytes {
 public:
  explicit OperationBytes(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  // Zero behind the end.
  uint8_t Next() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  // Small sizes, and those of packets and of blocks, with a little more or less.
  size_t NextSize() {
    static constexpr size_t kSizes[] = {0, 1, 1, 2, 5, 31, 64, 200, 1200, 1400, 4090, 8190};
    const uint8_t byte = Next();
    return kSizes[byte % std::size(kSizes)] + byte / std::size(kSizes) % 8;
  }

 private:
  std::span<const uint8_t> bytes_;
};

// What every stream of the models carries.
constexpr uint8_t StreamByteAt(uint64_t offset_bytes) {
  return static_cast<uint8_t>(offset_bytes * 37 + (offset_bytes >> 8) * 11);
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_DELIVERY_OPERATION_BYTES_H_
