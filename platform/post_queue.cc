// SPDX-License-Identifier: Apache-2.0
#include "platform/post_queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace godwit {

absl::StatusOr<std::shared_ptr<PostQueue>> PostQueue::Create() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make an eventfd");
  return std::shared_ptr<PostQueue>(new PostQueue(fd));
}

PostQueue::~PostQueue() { close(fd_); }

bool PostQueue::Post(std::function<void()> call) {
  bool was_empty = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_closed_) return false;
    was_empty = posted_.empty();
    posted_.push_back(std::move(call));
  }
  // Who found calls waiting leaves waking to the one who posted the first of them.
  if (was_empty) Wake();
  return true;
}

void PostQueue::Wake() {
  // Fails only when the counter is full, and then the descriptor is readable already.
  const uint64_t one = 1;
  static_cast<void>(!write(fd_, &one, sizeof(one)));
}

void PostQueue::RunPosted() {
  // Before the calls are taken: what is posted from here on either is among them or wakes anew.
  uint64_t count = 0;
  static_cast<void>(!read(fd_, &count, sizeof(count)));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_.swap(posted_);
  }
  for (const std::function<void()>& call : running_) {
    call();
  }
  running_.clear();
}

void PostQueue::Close() {
  std::vector<std::function<void()>> dropped;  // Destroyed when the lock is free again.
  const std::lock_guard<std::mutex> lock(mutex_);
  is_closed_ = true;
  dropped.swap(posted_);
}

}  // namespace godwit
