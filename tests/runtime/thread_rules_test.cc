// SPDX-License-Identifier: Apache-2.0
//
// What the headers say about threads and about callbacks is checked: whoever breaks it ends there,
// and not somewhere else later.
#include <functional>
#include <memory>
#include <thread>

#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

class ThreadRulesDeathTest : public testing::Test {
 protected:
  ThreadRulesDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }

  // While the client's loop runs.
  void CallFromACallback(const std::function<void()>& call) {
    client_->loop().Post([&call] { call(); });
    client_->RunOnce(Timestamp::InfinitePast());
  }
  void CallFromAnotherThread(const std::function<void()>& call) {
    CallFromACallback([&call] { std::thread(call).join(); });
  }

  EventHandler handler_;
  std::unique_ptr<Client> client_ = *Client::Create(EchoClientConfig(), &handler_);
  ConnectionRef connection_ = *client_->Connect(*SocketAddress::Parse("127.0.0.1:9"), "localhost");
};

TEST_F(ThreadRulesDeathTest, AClientIsNotDestroyedInACallback) {
  EXPECT_DEATH(CallFromACallback([this] { client_.reset(); }), "GODWIT_CHECK failed");
}

TEST_F(ThreadRulesDeathTest, TheLoopIsNotRunInACallback) {
  EXPECT_DEATH(CallFromACallback([this] { client_->RunOnce(Timestamp::InfinitePast()); }),
               "GODWIT_CHECK failed");
}

TEST_F(ThreadRulesDeathTest, NamesOfConnectionsMayGoThroughOtherThreads) {
  bool is_open = false;

  CallFromAnotherThread([this, &is_open] {
    client_->loop().Post([connection = connection_, &is_open] { is_open = connection.is_open(); });
  });
  client_->RunOnce(Timestamp::InfinitePast());

  EXPECT_TRUE(is_open);
}

#ifndef NDEBUG
TEST_F(ThreadRulesDeathTest, ConnectionsAreOfTheLoopsThread) {
  EXPECT_DEATH(CallFromAnotherThread([this] { static_cast<void>(connection_.is_open()); }),
               "GODWIT_DCHECK failed");
  EXPECT_DEATH(CallFromAnotherThread([this] { static_cast<void>(connection_.Close(0, "")); }),
               "GODWIT_DCHECK failed");
}

TEST_F(ThreadRulesDeathTest, ClientsAreOfTheLoopsThread) {
  EXPECT_DEATH(CallFromAnotherThread([this] { static_cast<void>(client_->stats()); }),
               "GODWIT_DCHECK failed");
  EXPECT_DEATH(CallFromAnotherThread([this] { client_->Dial("localhost", 1, [](auto) {}); }),
               "GODWIT_DCHECK failed");
}

TEST_F(ThreadRulesDeathTest, LoopsAreOfTheirThread) {
  EXPECT_DEATH(CallFromAnotherThread([this] { static_cast<void>(client_->loop().now()); }),
               "GODWIT_DCHECK failed");
}

TEST_F(ThreadRulesDeathTest, AServerIsNotShutDownByItsOwnThread) {
  const auto shut_down = [] {
    std::unique_ptr<Server> server;
    server = *Server::Create(EchoServerConfig(), [&server](Loop& loop) {
      loop.Post([&server] { server->Shutdown(Duration::Zero()); });
      return std::make_unique<EventHandler>();
    });
    server->Start();
    std::this_thread::sleep_for(std::chrono::seconds(600));
  };

  EXPECT_DEATH(shut_down(), "GODWIT_DCHECK failed");
}
#endif

}  // namespace
}  // namespace godwit
