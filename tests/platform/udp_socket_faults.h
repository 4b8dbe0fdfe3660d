// SPDX-License-Identifier: Apache-2.0
//
// A kernel that fails as it is told: SocketCalls that ask a plan first and then do the real thing.
// One plan for the test program, reset by each SocketFaults; sockets that were opened with its
// calls see what the plan says now.
#ifndef GODWIT_TESTS_PLATFORM_UDP_SOCKET_FAULTS_H_
#define GODWIT_TESTS_PLATFORM_UDP_SOCKET_FAULTS_H_

#include <sys/socket.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "platform/socket_calls.h"

namespace godwit {

// What a test asks of a message that is to be sent.
struct SentMessage {
  size_t bytes = 0;
  bool is_train = false;
  bool has_mark = false;
  bool has_source = false;
};

class SocketFaults {
 public:
  SocketFaults();
  ~SocketFaults();
  SocketFaults(const SocketFaults&) = delete;
  SocketFaults& operator=(const SocketFaults&) = delete;

  static SocketCalls Calls();

  // The errno of each message, 0 to send it. As in the kernel, an error behind messages that were
  // sent shows only in the next call.
  std::function<int(const SentMessage&)> send_error = [](const SentMessage&) { return 0; };
  // Of one call of sendmmsg().
  size_t max_messages_per_call = std::numeric_limits<size_t>::max();
  // Then EAGAIN.
  size_t messages_until_blocked = std::numeric_limits<size_t>::max();
  // What was taken and refused, in order.
  std::vector<SentMessage> taken;
  std::vector<SentMessage> refused;

  // Told one by one by recvmmsg() before it receives.
  std::vector<int> receive_errors;
  // Flags that every received message has.
  int receive_flags = 0;

  std::function<int(int domain)> socket_error = [](int) { return 0; };
  std::function<int(int level, int option)> option_error = [](int, int) { return 0; };
  std::string kernel_release;  // Empty: the real one.
  size_t open_sockets = 0;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_PLATFORM_UDP_SOCKET_FAULTS_H_
