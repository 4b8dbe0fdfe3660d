// SPDX-License-Identifier: Apache-2.0
//
// DatagramBatch: the memory that UdpSocket::Receive() fills: buffers for what one recvmmsg() can
// bring and the datagrams that are in them. All of it is taken at construction; the kernel gives
// a page of a buffer only when a datagram first needs it.
//
// It decides how large a batch is and how merged datagrams are cut; what control messages mean is
// udp_socket_control's. Not for two sockets at a time, but for one after the other.
#ifndef GODWIT_PLATFORM_DATAGRAM_BATCH_H_
#define GODWIT_PLATFORM_DATAGRAM_BATCH_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "godwit/datagram.h"

namespace godwit {

class DatagramBatch {
 public:
  // Right with and without GRO.
  static constexpr size_t kDefaultBufferCount = 16;
  static constexpr size_t kMaxBufferCount = 64;

  // 1 to kMaxBufferCount.
  explicit DatagramBatch(size_t buffer_count = kDefaultBufferCount);
  ~DatagramBatch();
  DatagramBatch(DatagramBatch&& other) noexcept;
  DatagramBatch& operator=(DatagramBatch&& other) noexcept;

  size_t buffer_count() const { return messages_.size(); }

  // For UdpSocket. Ready for recvmmsg(), which fills messages from the first on.
  std::span<mmsghdr> EmptyMessages();
  // Cuts a message's payload in datagrams of `segment_bytes`, the last may be shorter; all get the
  // addresses, mark and time of `prototype`. False if they did not all fit: the rest is lost.
  bool Append(const mmsghdr& message, size_t segment_bytes, const ReceivedDatagram& prototype);
  std::span<ReceivedDatagram> datagrams() { return std::span(datagrams_).first(datagram_count_); }

 private:
  struct Envelope;  // What comes with a message besides its bytes.

  std::unique_ptr<uint8_t[]> memory_;
  std::unique_ptr<Envelope[]> envelopes_;
  std::vector<iovec> buffers_;
  std::vector<mmsghdr> messages_;
  std::vector<ReceivedDatagram> datagrams_;
  size_t datagram_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_DATAGRAM_BATCH_H_
