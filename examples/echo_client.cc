// SPDX-License-Identifier: Apache-2.0
//
// Sends a text to echo_server and prints what comes back:
//
//   echo_client HOST PORT PIN TEXT
//
// PIN is the hash of the server's public key; include/godwit/public_key_hash.h says how to get it.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "godwit/client.h"

class Echoed final : public godwit::EventHandler {
 public:
  explicit Echoed(std::string text) : text_(std::move(text)) {}
  bool is_over = false, is_complete = false;

 private:
  void OnConnected(godwit::ConnectionRef connection) override {
    const auto stream = connection.OpenStream(godwit::StreamDirection::kBidirectional);
    // So short a text is taken whole: file_transfer.cc has what to do with more.
    if (!stream.ok() || !connection.Write(*stream, text_).ok() || !connection.Finish(*stream).ok())
      static_cast<void>(connection.Close(1, "cannot write"));
  }
  void OnStreamReadable(godwit::ConnectionRef connection, godwit::StreamId stream) override {
    uint8_t bytes[4096];
    for (auto read = connection.Read(stream, bytes); read.ok();
         read = connection.Read(stream, bytes)) {
      std::fwrite(bytes, 1, read->bytes, stdout);
      if ((is_complete = read->is_end)) static_cast<void>(connection.Close(0, ""));
      if (read->bytes == 0) return;
    }
  }
  void OnStreamFinished(godwit::ConnectionRef connection, godwit::StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
  void OnClosed(godwit::ConnectionRef, const godwit::CloseReason&) override { is_over = true; }
  const std::string text_;
};

int main(int argc, char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argc == 5 ? argv[3] : "");
  if (!pin.has_value()) return std::fprintf(stderr, "usage: %s HOST PORT PIN TEXT\n", argv[0]), 2;
  godwit::ClientConfig config;
  config.tls.application_protocols = {"echo"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  Echoed handler(argv[4]);
  auto client = godwit::Client::Create(config, &handler);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  (*client)->Dial(argv[1], static_cast<uint16_t>(std::atoi(argv[2])), [&](auto connection) {
    if (connection.ok()) return;
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    handler.is_over = true;
  });
  while (!handler.is_over) (*client)->RunOnce(godwit::Timestamp::Infinite());
  return handler.is_complete ? 0 : 1;
}
