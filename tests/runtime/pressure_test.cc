// SPDX-License-Identifier: Apache-2.0
//
// A reader that does not read stops its writer; and numbers that another thread asks for while
// traffic flows.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

constexpr uint64_t kSendBuffer = 256 << 10;
constexpr uint64_t kWindow = 128 << 10;

// Writes without end, as much as is taken, on one stream of each connection.
class FloodHandler final : public EventHandler {
 public:
  // `written` and `is_enough` outlive it.
  FloodHandler(std::atomic<uint64_t>* written, const std::atomic<bool>* is_enough)
      : written_(*written), is_enough_(*is_enough) {}

  void OnConnected(ConnectionRef connection) override {
    const StreamId stream = *connection.OpenStream(StreamDirection::kUnidirectional);
    Write(connection, stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    Write(connection, stream);
  }

 private:
  void Write(ConnectionRef& connection, StreamId stream) {
    const std::string block(65'536, 'f');
    while (true) {
      if (is_enough_) return static_cast<void>(connection.Finish(stream));
      const auto taken = connection.Write(stream, block);
      if (!taken.ok()) return;
      written_ += *taken;
      if (*taken < block.size()) return;
    }
  }

  std::atomic<uint64_t>& written_;
  const std::atomic<bool>& is_enough_;
};

class LazyReader final : public EventHandler {
 public:
  bool is_done() const { return is_done_; }
  uint64_t read_bytes() const { return read_bytes_; }
  ConnectionRef connection() const { return connection_; }
  bool has_stream() const { return has_stream_; }
  // What there is, and from here on whatever comes.
  void BeginToRead() {
    is_reading_ = true;
    Read();
  }

  void OnConnected(ConnectionRef connection) override { connection_ = connection; }
  void OnStreamOpened(ConnectionRef, StreamId stream) override {
    stream_ = stream;
    has_stream_ = true;
  }
  void OnStreamReadable(ConnectionRef, StreamId) override { Read(); }
  void OnStreamFinished(ConnectionRef, StreamId) override { Read(); }
  uint64_t readable_bytes() const {
    return has_stream_ ? connection_.ReadState(stream_)->readable_bytes : 0;
  }

 private:
  void Read() {
    std::array<uint8_t, 65'536> bytes;
    while (is_reading_ && !is_done_) {
      const auto read = connection_.Read(stream_, bytes);
      if (!read.ok() || (read->bytes == 0 && !read->is_end)) return;
      const auto part = std::span(bytes).first(read->bytes);
      EXPECT_TRUE(std::ranges::all_of(part, [](uint8_t byte) { return byte == 'f'; }));
      read_bytes_ += read->bytes;
      is_done_ = read->is_end;
    }
  }

  ConnectionRef connection_;
  StreamId stream_;
  bool has_stream_ = false;
  bool is_reading_ = false;
  bool is_done_ = false;
  uint64_t read_bytes_ = 0;
};

TEST(PressureTest, AReaderThatDoesNotReadStopsTheWriterAndThenReadsAll) {
  std::atomic<uint64_t> written = 0;
  std::atomic<bool> is_enough = false;
  ServerConfig server_config = EchoServerConfig();
  server_config.endpoint.connection.streams.max_send_buffer_bytes = kSendBuffer;
  const auto server = *Server::Create(
      server_config, [&](Loop&) { return std::make_unique<FloodHandler>(&written, &is_enough); });
  server->Start();
  ClientConfig config = EchoClientConfig();
  StreamConfig& streams = config.endpoint.connection.streams;
  streams.initial_max_stream_data_bidi_local = kWindow;
  streams.initial_max_stream_data_bidi_remote = kWindow;
  streams.initial_max_stream_data_uni = kWindow;
  streams.max_stream_window_bytes = kWindow;
  LazyReader reader;
  const auto client = *Client::Create(config, &reader);
  ASSERT_TRUE(client->Connect(server->local_address(), "localhost").ok());

  ASSERT_TRUE(RunUntil(*client, [&] { return reader.readable_bytes() == kWindow; }));
  for (int i = 0; i < 5; ++i) client->RunOnce(client->loop().now() + Duration::Milliseconds(10));
  const uint64_t readable_when_full = reader.readable_bytes();
  const uint64_t written_when_full = written;
  const uint64_t held_by_client = client->stats().held_bytes;
  const uint64_t held_by_server = server->Stats().held_bytes;
  reader.BeginToRead();
  ASSERT_TRUE(RunUntil(*client, [&] { return reader.read_bytes() > 3'000'000; }));
  is_enough = true;
  ASSERT_TRUE(RunUntil(*client, [&] { return reader.is_done(); }));

  EXPECT_EQ(readable_when_full, kWindow);
  EXPECT_GT(written_when_full, kWindow);
  EXPECT_LE(written_when_full, kWindow + kSendBuffer);
  EXPECT_GE(held_by_client, kWindow);
  EXPECT_LE(held_by_client, 4 * kWindow);
  EXPECT_GE(held_by_server, written_when_full - kWindow);
  EXPECT_LE(held_by_server, 4 * kSendBuffer);
  EXPECT_EQ(reader.read_bytes(), written);
}

TEST(PressureTest, StatsGrowForAnotherThreadWhileTrafficFlows) {
  ServerConfig config = EchoServerConfig();
  config.shards = 2;
  EchoServer server(config);
  EchoClient handler(4, 500'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  std::atomic<bool> is_done = false;
  size_t asked = 0;
  bool has_shrunk = false;

  std::thread asking([&] {
    uint64_t received = 0;
    uint64_t sent = 0;
    do {
      const EndpointStats stats = server.server().Stats();
      const UdpSocketStats socket_stats = server.server().SocketStats();
      has_shrunk = has_shrunk || stats.bytes_received < received || socket_stats.bytes_sent < sent;
      received = stats.bytes_received;
      sent = socket_stats.bytes_sent;
      ++asked;
    } while (!is_done);
  });
  const bool is_connecting = client->Connect(server.address(), "localhost").ok();
  const bool has_worked = is_connecting && RunUntil(*client, [&] { return handler.is_done(); });
  is_done = true;
  asking.join();

  EXPECT_TRUE(has_worked);
  EXPECT_FALSE(has_shrunk);
  EXPECT_GT(asked, 0U);
  EXPECT_GE(server.server().Stats().bytes_received, 2'000'000U);
  EXPECT_GE(server.server().SocketStats().bytes_sent, 2'000'000U);
  EXPECT_FALSE(server.server().OffloadText().empty());
}

}  // namespace
}  // namespace godwit
