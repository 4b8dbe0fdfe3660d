// SPDX-License-Identifier: Apache-2.0
//
// BlockPool: blocks of memory that nobody uses now, kept for whoever needs one next, so that stream
// data moves without the heap. One pool serves all streams whose owner shares it.
//
// Blocks are owned by who took them; the pool knows only those that were given back. Buffers get
// the pool as a parameter and keep no pointer to it. A block that is destroyed instead of being
// given back goes to the heap, which is correct, and slower.
//
// Invariant: at most max_free blocks wait. Their content is what their last user left.
#ifndef GODWIT_TRANSPORT_DELIVERY_BLOCK_POOL_H_
#define GODWIT_TRANSPORT_DELIVERY_BLOCK_POOL_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace godwit {

template <typename Block>
class BlockPool {
 public:
  explicit BlockPool(size_t max_free) : max_free_(max_free) {}

  // Uninitialised.
  std::unique_ptr<Block> Take() {
    if (free_.empty()) return std::make_unique_for_overwrite<Block>();
    std::unique_ptr<Block> block = std::move(free_.back());
    free_.pop_back();
    return block;
  }

  void Give(std::unique_ptr<Block> block) {
    GODWIT_DCHECK(block != nullptr);
    if (free_.size() < max_free_) free_.push_back(std::move(block));
  }

  size_t free_count() const { return free_.size(); }

 private:
  std::vector<std::unique_ptr<Block>> free_;
  size_t max_free_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_BLOCK_POOL_H_
