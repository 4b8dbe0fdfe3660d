// SPDX-License-Identifier: Apache-2.0
//
// SocketCalls: the system calls that UdpSocket makes, as plain function pointers, so that a test
// can let any of them fail. Each has the signature, the result and the errno of its namesake.
//
// What is left out cannot fail in a way that matters: getifaddrs() and uname() of the report.
#ifndef GODWIT_PLATFORM_SOCKET_CALLS_H_
#define GODWIT_PLATFORM_SOCKET_CALLS_H_

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>

namespace godwit {

struct SocketCalls {
  int (*socket)(int domain, int type, int protocol) = ::socket;
  int (*bind)(int fd, const sockaddr* address, socklen_t size) = ::bind;
  int (*getsockname)(int fd, sockaddr* address, socklen_t* size) = ::getsockname;
  int (*setsockopt)(int fd, int level, int option, const void* value,
                    socklen_t size) = ::setsockopt;
  int (*getsockopt)(int fd, int level, int option, void* value, socklen_t* size) = ::getsockopt;
  int (*sendmmsg)(int fd, mmsghdr* messages, unsigned int count, int flags) = ::sendmmsg;
  int (*recvmmsg)(int fd, mmsghdr* messages, unsigned int count, int flags,
                  timespec* timeout) = ::recvmmsg;
  int (*ioctl)(int fd, unsigned long request, void* argument) =
      [](int fd, unsigned long request, void* argument) { return ::ioctl(fd, request, argument); };
  int (*uname)(utsname* name) = ::uname;
  int (*close)(int fd) = ::close;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_SOCKET_CALLS_H_
