// SPDX-License-Identifier: Apache-2.0
//
// The same as echo_server, as coroutines:
//
//   coroutine_echo_server CERTIFICATE.pem KEY.pem [ADDRESS:PORT]
//
// Prints "listening on ADDRESS:PORT" and ends at the end of its standard input.
#include <array>
#include <cstdio>
#include <utility>

#include "godwit/coroutine.h"

using godwit::CoroutineShard;
using godwit::Task;

// A stream that is not finished ends with its handle: the peer sees that it was given up.
Task<> Echo(godwit::CoroutineStream stream) {
  std::array<uint8_t, 16'384> bytes;
  for (;;) {
    const auto read = co_await stream.Read(bytes);
    if (!read.ok()) co_return;
    if (*read == 0) break;
    const absl::Status written = co_await stream.Write(std::span(bytes).first(*read));
    if (!written.ok()) co_return;
  }
  static_cast<void>(stream.Finish());
}

Task<> Serve(CoroutineShard& shard, godwit::CoroutineConnection connection) {
  for (;;) {
    auto stream = co_await connection.AcceptStream();
    if (!stream.ok()) co_return;  // The connection is closed.
    shard.Spawn(Echo(*std::move(stream)));
  }
}

Task<> Accept(CoroutineShard& shard) {
  for (;;) shard.Spawn(Serve(shard, co_await shard.Accept()));
}

int main(int argc, char** argv) {
  const auto address = godwit::SocketAddress::Parse(argc > 3 ? argv[3] : "[::]:4433");
  if (argc < 3 || !address.has_value())
    return std::fprintf(stderr, "usage: %s CERTIFICATE.pem KEY.pem [ADDRESS:PORT]\n", argv[0]), 2;
  godwit::ServerConfig config;
  config.tls.certificates = {{godwit::PemSource::File(argv[1]), godwit::PemSource::File(argv[2])}};
  config.tls.application_protocols = {"echo"};
  config.socket.local = *address;
  auto server = godwit::Server::Create(config, CoroutineShard::Handlers(Accept));
  if (!server.ok()) return std::fprintf(stderr, "%s\n", server.status().ToString().c_str()), 1;
  (*server)->Start();
  std::printf("listening on %s\n", (*server)->local_address().ToString().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  (*server)->Shutdown(godwit::Duration::Seconds(1));
}
