// SPDX-License-Identifier: Apache-2.0
//
// Sends a file, with a bar that shows how far it got:
//
//   file_transfer receive CERTIFICATE.pem KEY.pem FOLDER [ADDRESS:PORT]
//   file_transfer send HOST PORT PIN FILE
//
// A connection carries one file on a stream: a line with its name and its size, then its bytes. The
// receiver ends its own side when it has stored them: that they have arrived does not say that. PIN
// is the hash of the receiver's public key (godwit/public_key_hash.h).
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "godwit/client.h"
#include "godwit/server.h"

namespace {

using godwit::ConnectionRef;
using godwit::StreamId;

constexpr uint64_t kRefused = 1;

class ProgressBar {
 public:
  void Show(uint64_t done, uint64_t total) {
    const int percent =
        total == 0
            ? 100
            : static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
    if (percent == shown_percent_) return;
    shown_percent_ = percent;
    const std::string bar(static_cast<size_t>(percent / 2), '#');
    std::fprintf(stderr, "\r[%-50s] %3d %%%s", bar.c_str(), percent, percent == 100 ? "\n" : "");
  }

 private:
  int shown_percent_ = -1;
};

// ---- Receiving ----

class Receiver final : public godwit::EventHandler {
 public:
  explicit Receiver(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    if (!stream.is_bidirectional() || stream.index() != 0) return;
    Incoming& incoming = incoming_[KeyOf(connection)];
    while (true) {
      std::span<const uint8_t> bytes;
      if (!connection.Peek(stream, {&bytes, 1}).ok() || bytes.empty()) return;
      if (!Take(incoming, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
        return Refuse(connection, stream);
      }
      if (!connection.Consume(stream, bytes.size()).ok()) return;
    }
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    OnStreamReadable(connection, stream);
    if (incoming_.contains(KeyOf(connection))) Store(connection, stream);
  }
  void OnClosed(ConnectionRef connection, const godwit::CloseReason&) override {
    Discard(connection);
  }

 private:
  using Key = std::pair<uint32_t, uint32_t>;
  struct Incoming {
    std::string head;
    std::filesystem::path path;
    uint64_t size = 0;
    uint64_t received = 0;
    std::ofstream file = {};
    ProgressBar bar = {};
  };

  static Key KeyOf(const ConnectionRef& connection) {
    return {connection.handle().slot, connection.handle().generation};
  }

  // False if the sender should stop.
  bool Take(Incoming& incoming, std::string_view bytes) {
    if (!incoming.file.is_open()) {
      const size_t line_end = bytes.find('\n');
      incoming.head += bytes.substr(0, line_end);
      if (incoming.head.size() > 1'024) return false;
      if (line_end == std::string_view::npos) return true;
      if (!Open(incoming)) return false;
      bytes.remove_prefix(line_end + 1);
    }
    incoming.received += bytes.size();
    if (incoming.received > incoming.size) return false;
    incoming.file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    incoming.bar.Show(incoming.received, incoming.size);
    return incoming.file.good();
  }

  // The name is a stranger's: it must not lead out of the folder, nor to what is there already.
  bool Open(Incoming& incoming) {
    const size_t space = incoming.head.rfind(' ');
    if (space == std::string::npos || space == 0 || incoming.head.front() == '.') return false;
    if (incoming.head.find_first_of("/\\") != std::string::npos) return false;
    const std::string_view size = std::string_view(incoming.head).substr(space + 1);
    const auto parsed = std::from_chars(size.data(), size.data() + size.size(), incoming.size);
    if (parsed.ec != std::errc() || parsed.ptr != size.data() + size.size()) return false;
    incoming.path = folder_ / incoming.head.substr(0, space);
    const std::string part = incoming.path.string() + ".part";
    if (std::filesystem::exists(incoming.path) || std::filesystem::exists(part)) return false;
    incoming.file.open(part, std::ios::binary);
    return incoming.file.is_open();
  }

  void Store(ConnectionRef& connection, StreamId stream) {
    Incoming& incoming = incoming_[KeyOf(connection)];
    incoming.file.flush();
    if (!incoming.file.is_open() || !incoming.file.good() || incoming.received != incoming.size) {
      return Refuse(connection, stream);
    }
    std::error_code failed;
    std::filesystem::rename(incoming.path.string() + ".part", incoming.path, failed);
    if (failed) return Refuse(connection, stream);
    std::printf("received %s, %llu bytes\n", incoming.path.filename().c_str(),
                static_cast<unsigned long long>(incoming.size));
    std::fflush(stdout);
    incoming_.erase(KeyOf(connection));
    static_cast<void>(connection.Finish(stream));
  }

  // What has come so far.
  void Discard(const ConnectionRef& connection) {
    const auto found = incoming_.find(KeyOf(connection));
    if (found == incoming_.end()) return;
    if (found->second.file.is_open()) {
      std::error_code ignored;
      std::filesystem::remove(found->second.path.string() + ".part", ignored);
    }
    incoming_.erase(found);
  }

  void Refuse(ConnectionRef& connection, StreamId stream) {
    Discard(connection);
    static_cast<void>(connection.StopSending(stream, kRefused));
    static_cast<void>(connection.Reset(stream, kRefused));
  }

  const std::filesystem::path folder_;
  std::map<Key, Incoming> incoming_;
};

int Receive(int argc, char** argv) {
  const auto address = godwit::SocketAddress::Parse(argc > 5 ? argv[5] : "[::]:4433");
  if (!address.has_value()) return std::fprintf(stderr, "%s is no ADDRESS:PORT\n", argv[5]), 2;
  godwit::ServerConfig config;
  config.tls.certificates = {{godwit::PemSource::File(argv[2]), godwit::PemSource::File(argv[3])}};
  config.tls.application_protocols = {"file-transfer"};
  config.socket.local = *address;
  auto server = godwit::Server::Create(
      config, [&](godwit::Loop&) { return std::make_unique<Receiver>(argv[4]); });
  if (!server.ok()) return std::fprintf(stderr, "%s\n", server.status().ToString().c_str()), 1;
  (*server)->Start();
  std::printf("listening on %s\n", (*server)->local_address().ToString().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  (*server)->Shutdown(godwit::Duration::Seconds(1));
  return 0;
}

// ---- Sending ----

class Sender final : public godwit::EventHandler {
 public:
  explicit Sender(const std::filesystem::path& path)
      : file_(path, std::ios::binary), size_(std::filesystem::file_size(path)) {
    unsent_ = path.filename().string() + " " + std::to_string(size_) + "\n";
    left_ = size_;
  }

  bool is_over = false, is_complete = false;

  void OnConnected(ConnectionRef connection) override {
    const auto stream = connection.OpenStream(godwit::StreamDirection::kBidirectional);
    if (stream.ok()) SendMore(connection, *stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    SendMore(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId) override {
    is_complete = true;
    static_cast<void>(connection.Close(0, ""));
  }
  void OnStreamReset(ConnectionRef connection, StreamId, uint64_t) override {
    static_cast<void>(connection.Close(0, ""));
  }
  void OnClosed(ConnectionRef, const godwit::CloseReason& reason) override {
    if (!is_complete) {
      std::fprintf(stderr, "\nthe file was not taken: %s %s\n",
                   std::string(ToString(reason.cause)).c_str(), reason.reason.c_str());
    }
    is_over = true;
  }

 private:
  void SendMore(ConnectionRef& connection, StreamId stream) {
    while (true) {
      const auto taken = connection.Write(stream, unsent_);
      if (!taken.ok()) return;
      unsent_.erase(0, *taken);
      if (!unsent_.empty()) return;  // OnStreamWritable() follows.
      bar_.Show(size_ - left_, size_);
      if (left_ == 0) return static_cast<void>(connection.Finish(stream));
      unsent_.resize(std::min<uint64_t>(65'536, left_));
      if (!file_.read(unsent_.data(), static_cast<std::streamsize>(unsent_.size()))) {
        return static_cast<void>(connection.Reset(stream, kRefused));
      }
      left_ -= unsent_.size();
    }
  }

  std::ifstream file_;
  const uint64_t size_;
  uint64_t left_ = 0;
  std::string unsent_;
  ProgressBar bar_;
};

int Send(char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argv[4]);
  if (!pin.has_value()) return std::fprintf(stderr, "PIN must be 64 hexadecimal digits\n"), 2;
  if (!std::filesystem::is_regular_file(argv[5])) {
    return std::fprintf(stderr, "%s is no file\n", argv[5]), 2;
  }
  godwit::ClientConfig config;
  config.tls.application_protocols = {"file-transfer"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  Sender sender(argv[5]);
  auto client = godwit::Client::Create(config, &sender);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  (*client)->Dial(argv[2], static_cast<uint16_t>(std::atoi(argv[3])), [&](auto connection) {
    if (connection.ok()) return;
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    sender.is_over = true;
  });
  while (!sender.is_over) (*client)->RunOnce(godwit::Timestamp::Infinite());
  return sender.is_complete ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "receive" && (argc == 5 || argc == 6)) return Receive(argc, argv);
  if (mode == "send" && argc == 6) return Send(argv);
  std::fprintf(stderr,
               "usage: %s receive CERTIFICATE.pem KEY.pem FOLDER [ADDRESS:PORT]\n"
               "       %s send HOST PORT PIN FILE\n",
               argv[0], argv[0]);
  return 2;
}
