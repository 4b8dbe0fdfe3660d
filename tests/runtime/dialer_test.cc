// SPDX-License-Identifier: Apache-2.0
//
// RFC 8305 §5 with addresses that the test chooses: those where nobody answers, and one where a
// server does.
#include "runtime/dialer.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "platform/event_loop.h"
#include "platform/monotonic_clock.h"
#include "platform/system_random.h"
#include "platform/wall_clock.h"
#include "runtime/engine_host.h"
#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

UdpSocket OpenLoopback() {
  UdpSocketConfig config;
  config.local = *SocketAddress::Parse("127.0.0.1:0");
  return *UdpSocket::Open(config);
}

class DialerTest : public testing::Test {
 protected:
  void Start(Duration attempt_delay, Duration handshake_timeout = Duration::Seconds(10)) {
    const ClientConfig client = EchoClientConfig();
    EngineConfig config = {.endpoint = client.endpoint,
                           .tls_client = client.tls,
                           .tls_server = std::nullopt,
                           .server_key_file = {}};
    config.endpoint.connection.handshake_timeout = handshake_timeout;
    // RFC 9000 §10.2: what was closed is gone after three probe timeouts.
    config.endpoint.connection.initial_rtt = Duration::Milliseconds(10);
    auto engine =
        Engine::Create(config, {.random = &random_}, MonotonicClock::Now(), WallClock::Now());
    host_ = *EngineHost::Create({.loop = loop_.get(),
                                 .engine = *std::move(engine),
                                 .socket = OpenLoopback(),
                                 .handler = &handler_,
                                 .local_address = EngineHost::LocalAddress::kOfSocket});
    dialer_.emplace(loop_.get(), host_.get(), attempt_delay);
  }

  void Dial(const HostResolver::Addresses& addresses) {
    dialer_->DialAddresses("localhost", addresses,
                           [this](absl::StatusOr<ConnectionRef> connection) {
                             ++callbacks_;
                             status_ = connection.status();
                             if (connection.ok()) peer_ = connection->Info()->four_tuple.peer;
                           });
  }

  bool RunUntil(const std::function<bool()>& condition) {
    const Timestamp end = MonotonicClock::Now() + kPatience;
    while (!condition() && MonotonicClock::Now() < end) loop_->RunOnce(end);
    return condition();
  }

