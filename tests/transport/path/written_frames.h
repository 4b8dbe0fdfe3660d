// SPDX-License-Identifier: Apache-2.0
//
// WriteInPacket: lets a part write into a packet, and reads back from the bytes what it wrote. All
// frames must be of one kind.
#ifndef GODWIT_TESTS_TRANSPORT_PATH_WRITTEN_FRAMES_H_
#define GODWIT_TESTS_TRANSPORT_PATH_WRITTEN_FRAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "godwit/perspective.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {

struct PacketRoom {
  PacketMode mode = PacketMode::kNormal;
  size_t bytes = 1200;
};

template <typename F, typename Part>
std::vector<F> WriteInPacket(Part& part, uint64_t packet_number, const PacketRoom& room = {}) {
  std::array<uint8_t, 1200> bytes;
  FrameWriter writer(std::span<uint8_t>(bytes).first(room.bytes),
                     {.level = EncryptionLevel::kOneRtt,
                      .mode = room.mode,
                      .number = PacketNumber(packet_number)});
  part.WriteFrames(writer);
  std::vector<F> frames;
  if (!writer.has_frames()) return frames;
  FrameDecoder decoder(std::span<uint8_t>(bytes).first(writer.frames_size()), writer.level(),
                       Perspective::kServer);
  while (!decoder.is_done()) {
    Frame frame;
    GODWIT_CHECK(decoder.Next(&frame).ok());
    frames.push_back(frame.As<F>());
  }
  GODWIT_CHECK_EQ(frames.size(), writer.sent_frames().size());
  return frames;
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_PATH_WRITTEN_FRAMES_H_
