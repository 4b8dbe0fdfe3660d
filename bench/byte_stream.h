// SPDX-License-Identifier: Apache-2.0
//
// ByteStream: a connected, non-blocking TCP connection that bytes go into and come out of, with or
// without TLS. One interface, so that what drives a transfer is the same code for both and only
// what is measured differs. Which bytes, and when, is the owner's.
#ifndef GODWIT_BENCH_BYTE_STREAM_H_
#define GODWIT_BENCH_BYTE_STREAM_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "bench/emulator/file_descriptor.h"

namespace godwit {

// System calls that can carry data.
struct SocketCallCounts {
  uint64_t send_calls = 0;
  uint64_t receive_calls = 0;
};

struct IoOutcome {
  enum class State : uint8_t {
    kProgress,
    kBlocked,  // Nothing was done; the socket is not ready.
    kEnded,    // Of reading: the peer's direction has ended.
    kFailed,   // See failure().
  };

  State state = State::kProgress;
  size_t bytes = 0;  // Also beside kEnded and kFailed: what was read before.
};

class ByteStream {
 public:
  // Of one system call.
  static constexpr size_t kReceiveBytes = size_t{256} << 10;
  // Room for that and for what was left of a record before it.
  static constexpr size_t kReadBufferBytes = kReceiveBytes + (size_t{64} << 10);

  virtual ~ByteStream() = default;

  virtual int fd() const = 0;
  // To be repeated when the socket is ready, until it is no more kBlocked.
  virtual IoOutcome Handshake() = 0;
  // One system call at most. `buffer` has kReadBufferBytes at least, so that nothing which has
  // arrived waits in here while the socket has no more to be ready for.
  virtual IoOutcome Read(std::span<uint8_t> buffer) = 0;
  // What was taken need not be offered again. Some of it may wait in here until Flush().
  virtual IoOutcome Write(std::span<const uint8_t> bytes) = 0;
  // Bytes wait in here for a socket that is writable.
  virtual bool needs_flush() const = 0;
  virtual IoOutcome Flush() = 0;
  // The end of this direction; the other one goes on. Not while needs_flush(); may need it.
  virtual IoOutcome End() = 0;

  virtual const SocketCallCounts& calls() const = 0;
  virtual std::string cipher() const = 0;  // Empty: none.
  virtual std::string failure() const = 0;
};

// send() and recv() once each, errors as outcomes, calls counted.
class CountedSocket {
 public:
  explicit CountedSocket(FileDescriptor socket) : socket_(std::move(socket)) {}

  IoOutcome Send(std::span<const uint8_t> bytes);
  IoOutcome Receive(std::span<uint8_t> buffer);
  IoOutcome EndSending();

  int fd() const { return socket_.get(); }
  const SocketCallCounts& calls() const { return calls_; }
  const std::string& failure() const { return failure_; }

 private:
  IoOutcome OutcomeOf(ssize_t result, const char* call);

  FileDescriptor socket_;
  SocketCallCounts calls_;
  std::string failure_;
};

// `socket` is connected and does not block.
std::unique_ptr<ByteStream> NewPlainStream(FileDescriptor socket);

}  // namespace godwit

#endif  // GODWIT_BENCH_BYTE_STREAM_H_
