// SPDX-License-Identifier: Apache-2.0
//
// CoroutinePair: a server whose shards run a task that the test gives, a client on the test's
// thread, and a little of what tests do with streams.
#ifndef GODWIT_TESTS_RUNTIME_DOORS_COROUTINE_PAIR_H_
#define GODWIT_TESTS_RUNTIME_DOORS_COROUTINE_PAIR_H_

#include <functional>
#include <future>
#include <memory>
#include <string>

#include "godwit/coroutine.h"
#include "tests/runtime_doors/loopback_configs.h"

namespace godwit {

struct CoroutinePair {
  // Of one connection.
  using Serve = std::function<Task<>(CoroutineShard& shard, CoroutineConnection connection)>;

  explicit CoroutinePair(Serve serve, const ServerConfig& server_config = LoopbackServerConfig(),
                         const ClientConfig& client_config = LoopbackClientConfig());

  Task<CoroutineConnection> Dial();

  std::unique_ptr<Server> server;
  std::unique_ptr<CoroutineClient> client;
};

// Holds the connection until it is closed, and says why it was.
CoroutinePair::Serve Hold(std::shared_ptr<std::promise<absl::Status>> ended = nullptr);
// Sends back what comes on each stream of the peer's, to its end.
CoroutinePair::Serve Echo();
// Accepts one stream and gives it to `use`, with its shard; then holds it and the connection.
using UseStream = std::function<Task<>(CoroutineShard& shard, CoroutineStream stream)>;
CoroutinePair::Serve WithStream(UseStream use);

// Opens a bidirectional stream and writes one byte ("!"), so that the peer sees it.
Task<CoroutineStream> OpenSeen(CoroutineConnection connection);
// Reads that byte.
Task<> SkipMark(CoroutineStream stream);

struct CoroutineReadAll {
  std::string bytes;
  absl::Status status;  // OK at the stream's end.
};
Task<CoroutineReadAll> ReadAll(CoroutineStream stream);

// `byte_count` bytes that differ with their place.
std::string PatternText(size_t byte_count);

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_DOORS_COROUTINE_PAIR_H_
