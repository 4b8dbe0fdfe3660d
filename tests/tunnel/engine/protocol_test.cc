// SPDX-License-Identifier: Apache-2.0
//
// A server as a peer sees it that does not keep to the protocol, or is newer.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "godwit/client.h"
#include "platform/monotonic_clock.h"
#include "tests/tunnel/engine/test_sockets.h"
#include "tests/tunnel/engine/test_tunnel.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Says what it is told to a server that knows its key.
class Puppet final : public EventHandler {
 public:
  Puppet() {
    auto server = TunnelServer::Create(TestServerConfig(), nullptr);
    EXPECT_TRUE(server.ok());
    server_ = *std::move(server);
    ClientConfig config;
    config.tls.server_verification = PeerVerification::PinnedKeys({ServerIdentity().fingerprint});
    config.tls.application_protocols = {std::string(kTunnelProtocol)};
    config.tls.certificate = TlsIdentity(ClientIdentity());
    auto client = Client::Create(config, this);
    EXPECT_TRUE(client.ok());
    client_ = *std::move(client);
    EXPECT_TRUE(client_->Connect(server_->local_address(), "").ok());
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
      const auto read = ParseMessage(Bytes(heard_[stream]));
      if (read.ok() && read->has_value()) heard = (*read)->message;
      return heard.has_value() || closed_.has_value();
    });
    return heard;
  }
  bool HearEnd(StreamId stream) {
    return RunUntil([&] { return has_ended_[stream]; });
  }
  CloseReason WaitForClose() {
    EXPECT_TRUE(RunUntil([this] { return closed_.has_value(); }));
    return closed_.value_or(CloseReason{.cause = CloseReason::Cause::kAborted});
  }
  ConnectionRef& connection() { return *connection_; }

  void OnConnected(ConnectionRef connection) override { connection_ = connection; }
  void OnClosed(ConnectionRef, const CloseReason& reason) override { closed_ = reason; }
  void OnStreamReadable(ConnectionRef, StreamId stream) override { Read(stream); }
  void OnStreamFinished(ConnectionRef, StreamId stream) override {
    Read(stream);
    has_ended_[stream] = true;
  }

 private:
  void Read(StreamId stream) {
    std::array<uint8_t, 4'096> bytes;
    while (true) {
      const auto read = connection_->Read(stream, bytes);
      if (!read.ok() || read->bytes == 0) return;
      heard_[stream].append(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(read->bytes));
    }
  }
  bool RunUntil(const std::function<bool()>& condition) {
    const Timestamp end = MonotonicClock::Now() + Duration::Seconds(kPatienceSeconds);
    while (!condition()) {
      if (MonotonicClock::Now() >= end) return false;
      client_->RunOnce(end);
    }
    return true;
  }

  std::unique_ptr<TunnelServer> server_;
  std::unique_ptr<Client> client_;
  std::optional<ConnectionRef> connection_;
  std::optional<CloseReason> closed_;
  std::map<StreamId, std::string> heard_;
  std::map<StreamId, bool> has_ended_;
};

const std::string kUnknown("\x2a\x00\x00", 3);

TEST(ProtocolTest, HelloIsAnsweredWithHello) {
  Puppet puppet;

  const auto answer = puppet.Hear(puppet.Say(EncodeMessage(Hello{.revision = 9})));

  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(std::holds_alternative<Hello>(*answer));
}

TEST(ProtocolTest, StreamThatBeginsWithAnUnknownKindIsToldSoAndEndsAlone) {
  Puppet puppet;

  const StreamId stream = puppet.Say(kUnknown);
  const auto answer = puppet.Hear(stream);

  ASSERT_TRUE(answer.has_value());
  const OpenReply* const reply = std::get_if<OpenReply>(&*answer);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, ReplyStatus::kFailed);
  EXPECT_EQ(reply->text, "unknown message kind 42");
  EXPECT_TRUE(puppet.HearEnd(stream));
  EXPECT_TRUE(puppet.connection().is_open());
}

TEST(ProtocolTest, UnknownKindOnTheControlStreamClosesAndIsNamed) {
  Puppet puppet;

  puppet.Say(EncodeMessage(Hello{}) + kUnknown);
  const CloseReason reason = puppet.WaitForClose();

  EXPECT_EQ(reason.cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(reason.error_code, static_cast<uint64_t>(TunnelErrorCode::kProtocolViolation));
  EXPECT_EQ(reason.reason, "unknown message kind 42");
}

TEST(ProtocolTest, SecondControlStreamCloses) {
  Puppet puppet;

  puppet.Say(EncodeMessage(Hello{}));
  puppet.Say(EncodeMessage(Hello{}));

  EXPECT_EQ(puppet.WaitForClose().reason, "a second control stream");
}

TEST(ProtocolTest, EndOfTheControlStreamCloses) {
  Puppet puppet;

  const StreamId control = puppet.Say(EncodeMessage(Hello{}));
  ASSERT_TRUE(puppet.Hear(control).has_value());
  ASSERT_TRUE(puppet.connection().Finish(control).ok());

  EXPECT_EQ(puppet.WaitForClose().error_code,
            static_cast<uint64_t>(TunnelErrorCode::kProtocolViolation));
}

TEST(ProtocolTest, ClientMayNotUseRemoteForwardsOfTheServer) {
  Puppet puppet;

  const auto answer = puppet.Hear(puppet.Say(EncodeMessage(OpenForward{})));

  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<OpenReply>(*answer).status, ReplyStatus::kNotAllowed);
}

TEST(ProtocolTest, RequestThatIsGivenUpBeforeItsAnswerHarmsNobody) {
  Puppet puppet;

  const StreamId given_up = puppet.Say(EncodeMessage(OpenTarget{
      .protocol = ForwardProtocol::kTcp, .target = {.host = "no-such-host.invalid", .port = 1}}));
  ASSERT_TRUE(puppet.connection().Reset(given_up, 1).ok());
  ASSERT_TRUE(puppet.connection().StopSending(given_up, 1).ok());

  EXPECT_TRUE(puppet.Hear(puppet.Say(EncodeMessage(Hello{}))).has_value());
}

}  // namespace
}  // namespace godwit::tunnel
