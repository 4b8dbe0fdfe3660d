// SPDX-License-Identifier: Apache-2.0
//
// PostQueue: the way from other threads into an event loop: calls go in on any thread and come out
// on the loop's, in the order in which they went in. It lives as long as somebody holds it, so a
// thread that finishes after the loop's end posts into a closed queue and not into freed memory.
//
// It does not wait and does not poll: an eventfd becomes readable when there is something to run.
#ifndef GODWIT_PLATFORM_POST_QUEUE_H_
#define GODWIT_PLATFORM_POST_QUEUE_H_

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"

namespace godwit {

class PostQueue {
 public:
  static absl::StatusOr<std::shared_ptr<PostQueue>> Create();
  ~PostQueue();
  PostQueue(const PostQueue&) = delete;
  PostQueue& operator=(const PostQueue&) = delete;

  // From any thread. False if the queue is closed; `call` is then destroyed without having run.
  // What `call` captures is destroyed on the loop's thread if it ran, else on whichever thread
  // posts or closes.
  bool Post(std::function<void()> call);

  // Makes fd() readable without a call to run, as Post() does. From any thread.
  void Wake();

  // The rest is for the loop alone.

  int fd() const { return fd_; }
  // Runs what was posted before this call began. What those calls post waits for the next time, so
  // that nobody keeps the loop from its other work.
  void RunPosted();
  // Destroys what has not run. Nothing runs after this.
  void Close();

 private:
  explicit PostQueue(int fd) : fd_(fd) {}

  const int fd_;  // An eventfd.
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;   // Guarded by mutex_.
  bool is_closed_ = false;                      // Guarded by mutex_.
  std::vector<std::function<void()>> running_;  // The loop's; keeps its memory from time to time.
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_POST_QUEUE_H_
