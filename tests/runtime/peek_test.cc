// SPDX-License-Identifier: Apache-2.0
//
// What Peek() shows may be passed on: Write() and SendDatagram() leave the views as they are.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

using Views = std::array<std::span<const uint8_t>, 8>;

// Sends back what it gets by passing on all views of a stream, one after the other, before it
// consumes any; and looks whether they have stayed what they were.
class PassingHandler final : public EventHandler {
 public:
  PassingHandler(size_t* most_views, bool* has_changed)
      : most_views_(*most_views), has_changed_(*has_changed) {}

  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    for (;;) {
      Views views;
      const auto state = connection.ReadState(stream);
      const auto count = connection.Peek(stream, views);
      if (!state.ok() || !count.ok()) return;
      std::vector<std::vector<uint8_t>> before;
      for (size_t i = 0; i < *count; ++i) before.emplace_back(views[i].begin(), views[i].end());
      most_views_ = std::max(most_views_, *count);

      uint64_t taken = 0;
      for (size_t i = 0; i < *count; ++i) {
        const auto written = connection.Write(stream, views[i]);
        if (!written.ok()) return;
        taken += *written;
        if (*written < views[i].size()) break;
        static_cast<void>(
            connection.SendDatagram(views[i].first(std::min<size_t>(views[i].size(), 100))));
      }
      for (size_t i = 0; i < *count; ++i) {
        has_changed_ = has_changed_ || !std::ranges::equal(views[i], before[i]);
      }

      const bool is_end = state->has_all_data && taken == state->readable_bytes;
      if (!connection.Consume(stream, taken).ok()) return;
      if (is_end) return static_cast<void>(connection.Finish(stream));
      if (taken == 0) return;
    }
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    OnStreamReadable(connection, stream);
  }

 private:
  size_t& most_views_;
  bool& has_changed_;
};

TEST(PeekTest, ViewsCanBeWrittenOnwardsOneAfterTheOther) {
  size_t most_views = 0;
  bool has_changed = false;
  EchoClient handler(4, 2'000'000);
  {
    const auto server = *Server::Create(EchoServerConfig(), [&](Loop&) {
      return std::make_unique<PassingHandler>(&most_views, &has_changed);
    });
    server->Start();
    const auto client = *Client::Create(EchoClientConfig(), &handler);
    ASSERT_TRUE(client->Connect(server->local_address(), "localhost").ok());
    ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));
  }

  EXPECT_FALSE(handler.has_mismatch());
  EXPECT_FALSE(has_changed);
  EXPECT_GT(most_views, 1U);
}

}  // namespace
}  // namespace godwit
