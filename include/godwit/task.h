// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: a coroutine of C++20 that gives one T, or nothing. The functions of coroutine.h that
// wait are such, and so are those that an application writes around them:
//
//   godwit::Task<absl::StatusOr<std::string>> Ask(godwit::CoroutineConnection connection) {
//     auto stream = co_await connection.OpenStream(godwit::StreamDirection::kBidirectional);
//     if (!stream.ok()) co_return stream.status();
//     ...
//   }
//
// What to know of it:
//
//  1. Lazy: nothing runs before the task is awaited (once, and only by another task) or is given to
//     a CoroutineLoop. Arguments are copied or moved at the call; but what a parameter refers to,
//     the object of a member function and the captures of a lambda among it, must outlive the task.
//     A call that is awaited where it is made may refer to whatever lives until then.
//  2. To destroy a task is to cancel it, at any point where it waits: its local variables end, in
//     their order, and nothing of it runs any more. There is no other cancellation and no token.
//  3. A task that ends at once does so inside of the co_await, like a function; one that has waited
//     continues its awaiter as its last step. So loops over tasks need no more stack with every
//     turn, also where compilers make no tail calls (g++ without optimisation).
//  4. No exceptions: one that leaves a task ends the process.
//
// Threads: a task is awaited and destroyed on the thread of its loop.
#ifndef GODWIT_INCLUDE_TASK_H_
#define GODWIT_INCLUDE_TASK_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace godwit {

class CoroutineScheduler;

template <typename T = void>
class Task;

namespace internal_task {

// What a CoroutineLoop knows of a task that it was given, which has all those that are awaited
// below it as parts.
struct Root {
  void (*on_done)(Root* root) = nullptr;
};

struct PromiseBase {
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      const PromiseBase& promise = ended.promise();
      if (promise.is_starting) return std::noop_coroutine();
      if (promise.awaiter) return promise.awaiter;
      promise.root->on_done(promise.root);
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

  std::coroutine_handle<> awaiter;  // None: this is the root's.
  Root* root = nullptr;
  bool is_starting = false;  // Inside of the co_await of its awaiter.
};

template <typename T>
struct Promise : PromiseBase {
  Task<T> get_return_object() noexcept;
  void return_value(T value) { result.emplace(std::move(value)); }
  T TakeResult() { return *std::move(result); }

  std::optional<T> result;
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void TakeResult() const noexcept {}
};

}  // namespace internal_task

// Moved, not copied. An empty one (by default, or moved from) must not be awaited: that ends the
// process.
template <typename T>
class [[nodiscard]] Task {
  static_assert(!std::is_reference_v<T>, "a task gives a value; let it give a pointer");

 public:
  using promise_type = internal_task::Promise<T>;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  ~Task() {
    if (frame_) frame_.destroy();
  }
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    // What the old one destroys may come back to this one.
    const Task old(std::exchange(frame_, std::exchange(other.frame_, nullptr)));
    return *this;
  }

  [[nodiscard]] bool is_empty() const noexcept { return !frame_; }

  // Owns the task while it runs.
  class Awaiter {
   public:
    explicit Awaiter(Task task) noexcept : task_(std::move(task)) {
      if (task_.is_empty()) [[unlikely]] {
        __builtin_trap();
      }
    }

    bool await_ready() const noexcept { return false; }
    // False: it has ended.
    template <typename AwaiterPromise>
    bool await_suspend(std::coroutine_handle<AwaiterPromise> awaiter) {
      static_assert(std::is_base_of_v<internal_task::PromiseBase, AwaiterPromise>,
                    "a Task is awaited by another Task");
      const std::coroutine_handle<promise_type> frame = task_.frame_;
      frame.promise().root = awaiter.promise().root;
      frame.promise().awaiter = awaiter;
      frame.promise().is_starting = true;
      frame.resume();
      frame.promise().is_starting = false;
      return !frame.done();
    }
    T await_resume() { return task_.frame_.promise().TakeResult(); }

   private:
    Task task_;
  };
  Awaiter operator co_await() && noexcept { return Awaiter(std::move(*this)); }

 private:
  friend class CoroutineScheduler;

  std::coroutine_handle<promise_type> frame_;
};

namespace internal_task {

template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace internal_task

}  // namespace godwit

#endif  // GODWIT_INCLUDE_TASK_H_
