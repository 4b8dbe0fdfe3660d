// SPDX-License-Identifier: Apache-2.0
//
// The same as echo_client, as a coroutine:
//
//   coroutine_echo_client HOST PORT PIN TEXT
//
// PIN is the hash of the server's public key; include/godwit/public_key_hash.h says how to get it.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "godwit/coroutine.h"

using godwit::CoroutineClient;
using godwit::Task;

Task<absl::Status> Print(godwit::CoroutineStream stream) {
  std::array<uint8_t, 4096> text;
  for (;;) {
    const auto bytes = co_await stream.Read(text);
    if (!bytes.ok() || *bytes == 0) co_return bytes.status();
    std::fwrite(text.data(), 1, *bytes, stdout);
  }
}

Task<absl::Status> Echo(CoroutineClient& client, std::string host, uint16_t port,
                        std::string text) {
  const auto connection =
      co_await client.Within(godwit::Duration::Seconds(10), client.Dial(host, port));
  if (!connection.ok()) co_return connection.status();
  const auto stream = co_await connection->OpenStream(godwit::StreamDirection::kBidirectional);
  if (!stream.ok()) co_return stream.status();
  // Beside writing, not after it: a long text comes back before all of it is written.
  auto printing = client.Start(Print(*stream));
  absl::Status status = co_await stream->Write(text);
  if (status.ok()) status = stream->Finish();
  if (status.ok()) status = co_await std::move(printing).Join();
  co_return status;
}

int main(int argc, char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argc == 5 ? argv[3] : "");
  if (!pin.has_value()) return std::fprintf(stderr, "usage: %s HOST PORT PIN TEXT\n", argv[0]), 2;
  godwit::ClientConfig config;
  config.tls.application_protocols = {"echo"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  auto client = CoroutineClient::Create(config);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  const absl::Status status =
      (*client)->Run(Echo(**client, argv[1], static_cast<uint16_t>(std::atoi(argv[2])), argv[4]));
  (*client)->client().Shutdown(godwit::Duration::Seconds(1));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
