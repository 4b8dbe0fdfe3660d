// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime_doors/coroutine_pair.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

Task<> AcceptAll(const CoroutinePair::Serve& serve, CoroutineShard& shard) {
  for (;;) {
    CoroutineConnection connection = co_await shard.Accept();
    shard.Spawn(serve(shard, std::move(connection)));
  }
}

Task<> EchoStream(CoroutineStream stream) {
  std::array<uint8_t, 16'384> bytes;
  for (;;) {
    const absl::StatusOr<size_t> read = co_await stream.Read(bytes);
    if (!read.ok()) co_return;
    if (*read == 0) break;
    const absl::Status written = co_await stream.Write(std::span(bytes).first(*read));
    if (!written.ok()) co_return;
  }
  static_cast<void>(stream.Finish());
}

Task<> EchoAll(CoroutineShard& shard, CoroutineConnection connection) {
  for (;;) {
    absl::StatusOr<CoroutineStream> stream = co_await connection.AcceptStream();
    if (!stream.ok()) co_return;
    shard.Spawn(EchoStream(*std::move(stream)));
  }
}

Task<> HoldUntilEnd(CoroutineConnection connection,
                    std::shared_ptr<std::promise<absl::Status>> ended) {
  absl::StatusOr<CoroutineStream> stream;
  do {
    stream = co_await connection.AcceptStream();
  } while (stream.ok());
  if (ended != nullptr) ended->set_value(stream.status());
}

Task<> UseOne(const UseStream& use, CoroutineShard& shard, CoroutineConnection connection) {
  absl::StatusOr<CoroutineStream> stream = co_await connection.AcceptStream();
  if (!stream.ok()) co_return;
  co_await use(shard, *stream);
  co_await HoldUntilEnd(connection, nullptr);
}

}  // namespace

CoroutinePair::CoroutinePair(Serve serve, const ServerConfig& server_config,
                             const ClientConfig& client_config) {
  auto made_server = Server::Create(
      server_config,
      CoroutineShard::Handlers([serve](CoroutineShard& shard) { return AcceptAll(serve, shard); }));
  GODWIT_CHECK(made_server.ok());
  server = *std::move(made_server);
  server->Start();
  auto made_client = CoroutineClient::Create(client_config);
  GODWIT_CHECK(made_client.ok());
  client = *std::move(made_client);
}

Task<CoroutineConnection> CoroutinePair::Dial() {
  auto connection = co_await client->Dial("127.0.0.1", server->local_address().port());
  GODWIT_CHECK(connection.ok());
  co_return *std::move(connection);
}

CoroutinePair::Serve Hold(std::shared_ptr<std::promise<absl::Status>> ended) {
  return [ended](CoroutineShard&, CoroutineConnection connection) {
    return HoldUntilEnd(std::move(connection), ended);
  };
}

CoroutinePair::Serve Echo() { return EchoAll; }

CoroutinePair::Serve WithStream(UseStream use) {
  return [use](CoroutineShard& shard, CoroutineConnection connection) {
    return UseOne(use, shard, std::move(connection));
  };
}

Task<CoroutineStream> OpenSeen(CoroutineConnection connection) {
  absl::StatusOr<CoroutineStream> stream =
      co_await connection.OpenStream(StreamDirection::kBidirectional);
  GODWIT_CHECK(stream.ok());
  const absl::Status written = co_await stream->Write("!");
  GODWIT_CHECK(written.ok());
  co_return *std::move(stream);
}

Task<> SkipMark(CoroutineStream stream) {
  std::array<uint8_t, 1> byte;
  const absl::StatusOr<size_t> read = co_await stream.Read(byte);
  GODWIT_CHECK(read.ok() && *read == 1);
}

Task<CoroutineReadAll> ReadAll(CoroutineStream stream) {
  CoroutineReadAll all;
  std::array<uint8_t, 16'384> bytes;
  for (;;) {
    const absl::StatusOr<size_t> read = co_await stream.Read(bytes);
    all.status = read.status();
    if (!read.ok() || *read == 0) break;
    all.bytes.append(reinterpret_cast<const char*>(bytes.data()), *read);
  }
  co_return all;
}

std::string PatternText(size_t byte_count) {
  std::string text(byte_count, '\0');
  for (size_t i = 0; i < byte_count; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

}  // namespace godwit