  const UdpSocket silent_ = OpenLoopback();
  const UdpSocket silent_too_ = OpenLoopback();
  EchoServer server_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  SystemRandom random_;
  EchoClient handler_ = {1, 1'000};
  std::unique_ptr<EngineHost> host_;
  std::optional<Dialer> dialer_;
  int callbacks_ = 0;
  absl::Status status_;
  SocketAddress peer_;
};

TEST_F(DialerTest, TheSecondAddressWinsIfTheFirstDoesNotAnswer) {
  Start(Duration::Milliseconds(20));

  Dial({silent_.local_address(), server_.address()});
  ASSERT_TRUE(RunUntil([this] { return handler_.is_done(); }));

  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(callbacks_, 1);
  EXPECT_EQ(peer_, server_.address());
  // Of the attempt that lost, the handler hears nothing.
  ASSERT_TRUE(RunUntil([this] { return host_->engine().connection_count() == 1; }));
  EXPECT_EQ(handler_.close_count(), 0U);
  EXPECT_TRUE(handler_.connection().is_open());
}

TEST_F(DialerTest, AFirstAddressThatAnswersIsTheOnlyOneTried) {
  Start(kPatience);

  Dial({server_.address(), silent_.local_address()});
  ASSERT_TRUE(RunUntil([this] { return handler_.is_done(); }));

  EXPECT_EQ(peer_, server_.address());
  EXPECT_EQ(host_->engine().stats().connections_opened, 1U);
}

TEST_F(DialerTest, AnAddressThatFailsDoesNotWaitForTheDelay) {
  // The delay is longer than the test's patience; the socket cannot send to the first address, and
  // the second attempt times out.
  Start(Duration::Seconds(1'000), Duration::Milliseconds(300));

  Dial({*SocketAddress::Parse("[::1]:443"), silent_.local_address(), server_.address()});
  ASSERT_TRUE(RunUntil([this] { return callbacks_ > 0; }));

  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(peer_, server_.address());
}

TEST_F(DialerTest, AServerThatRefusesIsFollowedByTheNextAtOnce) {
  ServerConfig of_others = EchoServerConfig();
  of_others.tls.application_protocols = {"other"};
  EchoServer refusing(of_others);
  Start(Duration::Seconds(1'000));

  Dial({refusing.address(), server_.address()});
  ASSERT_TRUE(RunUntil([this] { return handler_.is_done(); }));

  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(callbacks_, 1);
  EXPECT_EQ(peer_, server_.address());
  EXPECT_EQ(handler_.close_count(), 0U);
}

TEST_F(DialerTest, WhereAllRefuseTheirReasonIsTold) {
  ServerConfig of_others = EchoServerConfig();
  of_others.tls.application_protocols = {"other"};
  EchoServer refusing(of_others);
  EchoServer refusing_too(of_others);
  Start(Duration::Seconds(1'000));

  Dial({refusing.address(), refusing_too.address()});
  ASSERT_TRUE(RunUntil([this] { return callbacks_ > 0; }));

  EXPECT_EQ(callbacks_, 1);
  EXPECT_TRUE(absl::IsUnavailable(status_)) << status_;
  EXPECT_EQ(host_->engine().stats().connections_opened, 2U);
}

TEST_F(DialerTest, WhereNoAddressAnswersTheLastFailureIsTold) {
  Start(Duration::Milliseconds(20), Duration::Milliseconds(200));

  Dial({silent_.local_address(), silent_too_.local_address()});
  ASSERT_TRUE(RunUntil([this] { return callbacks_ > 0; }));

  EXPECT_EQ(callbacks_, 1);
  EXPECT_EQ(status_, absl::UnavailableError("connecting to localhost: handshake timeout"));
  EXPECT_EQ(host_->engine().stats().connections_opened, 2U);
  EXPECT_FALSE(handler_.closed().has_value());
}

TEST_F(DialerTest, NoAddressesAreAFailure) {
  Start(Duration::Milliseconds(20));

  Dial({});

  EXPECT_EQ(callbacks_, 1);
  EXPECT_EQ(status_, absl::UnavailableError("there is no address to try"));
}

TEST_F(DialerTest, WhatWasCancelledIsToldSoOnceAndNeverConnects) {
  Start(Duration::Milliseconds(20));
  Dial({silent_.local_address(), server_.address()});

  dialer_->CancelAll(absl::CancelledError("enough"));
  ASSERT_TRUE(RunUntil([this] { return host_->engine().connection_count() == 0; }));

  EXPECT_EQ(callbacks_, 1);
  EXPECT_EQ(status_, absl::CancelledError("enough"));
  EXPECT_FALSE(handler_.is_connected());
  EXPECT_EQ(handler_.close_count(), 0U);
  EXPECT_EQ(host_->engine().stats().connections_opened, 1U);
}

TEST_F(DialerTest, OneThatIsCancelledIsNeverHeardOfAndOthersGoOn) {
  Start(Duration::Milliseconds(20));
  const auto unheard = [this](absl::StatusOr<ConnectionRef>) { callbacks_ += 100; };
  const uint64_t attempting =
      dialer_->DialAddresses("localhost", {silent_.local_address()}, unheard);
  const uint64_t resolving = dialer_->Dial("localhost", 443, unheard);
  Dial({server_.address()});

  dialer_->Cancel(attempting);
  dialer_->Cancel(attempting);
  dialer_->Cancel(resolving);
  ASSERT_TRUE(RunUntil([this] { return handler_.is_done(); }));
  ASSERT_TRUE(RunUntil([this] { return host_->engine().connection_count() == 1; }));

  EXPECT_EQ(callbacks_, 1);
  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(handler_.close_count(), 0U);
}

TEST_F(DialerTest, ACallbackMayCancelWhatWasToBeCancelledNext) {
  Start(Duration::Milliseconds(20));
  uint64_t second = 0;
  dialer_->DialAddresses(
      "localhost", {silent_.local_address()}, [&](absl::StatusOr<ConnectionRef>) {
        ++callbacks_;
        dialer_->Cancel(second);
        // Comes after those that were there.
        dialer_->Dial("localhost", 443,
                      [this](absl::StatusOr<ConnectionRef>) { callbacks_ += 100; });
      });
  second = dialer_->DialAddresses("localhost", {silent_too_.local_address()},
                                  [this](absl::StatusOr<ConnectionRef>) { callbacks_ += 100; });

  dialer_->CancelAll(absl::CancelledError("enough"));

  EXPECT_EQ(callbacks_, 1);
}

TEST_F(DialerTest, ADialerThatEndsCallsNobody) {
  Start(Duration::Milliseconds(1));
  Dial({silent_.local_address(), server_.address()});
  dialer_->Dial("no-such-host.invalid", 443,
                [this](absl::StatusOr<ConnectionRef>) { ++callbacks_; });

  dialer_.reset();
  loop_->RunOnce(MonotonicClock::Now() + Duration::Milliseconds(20));
  host_.reset();

  EXPECT_EQ(callbacks_, 0);
}

}  // namespace
}  // namespace godwit
