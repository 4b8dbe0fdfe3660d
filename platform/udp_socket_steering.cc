// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_steering.h"

#include <cstdint>

#include "base/check.h"

namespace godwit {

SteeringProgram ReusePortSteeringProgram(size_t shard_count) {
  GODWIT_CHECK_GE(shard_count, 1u);
  GODWIT_CHECK_LE(shard_count, kMaxSteeredShards);
  const auto divisor = static_cast<uint32_t>(shard_count);
  return {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 2),
      // RFC 8999 §5.1: long header: first byte, version (4), length of the id, the id.
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      BPF_STMT(BPF_JMP | BPF_JA, 1),
      // RFC 8999 §5.2: short header: first byte, the id.
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, divisor),
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
}

}  // namespace godwit
