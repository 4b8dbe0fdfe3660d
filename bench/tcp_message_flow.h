// SPDX-License-Identifier: Apache-2.0
//
// TcpMessageFlow: one TCP connection that carries messages, each behind four bytes of its length:
// the simplest way to have many requests under way on one connection. Responses come in the order
// of the requests. What a message means is the handler's; here only lengths are known.
//
// A step is one read, the handler's answers to all that it brought, and then one write of them all:
// as few system calls as TCP can do with.
#ifndef GODWIT_BENCH_TCP_MESSAGE_FLOW_H_
#define GODWIT_BENCH_TCP_MESSAGE_FLOW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bench/byte_queue.h"
#include "bench/byte_stream.h"
#include "bench/tcp_opening.h"
#include "bench/transfer_options.h"

namespace godwit {

class TcpMessageFlow {
 public:
  // May call Send() and End() of the flow.
  class Handler {
   public:
    virtual ~Handler() = default;
    // After the handshake.
    virtual void OnReady(TcpMessageFlow& flow) = 0;
    virtual void OnMessage(TcpMessageFlow& flow, size_t bytes) = 0;
  };

  // `handler` must outlive it.
  TcpMessageFlow(std::unique_ptr<ByteStream> stream, TransferRole role, Handler* handler);

  // Leaves at the end of the step; outside of one, with the next.
  void Send(std::span<const uint8_t> message);
  // After what was sent before. A server then resets the connection, and both are finished.
  void End();

  // The socket is ready for what it waited for. `buffer`, of ByteStream::kReadBufferBytes, is for
  // what is received.
  void Advance(std::span<uint8_t> buffer);

  // What it waits for: EPOLLIN, EPOLLOUT.
  uint32_t interest() const;
  int fd() const { return stream_->fd(); }
  bool is_finished() const { return is_finished_; }
  // Empty: none.
  const std::string& failure() const { return failure_; }
  std::string cipher() const { return stream_->cipher(); }

 private:
  bool is_ready() const { return opening_.state() == TcpOpening::State::kReady; }
  void Receive(std::span<uint8_t> buffer);
  void TakeMessages(std::span<const uint8_t> bytes);
  void SendAll();
  void OnPeerEnded();
  void Fail(std::string failure);

  std::unique_ptr<ByteStream> stream_;
  TransferRole role_;
  Handler* handler_;
  TcpOpening opening_;
  ByteQueue output_;
  bool wants_to_write_ = false;
  bool wants_to_end_ = false;
  bool has_ended_ = false;
  bool is_finished_ = false;
  std::string failure_;

  // Of the message that is being received.
  std::array<uint8_t, 4> length_ = {};
  size_t length_bytes_ = 0;  // Of `length_`, there.
  size_t message_bytes_ = 0;
  size_t missing_bytes_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_MESSAGE_FLOW_H_
