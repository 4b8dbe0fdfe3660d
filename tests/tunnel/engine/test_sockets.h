// SPDX-License-Identifier: Apache-2.0
//
// What applications at both ends of a tunnel do, for tests: plain blocking sockets. A wait is bound
// far beyond what anything here takes: that ends a test that has failed.
#ifndef GODWIT_TESTS_TUNNEL_ENGINE_TEST_SOCKETS_H_
#define GODWIT_TESTS_TUNNEL_ENGINE_TEST_SOCKETS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "godwit/socket_address.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

inline constexpr int kPatienceSeconds = 40;

// How reading has ended.
enum class StreamEnd { kFin, kReset, kTimeout };

class TestStream {
 public:
  explicit TestStream(UniqueFd fd);
  static TestStream Connect(const SocketAddress& address);

  // False if the connection is broken.
  bool Send(std::string_view bytes);
  // As much as goes without waiting for long.
  size_t SendWithoutReader(std::string_view bytes);
  void FinishSending();
  // Exactly as many; fewer if the connection ends before.
  std::string Read(size_t size);
  // All up to the end.
  std::string ReadAll(StreamEnd* end);
  StreamEnd WaitForEnd();
  void Reset();
  void Close() { fd_.Close(); }

 private:
  UniqueFd fd_;
};

class TestListener {
 public:
  TestListener();

  SocketAddress address() const;
  TestStream Accept();
  // The port is free then, and refuses.
  void Close() { fd_.Close(); }

 private:
  UniqueFd fd_;
};

class TestUdpSocket {
 public:
  TestUdpSocket();

  SocketAddress address() const;
  void SendTo(std::string_view packet, const SocketAddress& to);
  // Empty if none comes.
  std::string Receive(SocketAddress* from);

 private:
  UniqueFd fd_;
};

// Bytes that do not repeat soon.
std::string Pattern(size_t size, uint64_t seed);

}  // namespace godwit::tunnel

#endif  // GODWIT_TESTS_TUNNEL_ENGINE_TEST_SOCKETS_H_
