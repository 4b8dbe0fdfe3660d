// SPDX-License-Identifier: Apache-2.0
//
// BlockingHandler: takes the events of one loop to the channels of its connections, and ends them
// when the loop has ended. Who gets a connection that was accepted is not decided here.
//
// Threads: the loop's, or when it has ended.
#ifndef GODWIT_RUNTIME_BLOCKING_HANDLER_H_
#define GODWIT_RUNTIME_BLOCKING_HANDLER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "runtime/blocking_connection_channel.h"
#include "runtime/blocking_door.h"

namespace godwit {

class BlockingHandler final : public EventHandler {
 public:
  using Channel = std::shared_ptr<BlockingConnectionChannel>;

  // `on_accepted` gets connections that nobody has adopted; null: there are none that matter.
  explicit BlockingHandler(std::function<void(Channel)> on_accepted)
      : on_accepted_(std::move(on_accepted)) {}
  ~BlockingHandler() override { End(); }

  // Before the loop runs.
  void Open(Loop* loop) { door_->Open(loop); }
  // After the loop has ended: wakes all who wait.
  void End();
  // The way to the loop, from any thread.
  const std::shared_ptr<BlockingDoor>& door() const { return door_; }

  // From now on events of the connection, whose handshake is complete, go to the result.
  Channel Adopt(const ConnectionRef& connection);

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
  void OnMaxDatagramPayloadChanged(ConnectionRef connection) override;

 private:
  // Null if it is none of ours.
  Channel Find(const ConnectionRef& connection) const;
  BlockingConnectionChannel::Stream Find(const ConnectionRef& connection, StreamId stream) const;

  const std::function<void(Channel)> on_accepted_;
  const std::shared_ptr<BlockingDoor> door_ = std::make_shared<BlockingDoor>();
  std::unordered_map<uint64_t, Channel> channels_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_HANDLER_H_
