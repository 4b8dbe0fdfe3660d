// SPDX-License-Identifier: Apache-2.0
//
// Gets files over hq-interop (see hq_server.cc), all at once on one connection. Believes any
// server: it is for tests.
//
//   hq_client HOST PORT FOLDER NAME...
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "godwit/client.h"

namespace godwit {
namespace {

class HqHandler final : public EventHandler {
 public:
  HqHandler(std::string folder, std::vector<std::string> names)
      : folder_(std::move(folder)), names_(std::move(names)) {}

  void SetClient(Client* client) { client_ = client; }
  bool is_done() const { return is_done_; }

  void OnConnected(ConnectionRef connection) override { RequestMore(connection); }
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection) override {
    RequestMore(connection);
  }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    ReadAnswer(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    ReadAnswer(connection, stream);
  }
  void OnStreamReset(ConnectionRef, StreamId stream, uint64_t error_code) override {
    Fail("stream " + std::to_string(stream.value()) + " was reset with code " +
         std::to_string(error_code));
  }
  void OnClosed(ConnectionRef, const CloseReason& reason) override {
    if (!is_done_) Fail("closed: " + std::string(ToString(reason.cause)) + ", " + reason.reason);
    client_->Stop();
  }
  void Fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    client_->Stop();
  }

 private:
  void RequestMore(ConnectionRef& connection) {
    while (requested_ < names_.size()) {
      const auto stream = connection.OpenStream(StreamDirection::kBidirectional);
      if (!stream.ok()) return;  // OnStreamsAvailable() follows.
      const std::string& name = names_[requested_++];
      const auto written = connection.Write(*stream, "GET /" + name + "\r\n");
      if (!written.ok() || !connection.Finish(*stream).ok()) return Fail("cannot send");
      files_[stream->value()].open(folder_ + "/" + name, std::ios::binary);
    }
  }

  void ReadAnswer(ConnectionRef& connection, StreamId stream) {
    const auto file = files_.find(stream.value());
    if (file == files_.end()) return;
    std::vector<uint8_t> bytes(1 << 20);
    while (true) {
      const auto read = connection.Read(stream, bytes);
      if (!read.ok()) return Fail(std::string(read.status().message()));
      file->second.write(reinterpret_cast<const char*>(bytes.data()),
                         static_cast<std::streamsize>(read->bytes));
      if (read->is_end) break;
      if (read->bytes == 0) return;
    }
    files_.erase(file);
    if (!files_.empty() || requested_ < names_.size()) return;
    is_done_ = true;
    static_cast<void>(connection.Close(0, ""));
  }

  const std::string folder_;
  const std::vector<std::string> names_;
  Client* client_ = nullptr;
  size_t requested_ = 0;
  std::map<uint64_t, std::ofstream> files_;
  bool is_done_ = false;
};

int Main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s HOST PORT FOLDER NAME...\n", argv[0]);
    return 2;
  }
  ClientConfig config;
  config.tls.application_protocols = {"hq-interop"};
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  HqHandler handler(argv[3], {argv + 4, argv + argc});
  auto client = Client::Create(config, &handler);
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", std::string(client.status().message()).c_str());
    return 1;
  }
  handler.SetClient(client->get());
  (*client)->Dial(argv[1], static_cast<uint16_t>(std::atoi(argv[2])),
                  [&handler](absl::StatusOr<ConnectionRef> connection) {
                    if (!connection.ok()) {
                      handler.Fail(std::string(connection.status().message()));
                    }
                  });
  (*client)->Run();
  return handler.is_done() ? 0 : 1;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) { return godwit::Main(argc, argv); }
