// SPDX-License-Identifier: Apache-2.0
//
// BlockingPair: a listener and a client on loopback with one connection between them, and a little
// of what tests do with streams.
#ifndef GODWIT_TESTS_RUNTIME_DOORS_BLOCKING_PAIR_H_
#define GODWIT_TESTS_RUNTIME_DOORS_BLOCKING_PAIR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "godwit/blocking.h"
#include "tests/runtime_doors/loopback_configs.h"

namespace godwit {

struct BlockingPair {
  explicit BlockingPair(const ServerConfig& server_config = LoopbackServerConfig(),
                        const ClientConfig& client_config = LoopbackClientConfig());

  // Optional to be ended by tests. The connections are the owners' that come first.
  std::optional<BlockingListener> listener;
  std::optional<BlockingClient> client;
  BlockingConnection client_side;
  BlockingConnection server_side;
};

struct BlockingStreamPair {
  // Opened by the client, which writes one byte ("!") so that the server sees it; that is read.
  explicit BlockingStreamPair(BlockingPair& pair,
                              StreamDirection direction = StreamDirection::kBidirectional);

  BlockingStream client_side;
  BlockingStream server_side;
};

// `byte_count` bytes that differ with their place.
std::string PatternOf(size_t byte_count);

struct ReadAllResult {
  std::string bytes;
  absl::Status status;  // OK at the stream's end.
};
ReadAllResult ReadAll(BlockingStream stream);

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_DOORS_BLOCKING_PAIR_H_
