// SPDX-License-Identifier: Apache-2.0
#include "platform/system_random.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

#include "base/check.h"

namespace godwit {
namespace {

void FillFromKernel(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    if (count < 0) {
      GODWIT_CHECK_EQ(errno, EINTR);
      continue;
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

}  // namespace

// All zero, as a child of fork() finds it, means: nothing left.
struct SystemRandom::Page {
  uint32_t left = 0;  // The first so many of `bytes` have not been given out.
  std::array<uint8_t, 512> bytes;
};

SystemRandom::SystemRandom() : page_(nullptr) {
  void* const memory =
      mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  if (madvise(memory, sizeof(Page), MADV_WIPEONFORK) != 0) {
    munmap(memory, sizeof(Page));
    return;
  }
  // What will be an id tomorrow is not for a core dump; where that cannot be had, nothing breaks.
  static_cast<void>(madvise(memory, sizeof(Page), MADV_DONTDUMP));
  page_ = new (memory) Page;
}

SystemRandom::~SystemRandom() {
  if (page_ != nullptr) munmap(page_, sizeof(Page));  // The kernel clears it before any other use.
}

void SystemRandom::Fill(std::span<uint8_t> bytes) {
  if (page_ == nullptr || bytes.size() > page_->bytes.size()) {
    FillFromKernel(bytes);
    return;
  }
  while (!bytes.empty()) {
    if (page_->left == 0) {
      FillFromKernel(page_->bytes);
      page_->left = static_cast<uint32_t>(page_->bytes.size());
    }
    const size_t count = std::min<size_t>(page_->left, bytes.size());
    page_->left -= static_cast<uint32_t>(count);
    uint8_t* const taken = page_->bytes.data() + page_->left;
    std::memcpy(bytes.data(), taken, count);
    explicit_bzero(taken, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace godwit
