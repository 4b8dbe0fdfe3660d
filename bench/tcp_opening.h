// SPDX-License-Identifier: Apache-2.0
//
// TcpOpening: how a TCP connection comes about, in steps that each wait for the socket: connecting,
// then the TLS handshake if there is one. What is said afterwards is its owner's.
#ifndef GODWIT_BENCH_TCP_OPENING_H_
#define GODWIT_BENCH_TCP_OPENING_H_

#include <cstdint>
#include <string>

#include "bench/byte_stream.h"
#include "bench/transfer_options.h"

namespace godwit {

class TcpOpening {
 public:
  enum class State : uint8_t { kConnecting, kHandshake, kReady, kFailed };

  explicit TcpOpening(TransferRole role)
      : state_(role == TransferRole::kClient ? State::kConnecting : State::kHandshake),
        wants_to_write_(role == TransferRole::kClient) {}

  // The socket of `stream` is ready for what was waited for.
  void Advance(ByteStream& stream);

  State state() const { return state_; }
  bool wants_to_write() const { return wants_to_write_; }
  const std::string& failure() const { return failure_; }

 private:
  void Fail(std::string failure);

  State state_;
  bool wants_to_write_;
  std::string failure_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_OPENING_H_
