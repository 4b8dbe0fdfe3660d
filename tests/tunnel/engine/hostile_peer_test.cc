// SPDX-License-Identifier: Apache-2.0
//
// Peers that are let in and mean harm, or whose applications end in unusual ways.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "godwit/server.h"
#include "tests/tunnel/engine/puppet.h"
#include "tunnel/log_limiter.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

// A server's end of a tunnel that answers each BindRequest with a long refusal, and counts them.
class Refuser final : public EventHandler, private SessionPolicy {
 public:
  Refuser(Loop* loop, std::atomic<size_t>* asked) : loop_(*loop), asked_(*asked) {}

  void OnConnected(ConnectionRef connection) override {
    session_ = std::make_unique<TunnelSession>(
        TunnelSession::Options{.loop = &loop_,
                               .policy = this,
                               .connection = connection,
                               .perspective = Perspective::kServer});
  }
  void OnClosed(ConnectionRef, const CloseReason&) override { session_.reset(); }
  void OnStreamOpened(ConnectionRef, StreamId stream) override { session_->OnStreamOpened(stream); }
  void OnStreamReadable(ConnectionRef, StreamId stream) override {
    session_->OnStreamReadable(stream);
  }
  void OnStreamWritable(ConnectionRef, StreamId stream) override {
    session_->OnStreamWritable(stream);
  }

 private:
  Admission Admit(const OpenTarget&) override { return {}; }
  Admission Admit(const OpenForward&) override { return {}; }
  void OnRefused(TunnelSession&, const OpenReply&) override {}
  void OnEstablished(TunnelSession&) override {}
  void OnBindRequest(TunnelSession& session, const BindRequest& request) override {
    ++asked_;
    session.SendControl(BindReply{.forward_id = request.forward_id,
                                  .status = ReplyStatus::kNotAllowed,
                                  .address = {},
                                  .text = std::string(kMaxTextBytes, 'x')});
  }
  void OnBindReply(TunnelSession&, const BindReply&) override {}
  void OnIpPacket(TunnelSession&, std::span<const uint8_t>) override {}
  void OnMaxIpPacketChanged(TunnelSession&) override {}

  Loop& loop_;
  std::atomic<size_t>& asked_;
  std::unique_ptr<TunnelSession> session_;
};

TEST(HostilePeerTest, WhoTakesNoAnswersIsNotHeardForEver) {
  constexpr size_t kRequests = 50'000;
  constexpr size_t kSendBufferBytes = size_t{64} << 10;
  std::atomic<size_t> asked = 0;
  ServerConfig config;
  config.endpoint.connection.streams.max_send_buffer_bytes = kSendBufferBytes;
  config.tls.certificates = {TlsIdentity(ServerIdentity())};
  config.tls.application_protocols = {std::string(kTunnelProtocol)};
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  auto server = Server::Create(
      config, [&asked](Loop& loop) { return std::make_unique<Refuser>(&loop, &asked); });
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->Start();
  Puppet::Options options;
  options.at = (*server)->local_address();
  options.reads = false;
  options.endpoint.connection.streams.initial_max_stream_data_bidi_local = 1'000;
  Puppet puppet(options);
  std::string rest = EncodeMessage(Hello{});
  for (size_t i = 0; i < kRequests; ++i) rest += EncodeMessage(BindRequest{});
  const StreamId control = puppet.Say("");

  // Until the server does nothing more, however often it wakes up.
  size_t last = 0;
  for (int idle_rounds = 0; idle_rounds < 100; ++idle_rounds) {
    const auto taken = puppet.connection().Write(control, std::string_view(rest));
    ASSERT_TRUE(taken.ok()) << taken.status();
    rest.erase(0, *taken);
    puppet.RunOnce();
    static_cast<void>((*server)->Stats());  // Waits for its loop.
    if (asked != std::exchange(last, asked)) idle_rounds = 0;
  }

  EXPECT_GT(asked, 0u);
  EXPECT_LT(asked, 2 * kSendBufferBytes / kMaxTextBytes);
  EXPECT_TRUE(puppet.connection().is_open());
}

