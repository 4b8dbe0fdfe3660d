// SPDX-License-Identifier: Apache-2.0
//
// PathPacket: a packet into which a part of transport/path writes, and what it wrote, read back
// from the bytes. Knows PATH_CHALLENGE, PATH_RESPONSE and PING, which are all that these parts
// write.
#ifndef GODWIT_TESTS_TRANSPORT_PATH_PATH_PACKET_H_
#define GODWIT_TESTS_TRANSPORT_PATH_PATH_PACKET_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame.h"

namespace godwit {

class PathPacket {
 public:
  static constexpr size_t kRoom = 1'200;

  explicit PathPacket(uint64_t number = 0, PacketMode mode = PacketMode::kNormal,
                      size_t room = kRoom)
      : writer_(std::span(room_).first(room),
                {.level = EncryptionLevel::kOneRtt, .mode = mode, .number = PacketNumber(number)}) {
  }

  FrameWriter& writer() { return writer_; }

  struct Content {
    std::vector<PathChallengeData> challenges;
    std::vector<PathChallengeData> responses;
    size_t ping_count = 0;
  };
  Content Read() const {
    Content content;
    size_t i = 0;
    while (i < writer_.frames_size()) {
      const uint8_t type = room_[i++];
      if (type == 0x01) {
        ++content.ping_count;
        continue;
      }
      GODWIT_CHECK(type == 0x1a || type == 0x1b);
      PathChallengeData data;
      std::copy_n(room_.begin() + i, data.size(), data.begin());
      i += data.size();
      (type == 0x1a ? content.challenges : content.responses).push_back(data);
    }
    return content;
  }

 private:
  std::array<uint8_t, kRoom> room_ = {};
  FrameWriter writer_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_PATH_PATH_PACKET_H_
