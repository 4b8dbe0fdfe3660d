// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_listener.h"

#include "bench/tcp_socket.h"
#include "bench/transfer_process.h"
#include "godwit/socket_address.h"

namespace godwit {

absl::StatusOr<FileDescriptor> ListenAndAnnounce(const TransferOptions& options) {
  absl::StatusOr<FileDescriptor> listener = ListenTcp(options.address, options.congestion);
  if (!listener.ok()) return listener.status();
  const absl::StatusOr<SocketAddress> address = WithKernelPort(listener->get(), options.address);
  if (!address.ok()) return address.status();
  AnnounceListening(*address);
  return listener;
}

}  // namespace godwit
