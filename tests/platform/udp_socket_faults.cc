// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/udp_socket_faults.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "base/check.h"

namespace godwit {
namespace {

SocketFaults* current_faults = nullptr;

SocketFaults& Faults() {
  GODWIT_CHECK(current_faults != nullptr);
  return *current_faults;
}

int Fail(int error) {
  errno = error;
  return -1;
}

SentMessage Describe(msghdr& header) {
  SentMessage message;
  message.bytes = header.msg_iov->iov_len;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    const int level = control->cmsg_level;
    const int type = control->cmsg_type;
    if (level == IPPROTO_UDP && type == UDP_SEGMENT) message.is_train = true;
    if (level == IPPROTO_IP && type == IP_TOS) message.has_mark = true;
    if (level == IPPROTO_IPV6 && type == IPV6_TCLASS) message.has_mark = true;
    if (level == IPPROTO_IP && type == IP_PKTINFO) message.has_source = true;
    if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) message.has_source = true;
  }
  return message;
}

int SendOne(int fd, mmsghdr& message) {
  SocketFaults& faults = Faults();
  const SentMessage description = Describe(message.msg_hdr);
  if (faults.messages_until_blocked == 0) return EAGAIN;
  if (const int error = faults.send_error(description); error != 0) {
    faults.refused.push_back(description);
    return error;
  }
  if (::sendmmsg(fd, &message, 1, MSG_DONTWAIT) != 1) return errno;
  --faults.messages_until_blocked;
  faults.taken.push_back(description);
  return 0;
}

int SendMessages(int fd, mmsghdr* messages, unsigned int count, int) {
  for (unsigned int i = 0; i < count; ++i) {
    if (i == Faults().max_messages_per_call) return static_cast<int>(i);
    if (const int error = SendOne(fd, messages[i]); error != 0) {
      return i == 0 ? Fail(error) : static_cast<int>(i);
    }
  }
  return static_cast<int>(count);
}

int ReceiveMessages(int fd, mmsghdr* messages, unsigned int count, int flags, timespec* timeout) {
  SocketFaults& faults = Faults();
  if (!faults.receive_errors.empty()) {
    const int error = faults.receive_errors.front();
    faults.receive_errors.erase(faults.receive_errors.begin());
    return Fail(error);
  }
  const int received = ::recvmmsg(fd, messages, count, flags, timeout);
  for (int i = 0; i < received; ++i) messages[i].msg_hdr.msg_flags |= faults.receive_flags;
  return received;
}

int OpenSocket(int domain, int type, int protocol) {
  if (const int error = Faults().socket_error(domain); error != 0) return Fail(error);
  const int fd = ::socket(domain, type, protocol);
  if (fd >= 0) ++Faults().open_sockets;
  return fd;
}

int CloseSocket(int fd) {
  --Faults().open_sockets;
  return ::close(fd);
}

int SetOption(int fd, int level, int option, const void* value, socklen_t size) {
  if (const int error = Faults().option_error(level, option); error != 0) return Fail(error);
  return ::setsockopt(fd, level, option, value, size);
}

int GetOption(int fd, int level, int option, void* value, socklen_t* size) {
  if (const int error = Faults().option_error(level, option); error != 0) return Fail(error);
  return ::getsockopt(fd, level, option, value, size);
}

int KernelName(utsname* name) {
  const int result = ::uname(name);
  const std::string& release = Faults().kernel_release;
  if (!release.empty()) name->release[release.copy(name->release, sizeof(name->release) - 1)] = 0;
  return result;
}

}  // namespace

SocketFaults::SocketFaults() {
  GODWIT_CHECK(current_faults == nullptr);
  current_faults = this;
}

SocketFaults::~SocketFaults() { current_faults = nullptr; }

SocketCalls SocketFaults::Calls() {
  SocketCalls calls;
  calls.socket = OpenSocket;
  calls.setsockopt = SetOption;
  calls.getsockopt = GetOption;
  calls.sendmmsg = SendMessages;
  calls.recvmmsg = ReceiveMessages;
  calls.uname = KernelName;
  calls.close = CloseSocket;
  return calls;
}

}  // namespace godwit
