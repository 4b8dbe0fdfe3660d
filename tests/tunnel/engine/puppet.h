// SPDX-License-Identifier: Apache-2.0
//
// Puppet: a client that says what it is told to a server that knows its key, and keeps to no
// protocol but QUIC. The server is its own, unless it is told another.
#ifndef GODWIT_TESTS_TUNNEL_ENGINE_PUPPET_H_
#define GODWIT_TESTS_TUNNEL_ENGINE_PUPPET_H_

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "godwit/client.h"
#include "platform/monotonic_clock.h"
#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {

class Puppet final : public EventHandler {
 public:
  struct Options {
    TunnelServerConfig server = TestServerConfig();
    TunnelLog log;  // Of the server, on its thread.
    EndpointConfig endpoint;
    // Another server than one of its own.
    std::optional<SocketAddress> at;
    bool reads = true;
  };

  Puppet() : Puppet(Options()) {}
  explicit Puppet(const Options& options) : reads_(options.reads) {
    if (!options.at.has_value()) {
      auto server = TunnelServer::Create(options.server, options.log);
      EXPECT_TRUE(server.ok());
      server_ = *std::move(server);
    }
    ClientConfig config;
    config.endpoint = options.endpoint;
    config.tls.server_verification = PeerVerification::PinnedKeys({ServerIdentity().fingerprint});
    config.tls.application_protocols = {std::string(kTunnelProtocol)};
    config.tls.certificate = TlsIdentity(ClientIdentity());
    auto client = Client::Create(config, this);
    EXPECT_TRUE(client.ok());
    client_ = *std::move(client);
    const SocketAddress address = options.at.has_value() ? *options.at : server_->local_address();
    EXPECT_TRUE(client_->Connect(address, "").ok());
    EXPECT_TRUE(RunUntil([this] { return connection_.has_value(); }));
  }

  StreamId Say(const std::string& bytes) {
    const auto stream = connection_->OpenStream(StreamDirection::kBidirectional);
    EXPECT_TRUE(stream.ok());
    EXPECT_TRUE(connection_->Write(*stream, std::string_view(bytes)).ok());
    return *stream;
  }
  // What the server has answered.
  std::optional<TunnelMessage> Hear(StreamId stream) {
    std::optional<TunnelMessage> heard;
    RunUntil([&] {
      const std::string& bytes = heard_[stream];
      const auto read =
          ParseMessage({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
      if (read.ok() && read->has_value()) heard = (*read)->message;
      return heard.has_value() || closed_.has_value();
    });
    return heard;
  }
  bool HearEnd(StreamId stream) {
    return RunUntil([&] { return has_ended(stream); });
  }
  CloseReason WaitForClose() {
    EXPECT_TRUE(RunUntil([this] { return closed_.has_value(); }));
    return closed_.value_or(CloseReason{.cause = CloseReason::Cause::kAborted});
  }
  ConnectionRef& connection() { return *connection_; }
  TunnelServer& server() { return *server_; }
  // All of it, so far.
  const std::string& heard(StreamId stream) { return heard_[stream]; }
  bool has_ended(StreamId stream) const { return has_ended_.contains(stream); }
  bool was_reset(StreamId stream) const { return resets_.contains(stream); }

  void OnConnected(ConnectionRef connection) override { connection_ = connection; }
  void OnClosed(ConnectionRef, const CloseReason& reason) override { closed_ = reason; }
  void OnStreamReadable(ConnectionRef, StreamId stream) override { Read(stream); }
  void OnStreamFinished(ConnectionRef, StreamId stream) override {
    Read(stream);
    has_ended_.insert(stream);
  }
  void OnStreamReset(ConnectionRef, StreamId stream, uint64_t) override { resets_.insert(stream); }

  bool RunUntil(const std::function<bool()>& condition) {
    const Timestamp end = MonotonicClock::Now() + Duration::Seconds(kPatienceSeconds);
    while (!condition()) {
      if (MonotonicClock::Now() >= end) return false;
      client_->RunOnce(end);
    }
    return true;
  }
  // What is due now.
  void RunOnce() { client_->RunOnce(MonotonicClock::Now() + Duration::Milliseconds(1)); }

 private:
  void Read(StreamId stream) {
    if (!reads_) return;
    std::array<uint8_t, 4'096> bytes;
    while (true) {
      const auto read = connection_->Read(stream, bytes);
      if (!read.ok() || read->bytes == 0) return;
      heard_[stream].append(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(read->bytes));
    }
  }

  const bool reads_;
  std::unique_ptr<TunnelServer> server_;
  std::unique_ptr<Client> client_;
  std::optional<ConnectionRef> connection_;
  std::optional<CloseReason> closed_;
  std::map<StreamId, std::string> heard_;
  std::set<StreamId> has_ended_;
  std::set<StreamId> resets_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TESTS_TUNNEL_ENGINE_PUPPET_H_
