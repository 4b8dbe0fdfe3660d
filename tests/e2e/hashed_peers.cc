// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/hashed_peers.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "platform/monotonic_clock.h"
#include "platform/udp_socket.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

constexpr char kProtocol[] = "hashed";
constexpr uint64_t kWrongContent = 1;  // An error code of the protocol.
// Without any progress.
constexpr Duration kPatience = Duration::Seconds(60);

const TestCertificate& Certificate() {
  static const TestCertificate* const certificate = new TestCertificate(
      TestCertificate::SelfSigned({.common_name = "hashed",
                                   .names = "DNS:localhost",
                                   .key = TestKey::kEd25519,
                                   .not_before = UnixTime::FromSeconds(0),
                                   .not_after = UnixTime::FromSeconds(4'000'000'000)}));
  return *certificate;
}

ConnectionKey KeyOf(const ConnectionRef& connection) {
  return {connection.handle().slot, connection.handle().generation};
}

class ServerHandler final : public EventHandler {
 public:
  explicit ServerHandler(ShardSeen* seen) : seen_(*seen) {}

  void OnConnected(ConnectionRef) override { ++seen_.connected; }
  void OnClosed(ConnectionRef connection, const CloseReason&) override {
    ++seen_.closed;
    streams_.Forget(connection);
  }
  void OnStreamOpened(ConnectionRef connection, StreamId stream) override {
    streams_.Add(connection, stream, HashedStream());
  }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    ++seen_.reads;
    Advance(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    Advance(connection, stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    Advance(connection, stream);
  }
  void OnPathChanged(ConnectionRef) override { ++seen_.path_changes; }

 private:
  void Advance(ConnectionRef& connection, StreamId stream) {
    if (streams_.Advance(connection, stream)) ++seen_.streams_done;
    seen_.received_bytes = streams_.received_bytes();
    seen_.failures = streams_.failure().empty() ? 0 : 1;
  }

  ShardSeen& seen_;
  HashedStreams streams_;
};

}  // namespace

ServerConfig HashServerConfig() {
  ServerConfig config;
  config.tls.certificates = {Certificate().Config()};
  config.tls.application_protocols = {kProtocol};
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  return config;
}

ClientConfig HashClientConfig() {
  ClientConfig config;
  config.tls.application_protocols = {kProtocol};
  config.tls.server_verification = PeerVerification::PinnedKeys({Certificate().KeyHash()});
  return config;
}

bool CanListenOn(const SocketAddress& address) {
  UdpSocketConfig config;
  config.local = address;
  return UdpSocket::Open(config).ok();
}

// ---- HashedStreams ----

void HashedStreams::Add(const ConnectionRef& connection, StreamId stream, HashedStream content) {
  streams_[KeyOf(connection)].emplace(stream, std::move(content));
}

bool HashedStreams::Advance(ConnectionRef& connection, StreamId stream) {
  const auto of_connection = streams_.find(KeyOf(connection));
  if (of_connection == streams_.end()) return false;
  const auto found = of_connection->second.find(stream);
  if (found == of_connection->second.end()) return false;
  HashedStream& content = found->second;
  Read(connection, stream, content);
  Write(connection, stream, content);
  if (!content.failure().empty()) {
    if (failure_.empty()) failure_ = content.failure();
    static_cast<void>(connection.Reset(stream, kWrongContent));
    of_connection->second.erase(found);
    return false;
  }
  if (!content.is_done()) return false;
  of_connection->second.erase(found);
  return true;
}

void HashedStreams::Forget(const ConnectionRef& connection) { streams_.erase(KeyOf(connection)); }

void HashedStreams::Read(ConnectionRef& connection, StreamId stream, HashedStream& content) {
  while (!content.has_peer_ended()) {
    const auto read = connection.Read(stream, buffer_);
    if (!read.ok()) return;  // The connection is about to close.
    received_bytes_ += read->bytes;
    content.OnRead(std::span(buffer_).first(read->bytes));
    if (read->is_end) return content.OnPeerEnd();
    if (read->bytes == 0) return;
  }
}

void HashedStreams::Write(ConnectionRef& connection, StreamId stream, HashedStream& content) {
  while (true) {
    const std::span<const uint8_t> bytes = content.Pending();
    if (bytes.empty()) break;
    const auto written = connection.Write(stream, bytes);
    if (!written.ok()) return;
    content.OnWritten(*written);
    if (*written < bytes.size()) return;  // OnStreamWritable() follows.
  }
  if (content.TakeEnd()) GODWIT_CHECK(connection.Finish(stream).ok());
}

// ---- HashServer ----

HashServer::HashServer(const ServerConfig& config) {
  auto server = Server::Create(config, [this](Loop& loop) {
    loops_.push_back(&loop);
    shards_.push_back(std::make_unique<ShardSeen>());
    return std::make_unique<ServerHandler>(shards_.back().get());
  });
  GODWIT_CHECK(server.ok());
  server_ = *std::move(server);
  server_->Start();
}

uint64_t HashServer::Sum(std::atomic<uint64_t> ShardSeen::*count) const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += (*shard).*count;
  return sum;
}

// By what is open in this process: of the sockets of a server one is as good as another.
bool HashServer::StopKernelSteering() {
  const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return std::any_of(begin(entries), end(entries), [this](const auto& entry) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    sockaddr_in6 address = {};  // Its port is where sockaddr_in has it.
    socklen_t size = sizeof(address);
    const int nothing = 0;
    return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
           ntohs(address.sin6_port) == port() &&
           setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &nothing, sizeof(nothing)) == 0;
  });
}

// ---- HashClient ----

HashClient::HashClient(const HashPlan& plan, const ClientConfig& config) : plan_(plan) {
  auto client = Client::Create(config, this);
  GODWIT_CHECK(client.ok());
  client_ = *std::move(client);
}

void HashClient::Connect(const SocketAddress& server) {
  const auto connection = client_->Connect(server, "localhost");
  GODWIT_CHECK(connection.ok());
  connection_ = *connection;
  wanted_streams_ += plan_.streams;
  connections_[KeyOf(connection_)] = {.connection = connection_, .to_open = plan_.streams};
}

void HashClient::OpenMore(uint64_t streams) {
  for (auto& [key, progress] : connections_) {
    wanted_streams_ += streams;
    progress.to_open += streams;
    OpenStreams(progress.connection);
  }
}

bool HashClient::RunUntil(const std::function<bool()>& condition) {
  uint64_t progress = 0;
  Timestamp end = MonotonicClock::Now() + kPatience;
  while (!condition()) {
    if (!failure().empty() || lost_.has_value() || was_reset_) return false;
    const Timestamp now = MonotonicClock::Now();
    // It only grows.
    const uint64_t now_done = received_bytes() + streams_done_ + connected_ + closed_;
    if (std::exchange(progress, now_done) != now_done) end = now + kPatience;
    if (now >= end) return false;
    // What another thread has changed does not wake the loop.
    client_->RunOnce(now + Duration::Milliseconds(20));
  }
  return true;
}

std::string HashClient::Complaint() const {
  std::string text = absl::StrCat(streams_done_, " of ", wanted_streams_, " streams done");
  if (!failure().empty()) absl::StrAppend(&text, "; ", failure());
  if (was_reset_) absl::StrAppend(&text, "; the server found wrong content");
  if (lost_.has_value()) {
    const std::string cause(ToString(lost_->cause));
    absl::StrAppend(&text, "; closed: ", cause, ", error ", lost_->error_code, ", ", lost_->reason);
  }
  return text;
}

void HashClient::OnConnected(ConnectionRef connection) {
  ++connected_;
  OpenStreams(connection);
}

void HashClient::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  ++closed_;
  if (reason.cause != CloseReason::Cause::kApplication && !lost_.has_value()) lost_ = reason;
  streams_.Forget(connection);
  connections_.erase(KeyOf(connection));
}

