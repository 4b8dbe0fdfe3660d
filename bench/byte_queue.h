// SPDX-License-Identifier: Apache-2.0
//
// ByteQueue: bytes that are taken from the front in the order in which they were put at the end.
// Its memory is twice that of the most it ever held; whoever fills it bounds that.
#ifndef GODWIT_BENCH_BYTE_QUEUE_H_
#define GODWIT_BENCH_BYTE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace godwit {

class ByteQueue {
 public:
  std::span<const uint8_t> bytes() const { return std::span(bytes_).subspan(begin_); }
  bool is_empty() const { return begin_ == bytes_.size(); }
  void Append(std::span<const uint8_t> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  void RemoveFront(size_t count) {
    begin_ += count;
    if (2 * begin_ < bytes_.size()) return;  // What has gone is less than what stays.
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(begin_));
    begin_ = 0;
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_BYTE_QUEUE_H_
