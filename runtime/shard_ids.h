// SPDX-License-Identifier: Apache-2.0
//
// ShardIds: connection ids whose first byte says, modulo the number of shards, which shard issued
// them; and the same rule read from a packet. The kernel's steering (UdpSocket) goes by it too.
// RFC 9000 §5.1: nobody can link two ids of a connection by it beyond that they belong to the same
// shard.
#ifndef GODWIT_RUNTIME_SHARD_IDS_H_
#define GODWIT_RUNTIME_SHARD_IDS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "godwit/connection_id.h"
#include "godwit/connection_id_generator.h"
#include "godwit/random.h"

namespace godwit {

struct ShardPosition {
  uint32_t index = 0;
  uint32_t count = 1;  // 1 to 256.
};

class ShardIds final : public ConnectionIdGenerator {
 public:
  static constexpr size_t kSizeBytes = 8;

  // `random` outlives this.
  ShardIds(ShardPosition shard, Random* random) : shard_(shard), random_(*random) {}

  size_t size_bytes() const override { return kSizeBytes; }
  ConnectionId Generate() override;

 private:
  const ShardPosition shard_;
  Random& random_;
};

// To which shard a datagram belongs. Those without an id: to the first.
uint32_t ShardOf(std::span<const uint8_t> datagram, uint32_t shard_count);

}  // namespace godwit

#endif  // GODWIT_RUNTIME_SHARD_IDS_H_
