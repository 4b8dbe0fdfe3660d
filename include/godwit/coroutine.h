// SPDX-License-Identifier: Apache-2.0
//
// Straight-line code over QUIC without threads: coroutines on the loop of a Client, or on that of
// each shard of a Server. Every call that waits is a Task (task.h), to be awaited by another:
//
//   godwit::Task<absl::Status> Greet(godwit::CoroutineClient& client) {
//     auto connection = co_await client.Dial("example.org", 4433);
//     if (!connection.ok()) co_return connection.status();
//     auto stream = co_await connection->OpenStream(godwit::StreamDirection::kBidirectional);
//     if (!stream.ok()) co_return stream.status();
//     absl::Status status = co_await stream->Write("hello");
//     ...
//   }
//
//   auto client = godwit::CoroutineClient::Create(config);
//   absl::Status status = (*client)->Run(Greet(**client));
//
// What waits goes on when the loop has dealt with what has happened: never inside of a call of the
// application, and one task at a time. A call that need not wait does not give others a turn.
//
// What errors mean, in every call that waits:
//   Cancelled         the connection is closed; the words, and close_reason(), say why. What was
//                     not read by then is gone.
//   Aborted           the peer gave the stream up: see reset_code() and stopped_code().
//   NotFound          the handle names nothing.
//   DeadlineExceeded  of CoroutineLoop::Within() alone: no other call has a deadline.
//   FailedPrecondition, InvalidArgument, ResourceExhausted: a mistake of the caller's; in words.
//
// Connections and streams are handles: copies name the same one, and stay safe when it is closed or
// its owner gone. With its last handle, which a call that waits is too, a stream is given up: it is
// reset with code 0 if it was not finished, and the peer is asked to send no more. With the last
// handle of it and its streams a connection is given up: it is closed with code 0, a few seconds
// after the peer has received all that was finished (it may still be reading). So to destroy a task
// is to give up what it alone was working on.
//
// Threads: all of it is of the loop's thread, or of any one while the loop does not run. From other
// threads: loop().Post().
#ifndef GODWIT_INCLUDE_COROUTINE_H_
#define GODWIT_INCLUDE_COROUTINE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

#include "godwit/client.h"
#include "godwit/close_reason.h"
#include "godwit/connection_ref.h"
#include "godwit/loop.h"
#include "godwit/server.h"
#include "godwit/stream_id.h"
#include "godwit/task.h"
#include "godwit/time.h"

namespace godwit {

class CoroutineRoot;
class CoroutineScheduler;
struct CoroutineClientState;
struct CoroutineConnectionGrip;
struct CoroutineShardState;
struct CoroutineSignalState;
struct CoroutineStreamGrip;

class CoroutineStream {
 public:
  CoroutineStream() = default;  // Names nothing.
  explicit CoroutineStream(std::shared_ptr<const CoroutineStreamGrip> grip)
      : grip_(std::move(grip)) {}

  // None if it names nothing.
  [[nodiscard]] std::optional<StreamId> id() const;

  // Waits for at least one byte and takes as many as there are, up to the size of `into`, which is
  // not empty and lives until then. 0: the end of the stream, also when asked again. One task at a
  // time reads.
  Task<absl::StatusOr<size_t>> Read(std::span<uint8_t> into) const;
  // Gives all of `data`, which lives until then, waiting for the peer where it must; it is sent
  // soon after. With an error, or a task that is destroyed, a part from the front may have been
  // given: `written_bytes` (if not null), which counts along, says how much. One task at a time
  // writes.
  Task<absl::Status> Write(std::span<const uint8_t> data, uint64_t* written_bytes = nullptr) const;
  Task<absl::Status> Write(std::string_view data, uint64_t* written_bytes = nullptr) const;
  // Without a copy of large pieces.
  Task<absl::Status> Write(absl::Cord data, uint64_t* written_bytes = nullptr) const;
  // What was written is all. Does not wait; OK also when it was said before.
  absl::Status Finish() const;
  // After Finish(): waits until the peer has received all of it. Its application may not have read
  // it yet, and cannot after a Close().
  Task<absl::Status> WaitUntilDelivered() const;
  // Gives up sending; what has not arrived may never do so. `error_code` is the application's,
  // below 2^62.
  absl::Status Reset(uint64_t error_code) const;
  // Gives up reading, and asks the peer to give up sending.
  absl::Status StopSending(uint64_t error_code) const;

  // The peer's codes, once it has given up sending (Read() is Aborted) or reading (Write() is).
  [[nodiscard]] std::optional<uint64_t> reset_code() const;
  [[nodiscard]] std::optional<uint64_t> stopped_code() const;

