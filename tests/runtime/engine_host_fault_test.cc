// SPDX-License-Identifier: Apache-2.0
//
// An engine on a socket whose kernel refuses trains, has no room, or knows a smaller path: traffic
// goes on.
#include <algorithm>
#include <cerrno>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "gtest/gtest.h"

#include "platform/event_loop.h"
#include "platform/monotonic_clock.h"
#include "platform/system_random.h"
#include "platform/udp_socket.h"
#include "platform/wall_clock.h"
#include "runtime/engine_host.h"
#include "tests/platform/udp_socket_faults.h"
#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

// A client on the socket with the faults, in the test's thread; the server's sockets are real ones.
class EngineHostFaultTest : public testing::Test {
 protected:
  void Connect(size_t streams, size_t bytes_per_stream) {
    handler_.emplace(streams, bytes_per_stream);
    const ClientConfig client = EchoClientConfig();
    auto engine = Engine::Create({.endpoint = client.endpoint,
                                  .tls_client = client.tls,
                                  .tls_server = std::nullopt,
                                  .server_key_file = {}},
                                 {.random = &random_}, MonotonicClock::Now(), WallClock::Now());
    UdpSocketConfig config;
    config.local = *SocketAddress::Parse("127.0.0.1:0");
    host_ = *EngineHost::Create({.loop = loop_.get(),
                                 .engine = *std::move(engine),
                                 .socket = *UdpSocket::Open(config, SocketFaults::Calls()),
                                 .handler = &*handler_,
                                 .local_address = EngineHost::LocalAddress::kOfSocket});
    const auto connection = host_->engine().Connect(
        {.local = host_->socket().local_address(), .peer = server_.address()}, "localhost",
        MonotonicClock::Now());
    ASSERT_TRUE(connection.ok()) << connection.status();
  }

  bool RunUntil(const std::function<bool()>& condition) {
    const Timestamp end = MonotonicClock::Now() + kPatience;
    while (!condition() && MonotonicClock::Now() < end) loop_->RunOnce(end);
    return condition();
  }

  bool RunUntilDone() {
    return RunUntil([this] { return handler_->is_done(); }) && !handler_->has_mismatch();
  }

  // First, as sockets that were opened with its calls end before it.
  SocketFaults faults_;
  EchoServer server_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  SystemRandom random_;
  std::optional<EchoClient> handler_;
  std::unique_ptr<EngineHost> host_;
};

TEST_F(EngineHostFaultTest, TrainsAreSentWhereTheKernelTakesThem) {
  Connect(4, 200'000);

  ASSERT_TRUE(RunUntilDone());

  EXPECT_GT(std::ranges::count_if(faults_.taken, [](const auto& one) { return one.is_train; }), 0);
  EXPECT_EQ(host_->socket().stats().gso_disabled, 0U);
}

TEST_F(EngineHostFaultTest, AKernelThatRefusesTrainsGetsSingleDatagrams) {
  faults_.send_error = [](const SentMessage& message) { return message.is_train ? EIO : 0; };
  Connect(4, 200'000);

  ASSERT_TRUE(RunUntilDone());

  EXPECT_EQ(host_->socket().stats().gso_disabled, 1U);
  EXPECT_EQ(faults_.refused.size(), 1U);
  EXPECT_EQ(host_->socket().stats().lost.total(), 0U);
}

TEST_F(EngineHostFaultTest, AFullSendBufferDelaysAndLosesNothing) {
  Connect(0, 200'000);
  ASSERT_TRUE(RunUntil([this] { return handler_->is_connected(); }));

  faults_.messages_until_blocked = 0;
  handler_->Want(4);
  loop_->RunOnce(Timestamp::InfinitePast());
  const uint64_t times_blocked = host_->socket().stats().times_blocked;
  // Again and again: one message, then none until the loop has asked once more.
  faults_.max_messages_per_call = 1;
  while (!handler_->is_done()) {
    faults_.messages_until_blocked = 1;
    const uint64_t received = handler_->received_bytes();
    const auto has_moved = [&] {
      faults_.messages_until_blocked = std::max<size_t>(faults_.messages_until_blocked, 1);
      return handler_->received_bytes() > received || handler_->is_done();
    };
    ASSERT_TRUE(RunUntil(has_moved));
  }

  EXPECT_FALSE(handler_->has_mismatch());
  EXPECT_GT(times_blocked, 0U);
  EXPECT_EQ(host_->socket().stats().lost.total(), 0U);
}

TEST_F(EngineHostFaultTest, WhileTheSocketIsFullNobodyIsWokenForIt) {
  Connect(1, 1'000);
  ASSERT_TRUE(RunUntilDone());

  faults_.messages_until_blocked = 0;
  handler_->Want(1);
  EXPECT_LE(host_->NextWakeup(), MonotonicClock::Now());
  loop_->RunOnce(Timestamp::InfinitePast());
  const Timestamp while_full = host_->NextWakeup();
  faults_.messages_until_blocked = std::numeric_limits<size_t>::max();

  EXPECT_GT(while_full, loop_->now());
  EXPECT_TRUE(RunUntilDone());
}

TEST_F(EngineHostFaultTest, ErrorsOfSendingAreLossAndNotTheEnd) {
  int sent = 0;
  faults_.send_error = [&sent](const SentMessage&) { return ++sent % 10 == 0 ? ENOBUFS : 0; };
  Connect(2, 100'000);

  ASSERT_TRUE(RunUntilDone());

  EXPECT_GT(host_->socket().stats().lost.no_buffers, 0U);
  EXPECT_FALSE(handler_->closed().has_value());
}

TEST_F(EngineHostFaultTest, APathThatTakesNoLargeDatagramsIsUsedWithSmallOnes) {
  constexpr size_t kLargest = 1'300;
  faults_.send_error = [](const SentMessage& message) {
    return !message.is_train && message.bytes > kLargest ? EMSGSIZE : 0;
  };
  Connect(2, 100'000);

  ASSERT_TRUE(RunUntilDone());

  EXPECT_GT(host_->socket().stats().lost.too_large, 0U);
  EXPECT_LE(handler_->connection().Stats()->max_datagram_bytes, kLargest);
}

}  // namespace
}  // namespace godwit