void HashClient::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}

void HashClient::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}

void HashClient::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}

void HashClient::OnStreamsAvailable(ConnectionRef connection, StreamDirection) {
  OpenStreams(connection);
}

void HashClient::OnStreamReset(ConnectionRef, StreamId, uint64_t) { was_reset_ = true; }

void HashClient::OpenStreams(ConnectionRef& connection) {
  Progress& progress = connections_[KeyOf(connection)];
  while (progress.to_open > 0) {
    const auto stream = connection.OpenStream(StreamDirection::kBidirectional);
    if (!stream.ok()) return;  // OnConnected() or OnStreamsAvailable() follows.
    --progress.to_open;
    ++progress.open;
    streams_.Add(
        connection, *stream,
        HashedStream(HashedRequest{
            .seed = ++last_seed_, .up_bytes = plan_.up_bytes, .down_bytes = plan_.down_bytes}));
    Advance(connection, *stream);
  }
}

void HashClient::Advance(ConnectionRef& connection, StreamId stream) {
  if (!streams_.Advance(connection, stream)) return;
  ++streams_done_;
  Progress& progress = connections_[KeyOf(connection)];
  --progress.open;
  if (plan_.closes_when_done && progress.open == 0 && progress.to_open == 0) {
    static_cast<void>(connection.Close(0, "done"));
  }
}

}  // namespace godwit