 private:
  std::shared_ptr<const CoroutineStreamGrip> grip_;
};

class CoroutineConnection {
 public:
  CoroutineConnection() = default;  // Names nothing.
  explicit CoroutineConnection(std::shared_ptr<const CoroutineConnectionGrip> grip)
      : grip_(std::move(grip)) {}

  // Waits while the peer allows no more streams.
  Task<absl::StatusOr<CoroutineStream>> OpenStream(StreamDirection direction) const;
  // The next one that the peer has opened; its id says in which direction.
  Task<absl::StatusOr<CoroutineStream>> AcceptStream() const;

  // Does not wait. What the queue or the path has no room for is lost, as datagrams may be.
  absl::Status SendDatagram(std::span<const uint8_t> payload) const;
  absl::Status SendDatagram(std::string_view payload) const;
  Task<absl::StatusOr<std::vector<uint8_t>>> ReceiveDatagram() const;

  // Ends all streams at once, without waiting, and discards what is on its way, or not read by the
  // peer's application; that application gets code (below 2^62) and reason (UTF-8). OK also if it
  // is closed already.
  absl::Status Close(uint64_t error_code, std::string_view reason) const;
  // None while it is open, or when its client or server ended before it was closed.
  [[nodiscard]] std::optional<CloseReason> close_reason() const;

  // For all else: Stats(), Info(), max_datagram_payload_bytes(), UpdateKeys(), ... What is done to
  // its streams and datagrams there is not seen here.
  [[nodiscard]] ConnectionRef ref() const;

 private:
  std::shared_ptr<const CoroutineConnectionGrip> grip_;
};

template <typename T>
class SpawnedTask;

// The tasks of a loop: what CoroutineClient and CoroutineShard have in common.
class CoroutineLoop {
 public:
  CoroutineLoop(const CoroutineLoop&) = delete;
  CoroutineLoop& operator=(const CoroutineLoop&) = delete;

  [[nodiscard]] Loop& loop() const;

  // Runs the task from the loop's next round on (not inside of this call), until it is over or this
  // ends, which destroys it.
  void Spawn(Task<> task);
  // The same, for who wants to know its result, or to destroy it.
  template <typename T>
  [[nodiscard]] SpawnedTask<T> Start(Task<T> task);

  Task<> Sleep(Duration duration);
  // The result of `task` (a Status or StatusOr); or DeadlineExceeded, and the task is destroyed, if
  // there is none in time. It counts from the moment at which this is awaited.
  template <typename T>
  requires std::constructible_from<T, absl::Status> Task<T> Within(Duration timeout, Task<T> task) {
    return WithinOn(*this, timeout, std::move(task));
  }

 protected:
  explicit CoroutineLoop(std::shared_ptr<CoroutineScheduler> scheduler);
  ~CoroutineLoop();

  CoroutineScheduler& scheduler() { return *scheduler_; }
  // Destroys all tasks.
  void EndTasks();

 private:
  friend class CoroutineSignal;
  template <typename T>
  friend class SpawnedTask;

  // Of a root without references from outside: gone with its end.
  std::shared_ptr<CoroutineRoot> StartRoot(Task<> task);
  static void Cancel(CoroutineRoot& root);
  static bool IsDone(const CoroutineRoot& root);
  // False: it was not, in time.
  static Task<bool> WaitUntilDone(std::shared_ptr<CoroutineRoot> root, Duration timeout);
  template <typename T>
  static Task<T> WithinOn(CoroutineLoop& loop, Duration timeout, Task<T> task);

  const std::shared_ptr<CoroutineScheduler> scheduler_;
};

// A task that runs beside the one that has started it. Destroying this destroys the task; one that
// destroys itself in this way, or the one that has started it, runs on to the point where it waits
// next, and only there does the destroyed one end: until then both have their local variables.
template <typename T>
class [[nodiscard]] SpawnedTask {
 public:
  SpawnedTask() = default;  // Names none.
  ~SpawnedTask() { Cancel(); }
  SpawnedTask(SpawnedTask&&) noexcept = default;
  SpawnedTask& operator=(SpawnedTask&& other) noexcept {
    SpawnedTask taken(std::move(other));
    root_.swap(taken.root_);
    result_.swap(taken.result_);
    return *this;
  }

  // It has ended by itself.
  [[nodiscard]] bool is_done() const { return root_ != nullptr && CoroutineLoop::IsDone(*root_); }
  // Waits for its end and gives its result. Awaited by a task of the same loop; where that is
  // destroyed, this one is too.
  Task<T> Join() && { return JoinTo(std::move(*this)); }
  // The result of one that is done, once.
  T Take() {
    if constexpr (!std::is_void_v<T>) return **std::exchange(result_, nullptr);
  }
  // Leaves it to itself.
  void Detach() { root_ = nullptr; }

