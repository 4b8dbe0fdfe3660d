// SPDX-License-Identifier: Apache-2.0
#include "platform/datagram_batch.h"

#include <algorithm>

#include "base/check.h"
#include "platform/udp_socket_address.h"
#include "platform/udp_socket_control.h"

namespace godwit {
namespace {

// The length field of IPv4 and of UDP ends here, so nothing is ever cut off.
constexpr size_t kBufferBytes = 65'535;

// From one buffer to the next: not a power of 2, or the first bytes of all buffers would compete
// for the same lines of the processor's caches.
constexpr size_t kStrideBytes = 65'536 + 4'096 + 192;

// Linux merges no more than that (UDP_GRO_CNT_MAX is 64; what came as one train stays one, and
// UDP_MAX_SEGMENTS is 128 since Linux 6.9).
constexpr size_t kMaxDatagramsPerBuffer = 128;

}  // namespace

struct DatagramBatch::Envelope {
  KernelAddress peer;
  alignas(cmsghdr) std::array<uint8_t, ReceiveControl::kMaxBytes> control;
};

DatagramBatch::DatagramBatch(size_t buffer_count)
    : memory_(std::make_unique_for_overwrite<uint8_t[]>(buffer_count * kStrideBytes)),
      envelopes_(std::make_unique<Envelope[]>(buffer_count)),
      buffers_(buffer_count),
      messages_(buffer_count),
      datagrams_(buffer_count * kMaxDatagramsPerBuffer) {
  GODWIT_CHECK_GE(buffer_count, 1u);
  GODWIT_CHECK_LE(buffer_count, kMaxBufferCount);
  for (size_t i = 0; i < buffer_count; ++i) {
    buffers_[i] = {.iov_base = memory_.get() + i * kStrideBytes, .iov_len = kBufferBytes};
    messages_[i].msg_hdr.msg_iov = &buffers_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &envelopes_[i].peer;
    messages_[i].msg_hdr.msg_control = envelopes_[i].control.data();
  }
}

DatagramBatch::~DatagramBatch() = default;
DatagramBatch::DatagramBatch(DatagramBatch&&) noexcept = default;
DatagramBatch& DatagramBatch::operator=(DatagramBatch&&) noexcept = default;

std::span<mmsghdr> DatagramBatch::EmptyMessages() {
  datagram_count_ = 0;
  for (mmsghdr& message : messages_) {
    message.msg_hdr.msg_namelen = sizeof(KernelAddress);
    message.msg_hdr.msg_controllen = ReceiveControl::kMaxBytes;
    message.msg_hdr.msg_flags = 0;
    message.msg_len = 0;
  }
  return messages_;
}

bool DatagramBatch::Append(const mmsghdr& message, size_t segment_bytes,
                           const ReceivedDatagram& prototype) {
  const std::span<uint8_t> payload(static_cast<uint8_t*>(message.msg_hdr.msg_iov->iov_base),
                                   message.msg_len);
  // A datagram may be empty, and is one all the same.
  size_t begin = 0;
  do {
    if (datagram_count_ == datagrams_.size()) return false;
    const size_t bytes = std::min(segment_bytes, payload.size() - begin);
    ReceivedDatagram& datagram = datagrams_[datagram_count_++];
    datagram = prototype;
    datagram.payload = payload.subspan(begin, bytes);
    begin += bytes;
  } while (begin < payload.size());
  return true;
}

}  // namespace godwit
