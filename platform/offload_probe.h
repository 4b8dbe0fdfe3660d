// SPDX-License-Identifier: Apache-2.0
//
// Finds out what can be offloaded on this machine: by the kernel's version, by trying, and by
// asking the interfaces' drivers (ethtool). It only reads and tries; what is used is the socket's
// decision. What cannot be found out counts as absent, or as unknown where the result can say so.
#ifndef GODWIT_PLATFORM_OFFLOAD_PROBE_H_
#define GODWIT_PLATFORM_OFFLOAD_PROBE_H_

#include <cstddef>
#include <vector>

#include "godwit/socket_address.h"
#include "platform/offload_report.h"
#include "platform/socket_calls.h"

namespace godwit {

// 0.0 if it cannot be read.
KernelVersion ReadKernelVersion(const SocketCalls& calls);

// Whether the environment variable GODWIT_DISABLE_<offload> is "1"; `offload` is "GSO" or so.
// Like all that reads the environment, not while another thread changes it.
bool IsDisabledByEnvironment(const char* offload);

// Whether a socket takes trains, as far as the kernel says without an interface.
bool SupportsGso(int fd, const KernelVersion& kernel, const SocketCalls& calls);

// The longest train that the kernel takes, by sending one to itself on the loopback interface:
// kMaxGsoSegments, or twice that.
size_t ProbeMaxTrainSegments(const SocketCalls& calls);

// `fd` is any socket. The interfaces that are up and have `local`; all that are up if that is a
// wildcard.
std::vector<InterfaceOffload> ReadInterfaces(int fd, const SocketAddress& local,
                                             const SocketCalls& calls);

}  // namespace godwit

#endif  // GODWIT_PLATFORM_OFFLOAD_PROBE_H_
