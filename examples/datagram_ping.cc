// SPDX-License-Identifier: Apache-2.0
//
// Measures a path with datagrams, which get lost as packets do (RFC 9221):
//
//   datagram_ping serve CERTIFICATE.pem KEY.pem [ADDRESS:PORT]
//   datagram_ping ping HOST PORT PIN [COUNT] [INTERVAL_MS]
//
// PIN is the hash of the server's public key (godwit/public_key_hash.h).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "godwit/client.h"
#include "godwit/server.h"

namespace {

using godwit::ConnectionRef;
using godwit::Duration;
using godwit::Timestamp;

class Answerer final : public godwit::EventHandler {
  void OnDatagram(ConnectionRef connection) override {
    while (const auto payload = connection.PeekDatagram()) {
      // Best effort: what finds the queue full is lost, as on the way.
      const auto sent = connection.SendDatagram(std::string(payload->begin(), payload->end()));
      static_cast<void>(sent);
      connection.PopDatagram();
    }
  }
};

int Serve(int argc, char** argv) {
  const auto address = godwit::SocketAddress::Parse(argc > 4 ? argv[4] : "[::]:4433");
  if (!address.has_value()) return std::fprintf(stderr, "%s is no ADDRESS:PORT\n", argv[4]), 2;
  godwit::ServerConfig config;
  config.tls.certificates = {{godwit::PemSource::File(argv[2]), godwit::PemSource::File(argv[3])}};
  config.tls.application_protocols = {"ping"};
  config.socket.local = *address;
  auto server =
      godwit::Server::Create(config, [](godwit::Loop&) { return std::make_unique<Answerer>(); });
  if (!server.ok()) return std::fprintf(stderr, "%s\n", server.status().ToString().c_str()), 1;
  (*server)->Start();
  std::printf("listening on %s\n", (*server)->local_address().ToString().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  (*server)->Shutdown(Duration::Zero());
  return 0;
}

class Pinger final : public godwit::EventHandler {
 public:
  Pinger(uint64_t count, Duration interval) : count_(count), interval_(interval) {}

  void SetLoop(godwit::Loop* loop) { loop_ = loop; }
  bool is_over = false;
  uint64_t sent_count = 0, answer_count = 0;

  void OnConnected(ConnectionRef connection) override { Ping(connection); }
  void OnDatagram(ConnectionRef connection) override {
    while (const auto payload = connection.PeekDatagram()) {
      uint64_t number = 0;
      if (payload->size() == sizeof(number)) {
        std::memcpy(&number, payload->data(), sizeof(number));
        OnAnswer(number);
      }
      connection.PopDatagram();
    }
    if (sent_count == count_ && waiting_.empty()) static_cast<void>(connection.Close(0, ""));
  }
  void OnClosed(ConnectionRef, const godwit::CloseReason&) override { is_over = true; }

 private:
  void Ping(ConnectionRef connection) {
    if (sent_count == count_) {
      static_cast<void>(connection.Close(0, ""));
      return;
    }
    uint8_t payload[sizeof(sent_count)];
    std::memcpy(payload, &sent_count, sizeof(payload));
    if (const auto sent = connection.SendDatagram(payload); !sent.ok()) {
      std::fprintf(stderr, "%s\n", sent.status().ToString().c_str());
      static_cast<void>(connection.Close(0, ""));
      return;
    }
    waiting_[sent_count++] = loop_->now();
    // After the last one, a second for late answers.
    const Duration pause = sent_count == count_ ? Duration::Seconds(1) : interval_;
    loop_->CallAt(loop_->now() + pause, [this, connection] { Ping(connection); });
  }

  void OnAnswer(uint64_t number) {
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return;
    std::printf("answer %llu after %.3f ms\n", static_cast<unsigned long long>(number),
                1e3 * (loop_->now() - found->second).ToSecondsDouble());
    waiting_.erase(found);
    ++answer_count;
  }

  const uint64_t count_;
  const Duration interval_;
  godwit::Loop* loop_ = nullptr;
  std::map<uint64_t, Timestamp> waiting_;
};

int Ping(int argc, char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argv[4]);
  if (!pin.has_value()) return std::fprintf(stderr, "PIN must be 64 hexadecimal digits\n"), 2;
  godwit::ClientConfig config;
  config.tls.application_protocols = {"ping"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  Pinger pinger(argc > 5 ? static_cast<uint64_t>(std::atoll(argv[5])) : 5,
                Duration::Milliseconds(argc > 6 ? std::atoll(argv[6]) : 1'000));
  auto client = godwit::Client::Create(config, &pinger);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  pinger.SetLoop(&(*client)->loop());
  (*client)->Dial(argv[2], static_cast<uint16_t>(std::atoi(argv[3])), [&](auto connection) {
    if (connection.ok()) return;
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    pinger.is_over = true;
  });
  while (!pinger.is_over) (*client)->RunOnce(Timestamp::Infinite());
  std::printf("%llu sent, %llu answered\n", static_cast<unsigned long long>(pinger.sent_count),
              static_cast<unsigned long long>(pinger.answer_count));
  return pinger.answer_count > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "serve" && (argc == 4 || argc == 5)) return Serve(argc, argv);
  if (mode == "ping" && argc >= 5 && argc <= 7) return Ping(argc, argv);
  std::fprintf(stderr,
               "usage: %s serve CERTIFICATE.pem KEY.pem [ADDRESS:PORT]\n"
               "       %s ping HOST PORT PIN [COUNT] [INTERVAL_MS]\n",
               argv[0], argv[0]);
  return 2;
}
