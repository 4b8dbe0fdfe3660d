// SPDX-License-Identifier: Apache-2.0
//
// CoroutineHandler: takes the events of one loop to the channels of its connections, lets the tasks
// that they wake go on, and ends both with the loop. Connections are made known to it: by Adopt(),
// or, where it accepts, as they come.
//
// Threads: the loop's, or any one while the loop does not run.
#ifndef GODWIT_RUNTIME_COROUTINE_HANDLER_H_
#define GODWIT_RUNTIME_COROUTINE_HANDLER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "godwit/coroutine.h"
#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "runtime/coroutine_connection_channel.h"
#include "runtime/coroutine_scheduler.h"
#include "runtime/coroutine_wait_list.h"

namespace godwit {

class CoroutineHandler : public EventHandler {
 public:
  enum class Accepts : uint8_t { kNone, kAll };

  CoroutineHandler(Loop* loop, Accepts accepts);
  ~CoroutineHandler() override;

  const std::shared_ptr<CoroutineScheduler>& scheduler() const { return scheduler_; }
  // From now on events of the connection go to the result.
  CoroutineConnection Adopt(const ConnectionRef& connection);
  // The oldest that nobody has taken; none: wait in acceptable().
  std::optional<CoroutineConnection> TakeAccepted();
  CoroutineWaitList& acceptable() { return acceptable_; }

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamOpened(ConnectionRef connection, StreamId stream) override;
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override;
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override;
  void OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override;
  void OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamSent(ConnectionRef connection, StreamId stream) override;
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) override;
  void OnDatagram(ConnectionRef connection) override;

 private:
  using Channel = std::shared_ptr<CoroutineConnectionChannel>;

  static constexpr size_t kMaxUnaccepted = 1'024;

  // Null if it is none of ours.
  Channel Find(const ConnectionRef& connection) const;
  CoroutineConnectionChannel::Stream Find(const ConnectionRef& connection, StreamId stream) const;

  const Accepts accepts_;
  const std::shared_ptr<CoroutineScheduler> scheduler_;
  std::unordered_map<ConnectionHandle, Channel> channels_;
  std::deque<CoroutineConnection> unaccepted_;
  CoroutineWaitList acceptable_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_COROUTINE_HANDLER_H_
