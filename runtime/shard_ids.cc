// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_ids.h"

#include <array>

namespace godwit {

ConnectionId ShardIds::Generate() {
  std::array<uint8_t, kSizeBytes> bytes;
  random_.Fill(bytes);
  // All first bytes of this shard alike: 256 need not be a multiple of the count.
  const uint64_t rounds = (256 - shard_.index + shard_.count - 1) / shard_.count;
  bytes[0] = static_cast<uint8_t>(shard_.index + shard_.count * random_.UniformBelow(rounds));
  return *ConnectionId::FromBytes(bytes);
}

uint32_t ShardOf(std::span<const uint8_t> datagram, uint32_t shard_count) {
  // RFC 8999 §5.1, §5.2: the id stands at byte 1, or behind version and length.
  constexpr uint8_t kLongHeaderBit = 0x80;
  if (datagram.empty()) return 0;
  const bool is_long = (datagram[0] & kLongHeaderBit) != 0;
  const size_t position = is_long ? 6 : 1;
  if (datagram.size() <= position || (is_long && datagram[5] == 0)) return 0;
  return datagram[position] % shard_count;
}

}  // namespace godwit
