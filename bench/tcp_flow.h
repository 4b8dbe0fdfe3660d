// SPDX-License-Identifier: Apache-2.0
//
// TcpFlow: one TCP connection of a transfer: its connecting and handshake, then the TransferFlow
// that it carries. Advances when the socket is ready, a bounded step at a time, so that one thread
// can serve many; who waits for the sockets is the owner's.
#ifndef GODWIT_BENCH_TCP_FLOW_H_
#define GODWIT_BENCH_TCP_FLOW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bench/byte_stream.h"
#include "bench/tcp_opening.h"
#include "bench/tcp_socket.h"
#include "bench/transfer_flow.h"
#include "bench/transfer_pattern.h"
#include "godwit/time.h"

namespace godwit {

class TcpFlow {
 public:
  enum class State : uint8_t { kOpening, kReady, kTransfer, kDone, kFailed };

  // The server's end goes on to kTransfer by itself, the client's waits in kReady for Start().
  // `pattern` must outlive it.
  TcpFlow(std::unique_ptr<ByteStream> stream, TransferRole role, const TransferPattern& pattern);

  void Start(const TransferRequest& request, Timestamp now);

  // The socket is ready for what it waited for. `buffer`, of ByteStream::kReadBufferBytes, is for
  // what is received; its content is of no interest afterwards.
  void Advance(std::span<uint8_t> buffer);

  // What it waits for: EPOLLIN, EPOLLOUT.
  uint32_t interest() const;
  int fd() const { return stream_->fd(); }
  State state() const { return state_; }
  bool is_finished() const { return state_ == State::kDone || state_ == State::kFailed; }
  const std::string& failure() const { return failure_; }

  const std::optional<TransferFlow>& transfer() const { return transfer_; }
  const ByteStream& stream() const { return *stream_; }
  TcpCounts tcp_counts() const { return TcpCountsOf(stream_->fd()); }

 private:
  void Open();
  void Receive(std::span<uint8_t> buffer);
  void Send();
  void Fail(std::string failure);

  std::unique_ptr<ByteStream> stream_;
  TransferRole role_;
  const TransferPattern* pattern_;
  TcpOpening opening_;
  State state_ = State::kOpening;
  std::optional<TransferFlow> transfer_;
  bool has_peer_ended_ = false;
  bool wants_to_write_ = false;  // Once it is open.
  std::string failure_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_FLOW_H_
