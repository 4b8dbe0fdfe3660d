// SPDX-License-Identifier: Apache-2.0
//
// PacketRing: the memory in which the kernel lays the frames that come to a packet socket, each
// with the time when it came (PACKET_RX_RING, TPACKET_V2). Unlike a receive buffer its size is not
// limited for ordinary users, and reading from it takes no system call.
#ifndef GODWIT_BENCH_EMULATOR_PACKET_RING_H_
#define GODWIT_BENCH_EMULATOR_PACKET_RING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/statusor.h"

#include "godwit/time.h"

namespace godwit {

class PacketRing {
 public:
  struct Frame {
    std::span<const uint8_t> bytes;
    Duration realtime;  // When it came, on the wall clock.
    bool is_whole;
  };

  // `fd` is a packet socket without a ring; frames of up to `frame_bytes` fit.
  static absl::StatusOr<PacketRing> Create(int fd, size_t frame_bytes);

  ~PacketRing();
  PacketRing(PacketRing&& other) noexcept
      : memory_(std::exchange(other.memory_, {})),
        slot_bytes_(other.slot_bytes_),
        next_(other.next_) {}
  PacketRing& operator=(PacketRing&& other) = delete;

  // The oldest frame, if there is one. It stays until Release().
  std::optional<Frame> Next() const;
  void Release();

 private:
  PacketRing(std::span<uint8_t> memory, size_t slot_bytes)
      : memory_(memory), slot_bytes_(slot_bytes) {}

  std::span<uint8_t> memory_;
  size_t slot_bytes_;
  size_t next_ = 0;  // In slots.
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_PACKET_RING_H_
