// SPDX-License-Identifier: Apache-2.0
//
// TcpFlow: one TCP connection on one stream, both ways: bytes, half-close as the end of a
// direction, reset as RESET_STREAM with STOP_SENDING. docs/tunnel-protocol.md.
//
// Memory is bounded: the socket is read only while the stream takes what it gives (at most
// kReadBytes wait here), and the stream is consumed only as the socket takes it. How urgent its
// bytes are follows from how many there were.
//
// Begins on the side of the request with the request, on the other with the reply. Threads: the
// loop's.
#ifndef GODWIT_TUNNEL_TCP_FLOW_H_
#define GODWIT_TUNNEL_TCP_FLOW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "godwit/connection_ref.h"
#include "godwit/loop.h"
#include "tunnel/flow_priority.h"
#include "tunnel/message_stream.h"
#include "tunnel/stream_handler.h"
#include "tunnel/tunnel_message.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// What flows have carried, in bytes of their applications.
struct FlowTotals {
  uint64_t bytes_to_peer = 0;
  uint64_t bytes_from_peer = 0;
};

class TcpFlow final : public StreamHandler {
 public:
  static constexpr size_t kReadBytes = size_t{32} << 10;

  // Gives the bytes that the socket gets first. After a reply other than kOk it then gets its end;
  // without bytes, a reset.
  using ReplyCallback = std::function<std::string(const OpenReply& reply)>;

  struct Options {
    Loop* loop = nullptr;
    ConnectionRef connection;
    StreamId stream;
    UniqueFd fd;
    // The request, or the reply.
    std::string first_message;
    // Of the side of the request.
    bool awaits_reply = false;
    // Bytes follow the request at once, which saves a round trip; else they wait for the reply.
    bool relays_before_reply = false;
    ReplyCallback on_reply;
    // Once, when it is over. The flow is not destroyed inside of it.
    std::function<void()> on_over;
    FlowTotals* totals = nullptr;  // Outlives it.
  };
  explicit TcpFlow(Options options);
  ~TcpFlow() override;

  void Start();

  void OnReadable() override;
  void OnWritable() override;
  void OnReset() override;
  void OnStopped() override;
  void OnConnectionLost() override;

 private:
  void OnSocketReady(FdEvents events);
  // From the socket to the stream, from the stream to the socket: as far as it goes.
  void PumpIn();
  void PumpOut();
  // False if the stream takes no more.
  bool Relay(size_t byte_count);
  void SetPriority(std::optional<StreamPriority> priority);
  // Sees to it that the flow does not wait behind others for ever.
  void WatchPriority();
  void DiscardInput();
  // False if it has none yet, or the flow is over.
  bool ReadReply();
  // False if the socket takes no more, or the flow is over.
  bool WriteToSocket(bool* is_end);
  void EndOutput();
  // Closing a socket that nobody reads any more would throw away what it still has to deliver.
  bool HoldsForOutput() const;
  void Watch();
  void Unwatch();
  void StopWatching();  // Timers too.
  // Tells both sides.
  void Abort();
  void ResetSocket();
  void End();

  Options options_;
  MessageStream stream_;
  FlowPriority priority_;
  std::optional<Loop::CallId> priority_timer_;
  bool awaits_reply_;
  bool is_over_ = false;
  bool has_input_ended_ = false;   // The socket's; the stream was finished.
  bool discards_input_ = false;    // The peer reads no more; the socket's other direction goes on.
  bool has_output_ended_ = false;  // The stream's; the socket was shut down for writing.
  bool is_socket_full_ = false;
  bool is_watched_ = false;
  FdInterest interest_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TCP_FLOW_H_
