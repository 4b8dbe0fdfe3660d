// SPDX-License-Identifier: Apache-2.0
//
// RandomConnectionIds: the ConnectionIdGenerator of an endpoint that was given none.
#ifndef GODWIT_TRANSPORT_ENDPOINT_RANDOM_CONNECTION_IDS_H_
#define GODWIT_TRANSPORT_ENDPOINT_RANDOM_CONNECTION_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/environment.h"
#include "godwit/connection_id.h"
#include "godwit/connection_id_generator.h"

namespace godwit {

// A random id of `size` bytes, at most 20.
inline ConnectionId MakeRandomConnectionId(size_t size, Random& random) {
  std::array<uint8_t, ConnectionId::kMaxSize> bytes;
  const std::span<uint8_t> used = std::span(bytes).first(size);
  random.Fill(used);
  return *ConnectionId::FromBytes(used);
}

class RandomConnectionIds final : public ConnectionIdGenerator {
 public:
  // 2^64 ids: with a million in use, guessing one that leads somewhere takes 10^13 attempts.
  static constexpr size_t kSize = 8;

  explicit RandomConnectionIds(Random& random) : random_(random) {}

  size_t size_bytes() const override { return kSize; }
  ConnectionId Generate() override { return MakeRandomConnectionId(kSize, random_); }

 private:
  Random& random_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_RANDOM_CONNECTION_IDS_H_
