// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime_doors/blocking_pair.h"

#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

template <typename T>
T Take(absl::StatusOr<T> result) {
  GODWIT_CHECK(result.ok());
  return *std::move(result);
}

}  // namespace

BlockingPair::BlockingPair(const ServerConfig& server_config, const ClientConfig& client_config)
    : listener(Take(BlockingListener::Listen(server_config))),
      client(Take(BlockingClient::Create(client_config))),
      client_side(Take(client->Dial("127.0.0.1", listener->local_address().port()))),
      server_side(Take(listener->Accept())) {}

BlockingStreamPair::BlockingStreamPair(BlockingPair& pair, StreamDirection direction)
    : client_side(Take(pair.client_side.OpenStream(direction))) {
  GODWIT_CHECK(client_side.Write("!").ok());
  server_side = Take(pair.server_side.AcceptStream());
  uint8_t byte[1];
  GODWIT_CHECK_EQ(Take(server_side.Read(byte)), 1u);
}

std::string PatternOf(size_t byte_count) {
  std::string pattern(byte_count, '\0');
  for (size_t i = 0; i < byte_count; ++i) {
    pattern[i] = static_cast<char>((i * 2'654'435'761u) >> 13);
  }
  return pattern;
}

ReadAllResult ReadAll(BlockingStream stream) {
  ReadAllResult result;
  std::vector<uint8_t> buffer(100'000);
  while (true) {
    const absl::StatusOr<size_t> bytes = stream.Read(buffer);
    if (!bytes.ok() || *bytes == 0) {
      result.status = bytes.status();
      return result;
    }
    result.bytes.append(reinterpret_cast<const char*>(buffer.data()), *bytes);
  }
}

}  // namespace godwit
