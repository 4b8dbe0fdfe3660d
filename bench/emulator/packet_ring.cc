// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/packet_ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "absl/status/status.h"

namespace godwit {
namespace {

// A fifth of a second of a 200 Mbit/s link, should the machine leave us waiting; fewer of the slots
// for larger frames.
constexpr size_t kMostSlots = 4'096;
constexpr size_t kMostBytes = 32 << 20;
// The kernel allocates so much at a time, or what a slot takes.
constexpr size_t kBlockBytes = 64 << 10;
// What the kernel puts before a frame.
constexpr size_t kSlotHeaderBytes = 128;
static_assert(TPACKET2_HDRLEN + 16 <= kSlotHeaderBytes);

tpacket2_hdr* HeaderOf(std::span<uint8_t> slot) {
  return reinterpret_cast<tpacket2_hdr*>(slot.data());
}

}  // namespace

absl::StatusOr<PacketRing> PacketRing::Create(int fd, size_t frame_bytes) {
  const int version = TPACKET_V2;
  const size_t slot_bytes = std::bit_ceil(frame_bytes + kSlotHeaderBytes);
  const size_t block_bytes = std::max(kBlockBytes, slot_bytes);
  const size_t slots = std::min(kMostSlots, kMostBytes / slot_bytes);
  const tpacket_req request = {
      .tp_block_size = static_cast<unsigned>(block_bytes),
      .tp_block_nr = static_cast<unsigned>(slots * slot_bytes / block_bytes),
      .tp_frame_size = static_cast<unsigned>(slot_bytes),
      .tp_frame_nr = static_cast<unsigned>(slots),
  };
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a ring for received packets");
  }
  const size_t bytes = slots * slot_bytes;
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "cannot map the ring for received packets");
  }
  return PacketRing({static_cast<uint8_t*>(memory), bytes}, slot_bytes);
}

PacketRing::~PacketRing() {
  if (!memory_.empty()) munmap(memory_.data(), memory_.size());
}

std::optional<PacketRing::Frame> PacketRing::Next() const {
  const std::span<uint8_t> slot = memory_.subspan(next_ * slot_bytes_, slot_bytes_);
  const tpacket2_hdr* const header = HeaderOf(slot);
  if ((__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) {
    return std::nullopt;
  }
  return Frame{
      .bytes = slot.subspan(header->tp_mac, header->tp_snaplen),
      .realtime = Duration::Seconds(header->tp_sec) + Duration::Nanoseconds(header->tp_nsec),
      .is_whole = header->tp_snaplen == header->tp_len};
}

void PacketRing::Release() {
  tpacket2_hdr* const header = HeaderOf(memory_.subspan(next_ * slot_bytes_, slot_bytes_));
  __atomic_store_n(&header->tp_status, uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
  next_ = (next_ + 1) % (memory_.size() / slot_bytes_);
}

}  // namespace godwit