 private:
  friend class CoroutineLoop;

  using Result = std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>>;

  // Shared, as a task that destroys itself may still end.
  static Task<> Store(Task<T> task, std::shared_ptr<Result> result) {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      result->emplace();
    } else {
      result->emplace(co_await std::move(task));
    }
  }
  static Task<T> JoinTo(SpawnedTask self) {
    co_await CoroutineLoop::WaitUntilDone(self.root_, Duration::Infinite());
    co_return self.Take();
  }
  void Cancel() {
    if (root_ != nullptr) CoroutineLoop::Cancel(*root_);
  }

  std::shared_ptr<CoroutineRoot> root_;
  std::shared_ptr<Result> result_;
};

// Lets tasks wait for what is the application's own: what other tasks make, a call of the loop, or,
// through its Post(), another thread. It says that something has changed, not what:
//
//   while (queue.empty()) co_await has_more.Wait();
//
// A task may also await an awaitable of the application's own, which then has to care for what is
// done here: it continues the task on the loop's thread, not inside of a call that the application
// makes, and not after the task was destroyed. A task that was continued so must not destroy
// itself, nor who has started it, before it has awaited something of godwit's again.
class CoroutineSignal {
 public:
  // `loop` is that of those who wait, and outlives this.
  explicit CoroutineSignal(CoroutineLoop* loop);
  // Who waits still, waits for ever.
  ~CoroutineSignal();
  CoroutineSignal(const CoroutineSignal&) = delete;
  CoroutineSignal& operator=(const CoroutineSignal&) = delete;

  // All who wait go on.
  void Notify();
  // For the next Notify(); one that came before is not remembered.
  Task<> Wait();

 private:
  const std::shared_ptr<CoroutineSignalState> state_;
};

// A Client whose connections are used by tasks. Not to be destroyed, nor Run(), inside of a task.
class CoroutineClient final : public CoroutineLoop {
 public:
  // Errors name the field, its value and what is allowed.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CoroutineClient>> Create(
      const ClientConfig& config);
  // Destroys all tasks. Open connections end without a word: see client().Shutdown().
  ~CoroutineClient();

  // To run its loop, for its numbers, to end. Connections that it makes are not seen here.
  [[nodiscard]] Client& client();

  // As Client::Dial(): a name or a numeric address; the handshake is complete when it returns.
  Task<absl::StatusOr<CoroutineConnection>> Dial(std::string host, uint16_t port);

  // Runs the loop until the task is over; others go on meanwhile.
  template <typename T>
  T Run(Task<T> task) {
    SpawnedTask<T> running = Start(std::move(task));
    while (!running.is_done()) client().RunOnce(Timestamp::Infinite());
    return running.Take();
  }

 private:
  explicit CoroutineClient(std::unique_ptr<CoroutineClientState> state);

  std::unique_ptr<CoroutineClientState> state_;
};

// A shard of a Server whose connections are used by tasks.
//
//   godwit::Task<> Accept(godwit::CoroutineShard& shard) {
//     for (;;) shard.Spawn(Serve(co_await shard.Accept()));
//   }
//
//   auto server = godwit::Server::Create(config, godwit::CoroutineShard::Handlers(Accept));
//
// When the server has ended, what still waits is destroyed, on the thread that ends it.
class CoroutineShard final : public CoroutineLoop {
 public:
  // `main` makes the first task of each shard, which begins on the shard's thread. All shards call
  // it: what it shares with others it must guard.
  using Main = std::function<Task<>(CoroutineShard& shard)>;
  [[nodiscard]] static Server::HandlerFactory Handlers(Main main);
  ~CoroutineShard();

  // The next connection whose handshake is complete. 1,024 may wait; more are closed.
  Task<CoroutineConnection> Accept();

 private:
  friend struct CoroutineShardState;

  explicit CoroutineShard(std::unique_ptr<CoroutineShardState> state);

  std::unique_ptr<CoroutineShardState> state_;
};

template <typename T>
SpawnedTask<T> CoroutineLoop::Start(Task<T> task) {
  SpawnedTask<T> spawned;
  spawned.result_ = std::make_shared<typename SpawnedTask<T>::Result>();
  spawned.root_ = StartRoot(SpawnedTask<T>::Store(std::move(task), spawned.result_));
  return spawned;
}

template <typename T>
Task<T> CoroutineLoop::WithinOn(CoroutineLoop& loop, Duration timeout, Task<T> task) {
  SpawnedTask<T> spawned = loop.Start(std::move(task));
  const bool is_in_time = co_await WaitUntilDone(spawned.root_, timeout);
  if (is_in_time) co_return spawned.Take();
  co_return T(absl::DeadlineExceededError("it was not over in time"));
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_COROUTINE_H_
