// SPDX-License-Identifier: Apache-2.0
//
// ControlStream: the stream on which the two ends of a tunnel speak of the tunnel itself. It lives
// as long as the connection: its end is an error.
#ifndef GODWIT_TUNNEL_CONTROL_STREAM_H_
#define GODWIT_TUNNEL_CONTROL_STREAM_H_

#include <functional>
#include <string>
#include <utility>

#include "tunnel/flow_priority.h"
#include "tunnel/message_stream.h"
#include "tunnel/stream_handler.h"

namespace godwit::tunnel {

class ControlStream final : public StreamHandler {
 public:
  struct Callbacks {
    std::function<void(const TunnelMessage& message)> on_message;
    std::function<void(const std::string& what)> on_violation;
  };
  ControlStream(ConnectionRef connection, StreamId stream, Callbacks callbacks)
      : stream_(std::move(connection), stream), callbacks_(std::move(callbacks)) {
    static_cast<void>(stream_.connection().SetPriority(stream, kControlPriority));
  }

  // What the stream does not take at once is kept. While something is, nothing is read: or a peer
  // that asks and asks, and takes no answer, would fill our memory with them.
  void Send(const TunnelMessage& message) { stream_.Write(EncodeMessage(message)); }

  void OnReadable() override {
    while (!is_over_ && !stream_.has_unsent()) {
      auto message = stream_.Read();
      if (!message.ok()) return Fail(std::string(message.status().message()));
      if (!message->has_value()) return;
      callbacks_.on_message(**message);
    }
  }
  void OnWritable() override {
    if (stream_.Flush()) OnReadable();
  }
  void OnReset() override { Fail("the control stream was reset"); }
  void OnStopped() override { Fail("the control stream was stopped"); }
  void OnConnectionLost() override { is_over_ = true; }

 private:
  void Fail(const std::string& what) {
    if (!std::exchange(is_over_, true)) callbacks_.on_violation(what);
  }

  MessageStream stream_;
  Callbacks callbacks_;
  bool is_over_ = false;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_CONTROL_STREAM_H_
