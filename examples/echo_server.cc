// SPDX-License-Identifier: Apache-2.0
//
// Sends back what it gets on each stream:
//
//   echo_server CERTIFICATE.pem KEY.pem [ADDRESS:PORT]
//
// Prints "listening on ADDRESS:PORT" and ends at the end of its standard input.
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "godwit/server.h"

class Echo final : public godwit::EventHandler {
  void OnStreamReadable(godwit::ConnectionRef connection, godwit::StreamId stream) override {
    // What cannot be written is left unread: so a peer that does not read is slowed down.
    while (true) {
      const auto state = connection.ReadState(stream);
      std::span<const uint8_t> bytes;
      if (!state.ok() || !connection.Peek(stream, {&bytes, 1}).ok()) return;  // It was reset.
      const auto taken = connection.Write(stream, bytes);
      if (!taken.ok()) return;
      const bool is_end = state->has_all_data && *taken == state->readable_bytes;
      if (!connection.Consume(stream, *taken).ok()) return;
      if (is_end) return static_cast<void>(connection.Finish(stream));
      if (*taken == 0 || *taken < bytes.size()) return;
    }
  }
  void OnStreamFinished(godwit::ConnectionRef connection, godwit::StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
  void OnStreamWritable(godwit::ConnectionRef connection, godwit::StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
};

int main(int argc, char** argv) {
  const auto address = godwit::SocketAddress::Parse(argc > 3 ? argv[3] : "[::]:4433");
  if (argc < 3 || !address.has_value()) {
    std::fprintf(stderr, "usage: %s CERTIFICATE.pem KEY.pem [ADDRESS:PORT]\n", argv[0]);
    return 2;
  }
  godwit::ServerConfig config;
  config.tls.certificates = {{godwit::PemSource::File(argv[1]), godwit::PemSource::File(argv[2])}};
  config.tls.application_protocols = {"echo"};
  config.socket.local = *address;
  auto server =
      godwit::Server::Create(config, [](godwit::Loop&) { return std::make_unique<Echo>(); });
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  (*server)->Start();
  std::printf("listening on %s\n", (*server)->local_address().ToString().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  (*server)->Shutdown(godwit::Duration::Seconds(1));
}
