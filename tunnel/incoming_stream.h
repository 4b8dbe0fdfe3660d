// SPDX-License-Identifier: Apache-2.0
//
// IncomingStream: a stream that the peer has opened, from its first message to the moment at which
// a flow takes it over: reads what is asked for, asks whether it is admitted, connects, or answers
// why not.
#ifndef GODWIT_TUNNEL_INCOMING_STREAM_H_
#define GODWIT_TUNNEL_INCOMING_STREAM_H_

#include <functional>
#include <memory>
#include <optional>

#include "tunnel/message_stream.h"
#include "tunnel/name_resolver.h"
#include "tunnel/stream_handler.h"
#include "tunnel/target_connector.h"

namespace godwit::tunnel {

// What becomes of a request of the peer.
struct Admission {
  std::optional<OpenReply> refusal;
  ForwardProtocol protocol = ForwardProtocol::kTcp;
  HostPort target;
  TargetConnector::Gate gate;  // Null: every address.
};

class IncomingStream final : public StreamHandler {
 public:
  struct Options {
    Loop* loop = nullptr;
    NameResolver* resolver = nullptr;
    ConnectionRef connection;
    StreamId stream;
    // Of OpenTarget and OpenForward.
    std::function<Admission(const TunnelMessage& request)> admit;
    // The stream is a control stream; this is over.
    std::function<void(const Hello& hello)> on_hello;
    // The connection stands; this is over.
    std::function<void(ForwardProtocol protocol, TargetConnector::Result result)> on_connected;
    // What the peer is told, where that is not kOk.
    std::function<void(const OpenReply& reply)> on_refused;
    // It has come to nothing.
    std::function<void()> on_over;
  };
  explicit IncomingStream(Options options);

  void OnReadable() override;
  void OnWritable() override;
  void OnReset() override;
  void OnStopped() override { OnReset(); }
  void OnConnectionLost() override { connector_.reset(); }

 private:
  void OnRequest(const TunnelMessage& request);
  void OnResult(TargetConnector::Result result);
  void Refuse(const OpenReply& reply);
  void End();

  Options options_;
  MessageStream stream_;
  ForwardProtocol protocol_ = ForwardProtocol::kTcp;
  std::unique_ptr<TargetConnector> connector_;
  bool has_request_ = false;
  bool is_refused_ = false;
  bool is_over_ = false;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_INCOMING_STREAM_H_