TEST(HostilePeerTest, RefusalsFillNoLog) {
  std::atomic<uint64_t> lines = 0;
  Puppet::Options options;
  options.server.allowed_targets = {"192.0.2.1:1"};
  options.log = [&lines](LogLevel level, const std::string&) {
    if (level == LogLevel::kWarning) ++lines;
  };
  Puppet puppet(options);
  const std::string request = EncodeMessage(
      OpenTarget{.protocol = ForwardProtocol::kTcp, .target = {.host = "127.0.0.1", .port = 1}});

  for (uint64_t i = 0; i < 3 * LogLimiter::kLines; ++i) {
    const auto answer = puppet.Hear(puppet.Say(request));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(std::get<OpenReply>(*answer).status, ReplyStatus::kNotAllowed);
  }

  EXPECT_GE(lines, LogLimiter::kLines);
  // Another round of them if a minute has gone by.
  EXPECT_LT(lines, 3 * LogLimiter::kLines);
}

// A flow that nobody reads keeps a stream's window of the connection's, for as long as it pleases.
TEST(HostilePeerTest, HundredsOfFlowsThatNobodyReadsLeaveRoomForOthers) {
  const EndpointConfig config = TransportConfig({});
  const StreamConfig& streams = config.connection.streams;

  EXPECT_GT(streams.initial_max_data / streams.initial_max_stream_data_bidi_local, 800u);
  EXPECT_GT(streams.initial_max_data / streams.initial_max_stream_data_bidi_remote, 800u);
  // Beyond nine tenths the budget drops what comes, which is worse than a window that ends.
  EXPECT_LT(streams.initial_max_data, config.memory_budget_bytes / 10 * 9);
}

std::string OpenTargetAt(const SocketAddress& address) {
  return EncodeMessage(
      OpenTarget{.protocol = ForwardProtocol::kTcp, .target = ToHostPort(address)});
}

// Until the server has read so many bytes of targets, and their end if it was there before.
void WaitForBytesFromTarget(TunnelServer& server, uint64_t bytes) {
  while (server.Status().bytes.bytes_to_peer < bytes) std::this_thread::yield();
  for (int wakeups = 0; wakeups < 3; ++wakeups) static_cast<void>(server.Status());
}

// As servers of HTTP do that answer before they have read all of a request.
TEST(HostilePeerTest, AnswerThatHasEndedIsWholeThoughAResetFollows) {
  const std::string answer = Pattern(16'000, 1);
  Puppet::Options options;
  // What is sent waits for the puppet.
  options.endpoint.connection.streams.initial_max_stream_data_bidi_local = 1'000;
  TestListener target;
  Puppet puppet(options);
  const StreamId stream = puppet.Say(OpenTargetAt(target.address()) + "request");
  ASSERT_TRUE(puppet.Hear(stream).has_value());
  TestStream served = target.Accept();
  ASSERT_TRUE(served.Send(answer));
  served.FinishSending();
  WaitForBytesFromTarget(puppet.server(), answer.size());

  served.Close();  // With a request that was not read: a reset.
  const std::string more(1'000, 'x');
  const bool has_ended = puppet.RunUntil([&] {
    // The server finds out when it passes more on.
    static_cast<void>(puppet.connection().Write(stream, std::string_view(more)));
    return puppet.has_ended(stream) || puppet.was_reset(stream);
  });

  EXPECT_TRUE(has_ended);
  EXPECT_FALSE(puppet.was_reset(stream));
  EXPECT_TRUE(puppet.heard(stream).ends_with(answer));
}

TEST(HostilePeerTest, ApplicationThatStillSendsGetsTheAnswerThatHasEnded) {
  // More than waits in its socket, less than the window of a stream.
  const std::string answer = Pattern(500'000, 1);
  TestListener target;
  TunnelClientConfig config = TestClientConfig();
  config.local_forwards = {ForwardTo(target.address())};
  TestTunnel tunnel(config);
  TestStream application = TestStream::Connect(tunnel.forward(0));
  ASSERT_TRUE(application.Send("request"));
  TestStream served = target.Accept();
  ASSERT_TRUE(served.Send(answer));
  served.FinishSending();
  WaitForBytesFromTarget(tunnel.server(), answer.size());

  served.Close();
  // It does not read before it has sent all, or cannot.
  static_cast<void>(application.Send(Pattern(8'000'000, 2)));

  EXPECT_TRUE(application.Read(answer.size()) == answer);
}

}  // namespace
}  // namespace godwit::tunnel
