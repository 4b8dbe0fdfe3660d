// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/test_runtime.h"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/seeded_random.h"
#include "platform/monotonic_clock.h"
#include "platform/udp_socket.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

constexpr char kProtocol[] = "echo";

const TestCertificate& Certificate() {
  static const TestCertificate* const certificate = new TestCertificate(
      TestCertificate::SelfSigned({.common_name = "echo",
                                   .names = "DNS:localhost,IP:127.0.0.1,IP:::1",
                                   .key = TestKey::kEcdsaP256,
                                   .not_before = UnixTime::FromSeconds(0),
                                   .not_after = UnixTime::FromSeconds(4'000'000'000)}));
  return *certificate;
}

}  // namespace

TlsCertificate LastingCertificate() { return Certificate().Config(); }
PublicKeyHash LastingCertificateKey() { return Certificate().KeyHash(); }
PemSource LastingCertificatePem() { return Certificate().Source(); }

ServerConfig EchoServerConfig() {
  ServerConfig config;
  config.tls.certificates = {LastingCertificate()};
  config.tls.application_protocols = {kProtocol};
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  return config;
}

ClientConfig EchoClientConfig() {
  ClientConfig config;
  config.tls.application_protocols = {kProtocol};
  config.tls.server_verification = PeerVerification::PinnedKeys({LastingCertificateKey()});
  return config;
}

bool HasIpv6Loopback() {
  UdpSocketConfig config;
  config.local = *SocketAddress::Parse("[::1]:0");
  return UdpSocket::Open(config).ok();
}

// ---- ServerLog ----

void ServerLog::Add(const std::function<void(Seen&)>& change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  change(seen_);
  ++seen_.calls;
  changed_.notify_all();
}

ServerLog::Seen ServerLog::Get() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return seen_;
}

bool ServerLog::WaitUntil(const std::function<bool(const Seen&)>& condition) const {
  std::unique_lock<std::mutex> lock(mutex_);
  // By the system clock: ThreadSanitizer of g++ 12 does not know the wait by the steady one.
  const auto end =
      std::chrono::system_clock::now() + std::chrono::microseconds(kPatience.ToMicroseconds());
  return changed_.wait_until(lock, end, [&] { return condition(seen_); });
}

// ---- EchoHandler ----

void EchoHandler::OnConnected(ConnectionRef) {
  log_.Add([this](ServerLog::Seen& seen) { seen.connected.push_back(shard_); });
}

void EchoHandler::OnClosed(ConnectionRef, const CloseReason& reason) {
  log_.Add([&](ServerLog::Seen& seen) { seen.closed.push_back({shard_, reason}); });
}

void EchoHandler::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  echo_.Pump(connection, stream);
}

void EchoHandler::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  echo_.Pump(connection, stream);
}

void EchoHandler::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  echo_.Pump(connection, stream);
}

void EchoHandler::OnDatagram(ConnectionRef connection) {
  while (const auto datagram = connection.PeekDatagram()) {
    const std::vector<uint8_t> copy(datagram->begin(), datagram->end());
    connection.PopDatagram();
    static_cast<void>(connection.SendDatagram(copy));
  }
}

void EchoHandler::OnPathChanged(ConnectionRef) {
  log_.Add([this](ServerLog::Seen& seen) { seen.path_changed.push_back(shard_); });
}

// ---- EchoServer ----

EchoServer::EchoServer(const ServerConfig& config) {
  size_t shards = 0;
  auto server =
      Server::Create(config, [&](Loop&) { return std::make_unique<EchoHandler>(shards++, &log_); });
  GODWIT_CHECK(server.ok());
  server_ = *std::move(server);
  server_->Start();
}

// ---- EchoClient ----

void EchoClient::Want(size_t more_streams) {
  wanted_streams_ += more_streams;
  OpenMore();
}

void EchoClient::OnConnected(ConnectionRef connection) {
  is_connected_ = true;
  connection_ = connection;
  OpenMore();
}

void EchoClient::OnClosed(ConnectionRef, const CloseReason& reason) {
  closed_ = reason;
  ++close_count_;
}

void EchoClient::OnStreamsAvailable(ConnectionRef, StreamDirection) { OpenMore(); }

void EchoClient::OpenMore() {
  while (opened_streams_ < wanted_streams_) {
    const auto stream = connection_.OpenStream(StreamDirection::kBidirectional);
    if (!stream.ok()) return;  // OnStreamsAvailable() follows.
    Transfer& transfer = transfers_[*stream];
    transfer.pattern.resize(bytes_per_stream_);
    SeededRandom(++opened_streams_)
        .Fill({reinterpret_cast<uint8_t*>(transfer.pattern.data()), bytes_per_stream_});
    Write(*stream);
  }
}

void EchoClient::Write(StreamId stream) {
  const auto found = transfers_.find(stream);
  if (found == transfers_.end()) return;
  Transfer& transfer = found->second;
  const auto written =
      connection_.Write(stream, std::string_view(transfer.pattern).substr(transfer.written));
  if (!written.ok()) return;
  transfer.written += *written;
  if (transfer.written < bytes_per_stream_) return;
  static_cast<void>(connection_.Finish(stream));
}

void EchoClient::Read(StreamId stream) {
  const auto found = transfers_.find(stream);
  if (found == transfers_.end()) return;
  Transfer& transfer = found->second;
  std::array<uint8_t, 65'536> bytes;
  while (true) {
    const auto read = connection_.Read(stream, bytes);
    if (!read.ok()) return;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), read->bytes);
    if (std::string_view(transfer.pattern).substr(transfer.read, read->bytes) != text) {
      has_mismatch_ = true;
    }
    transfer.read += read->bytes;
    received_bytes_ += read->bytes;
    if (read->is_end) break;
    if (read->bytes == 0) return;
  }
  if (transfer.read != bytes_per_stream_) has_mismatch_ = true;
  transfers_.erase(found);
  ++whole_streams_;
}

bool RunUntil(Client& client, const std::function<bool()>& condition) {
  const Timestamp end = MonotonicClock::Now() + kPatience;
  while (!condition()) {
    const Timestamp now = MonotonicClock::Now();
    if (now >= end) return false;
    // What another thread has changed does not wake the loop.
    client.RunOnce(now + Duration::Milliseconds(20));
  }
  return true;
}

}  // namespace godwit
