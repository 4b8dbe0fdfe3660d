// SPDX-License-Identifier: Apache-2.0
//
// godwit inside of a loop that is there already: here poll(2) over the standard input, whose lines
// go to echo_server, and over the client.
//
//   foreign_poll_loop HOST PORT PIN
//
// PIN is the hash of the server's public key (godwit/public_key_hash.h).
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "godwit/client.h"

namespace {

using godwit::ConnectionRef;
using godwit::Duration;
using godwit::StreamId;
using godwit::Timestamp;

class Lines final : public godwit::EventHandler {
 public:
  bool is_over = false, is_complete = false;
  bool wants_input() const { return stream_.has_value() && !has_ended_ && unsent_.empty(); }

  void Send(std::string text) {
    unsent_ += text;
    SendMore();
  }
  void End() {
    has_ended_ = true;
    SendMore();
  }

  void OnConnected(ConnectionRef connection) override {
    connection_ = connection;
    const auto stream = connection.OpenStream(godwit::StreamDirection::kBidirectional);
    if (stream.ok()) stream_ = *stream;
  }
  void OnStreamWritable(ConnectionRef, StreamId) override { SendMore(); }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    uint8_t bytes[4'096];
    while (true) {
      const auto read = connection.Read(stream, bytes);
      if (!read.ok()) return;
      std::fwrite(bytes, 1, read->bytes, stdout);
      std::fflush(stdout);
      if (read->is_end) {
        is_complete = true;
        return static_cast<void>(connection.Close(0, ""));
      }
      if (read->bytes == 0) return;
    }
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
  void OnClosed(ConnectionRef, const godwit::CloseReason&) override { is_over = true; }

 private:
  void SendMore() {
    const auto taken = connection_.Write(*stream_, unsent_);
    if (!taken.ok()) return;
    unsent_.erase(0, *taken);
    if (unsent_.empty() && has_ended_) static_cast<void>(connection_.Finish(*stream_));
  }

  ConnectionRef connection_;
  std::optional<StreamId> stream_;
  std::string unsent_;
  bool has_ended_ = false;
};

// For poll(): milliseconds, rounded up, -1 for ever.
int TimeoutUntil(Timestamp wakeup) {
  if (wakeup == Timestamp::Infinite()) return -1;
  const Duration wait =
      std::clamp(wakeup - godwit::Loop::Now(), Duration::Zero(), Duration::Seconds(3'600));
  return static_cast<int>((wait + Duration::Nanoseconds(999'999)).ToMilliseconds());
}

}  // namespace

int main(int argc, char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argc == 4 ? argv[3] : "");
  if (!pin.has_value()) return std::fprintf(stderr, "usage: %s HOST PORT PIN\n", argv[0]), 2;
  godwit::ClientConfig config;
  config.tls.application_protocols = {"echo"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  Lines lines;
  auto client = godwit::Client::Create(config, &lines);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  (*client)->Dial(argv[1], static_cast<uint16_t>(std::atoi(argv[2])), [&](auto connection) {
    if (connection.ok()) return;
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    lines.is_over = true;
  });

  while (!lines.is_over) {
    // A negative descriptor is left out by poll(): input waits until it can be sent.
    pollfd fds[] = {
        {.fd = (*client)->fd(), .events = POLLIN, .revents = 0},
        {.fd = lines.wants_input() ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
    poll(fds, 2, TimeoutUntil((*client)->NextWakeup()));
    if (fds[1].revents != 0) {
      char text[4'096];
      const ssize_t size = read(STDIN_FILENO, text, sizeof(text));
      if (size > 0) lines.Send(std::string(text, static_cast<size_t>(size)));
      if (size == 0) lines.End();
    }
    (*client)->RunOnce(Timestamp::InfinitePast());
  }
  return lines.is_complete ? 0 : 1;
}
