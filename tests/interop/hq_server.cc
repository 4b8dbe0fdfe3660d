// SPDX-License-Identifier: Apache-2.0
//
// Serves files of a folder over hq-interop, the protocol by which QUIC stacks are tested with each
// other: a client sends "GET /name\r\n" on a bidirectional stream and gets the file's bytes.
//
//   hq_server CERTIFICATE.pem KEY.pem FOLDER [ADDRESS:PORT] [SHARDS]
//
// Prints "listening on ADDRESS:PORT" and ends at the end of its standard input.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "godwit/server.h"

namespace godwit {
namespace {

class HqHandler final : public EventHandler {
 public:
  explicit HqHandler(std::string folder) : folder_(std::move(folder)) {}

  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    ReadRequest(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    ReadRequest(connection, stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    const auto found = answers_.find(KeyOf(connection, stream));
    if (found != answers_.end()) SendMore(connection, stream, found->second);
  }
  void OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t) override {
    answers_.erase(KeyOf(connection, stream));
  }
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override {
    std::fprintf(stderr, "closed: %s, error %llu, %s\n",
                 std::string(ToString(reason.cause)).c_str(),
                 static_cast<unsigned long long>(reason.error_code), reason.reason.c_str());
    const Key first = {connection.handle().slot, connection.handle().generation, 0};
    const Key last = {connection.handle().slot, connection.handle().generation, ~uint64_t{0}};
    requests_.erase(requests_.lower_bound(first), requests_.upper_bound(last));
    answers_.erase(answers_.lower_bound(first), answers_.upper_bound(last));
  }

 private:
  using Key = std::tuple<uint32_t, uint32_t, uint64_t>;
  struct Answer {
    std::unique_ptr<std::ifstream> file;
    std::string unsent = {};
  };

  static Key KeyOf(const ConnectionRef& connection, StreamId stream) {
    return {connection.handle().slot, connection.handle().generation, stream.value()};
  }

  void ReadRequest(ConnectionRef& connection, StreamId stream) {
    uint8_t bytes[4'096];
    std::string& request = requests_[KeyOf(connection, stream)];
    const auto read = connection.Read(stream, bytes);
    if (!read.ok() || answers_.contains(KeyOf(connection, stream))) return;
    request.append(reinterpret_cast<const char*>(bytes), read->bytes);
    // Nothing new: what follows a request that was answered.
    if (request.empty()) return static_cast<void>(requests_.erase(KeyOf(connection, stream)));
    const size_t end = request.find_first_of("\r\n");
    if (end == std::string::npos && !read->is_end) return;
    const std::string line = request.substr(0, end);
    requests_.erase(KeyOf(connection, stream));
    const bool is_good = line.starts_with("GET /") && line.find("..") == std::string::npos;
    auto file = std::make_unique<std::ifstream>(folder_ + "/" + (is_good ? line.substr(5) : ""),
                                                std::ios::binary);
    if (!is_good || !*file) {
      static_cast<void>(connection.Reset(stream, 404));
      return;
    }
    Answer& answer = answers_[KeyOf(connection, stream)];
    answer.file = std::move(file);
    SendMore(connection, stream, answer);
  }

  void SendMore(ConnectionRef& connection, StreamId stream, Answer& answer) {
    while (true) {
      if (answer.unsent.empty()) {
        answer.unsent.resize(65'536);
        answer.file->read(answer.unsent.data(), static_cast<std::streamsize>(answer.unsent.size()));
        answer.unsent.resize(static_cast<size_t>(answer.file->gcount()));
        if (answer.unsent.empty()) {
          static_cast<void>(connection.Finish(stream));
          answers_.erase(KeyOf(connection, stream));
          return;
        }
      }
      const auto written = connection.Write(stream, answer.unsent);
      if (!written.ok()) return;
      answer.unsent.erase(0, *written);
      if (!answer.unsent.empty()) return;
    }
  }

  const std::string folder_;
  std::map<Key, std::string> requests_;
  std::map<Key, Answer> answers_;
};

int Main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s CERTIFICATE.pem KEY.pem FOLDER [ADDRESS:PORT] [SHARDS]\n",
                 argv[0]);
    return 2;
  }
  ServerConfig config;
  config.tls.certificates = {{PemSource::File(argv[1]), PemSource::File(argv[2])}};
  config.tls.application_protocols = {"hq-interop"};
  const auto address = SocketAddress::Parse(argc > 4 ? argv[4] : "[::]:0");
  if (!address.has_value()) {
    std::fprintf(stderr, "%s is no ADDRESS:PORT\n", argv[4]);
    return 2;
  }
  config.socket.local = *address;
  if (argc > 5) config.shards = static_cast<uint32_t>(std::atoi(argv[5]));
  const std::string folder = argv[3];
  auto server =
      Server::Create(config, [&folder](Loop&) { return std::make_unique<HqHandler>(folder); });
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  (*server)->Start();
  std::printf("listening on %s\n", (*server)->local_address().ToString().c_str());
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  (*server)->Shutdown(Duration::Zero());
  return 0;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) { return godwit::Main(argc, argv); }
