// SPDX-License-Identifier: Apache-2.0
//
// The memory budget of a whole endpoint: peers that never stop sending to an application that does
// not read.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/endpoint/endpoint_hosts.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {
namespace {

constexpr uint64_t kBudget = uint64_t{4} << 20;
constexpr size_t kClients = 12;

class EndpointMemoryTest : public testing::Test {
 protected:
  EndpointMemoryTest() {
    EndpointConfig config;
    config.memory_budget_bytes = kBudget;
    server_ = std::make_unique<EndpointHost>(EndpointHost::Options{
        .role = HostRole::kServer, .address = "192.0.2.9:443", .config = config, .seed = 2});
    network_.Add(server_.get());
    server_->on_event = [this](const EndpointEvent& event) { OnServerEvent(event); };
    for (size_t i = 0; i < kClients; ++i) AddClient();
  }

  EndpointHost& AddClient() {
    const std::string address = "192.0.2." + std::to_string(10 + clients_.size()) + ":1000";
    clients_.push_back(std::make_unique<EndpointHost>(
        EndpointHost::Options{.address = address, .seed = 100 + clients_.size()}));
    network_.Add(clients_.back().get());
    return *clients_.back();
  }

  // Every client has a stream with as much as its connection takes, for ever.
  void ConnectAll() {
    for (auto& client : clients_) handles_.push_back(network_.Connect(*client, *server_));
    for (size_t i = 0; i < clients_.size(); ++i) {
      Connection* const connection = clients_[i]->endpoint().Find(handles_[i]);
      for (int k = 0; k < 8; ++k) {
        const StreamId stream = *connection->OpenStream(StreamDirection::kUnidirectional);
        const std::vector<uint8_t> data(500'000, 1);
        sent_bytes_ += *connection->WriteStream(stream, data);
      }
    }
  }

  void OnServerEvent(const EndpointEvent& event) {
    if (event.event.kind != ConnectionEvent::Kind::kStream) return;
    if (event.event.stream.kind != StreamEvent::Kind::kReadable) return;
    readable_.push_back({event.connection, event.event.stream.id});
    if (reads_) ReadAll();
  }
  void ReadAll() {
    for (const auto& [handle, stream] : readable_) {
      Connection* const connection = server_->endpoint().Find(handle);
      if (connection == nullptr) continue;
      std::array<std::span<const uint8_t>, 64> views;
      for (;;) {
        const auto count = connection->PeekStream(stream, views);
        if (!count.ok() || *count == 0) break;
        uint64_t bytes = 0;
        for (size_t i = 0; i < *count; ++i) bytes += views[i].size();
        ASSERT_TRUE(connection->ConsumeStream(stream, bytes, network_.now()).ok());
        read_bytes_ += bytes;
      }
    }
    readable_.clear();
  }

  const EndpointStats& stats() { return server_->endpoint().stats(); }

  EndpointNetwork network_;
  std::unique_ptr<EndpointHost> server_;
  std::vector<std::unique_ptr<EndpointHost>> clients_;
  std::vector<ConnectionHandle> handles_;
  std::vector<std::pair<ConnectionHandle, StreamId>> readable_;
  bool reads_ = false;
  uint64_t sent_bytes_ = 0;
  uint64_t read_bytes_ = 0;
};

TEST_F(EndpointMemoryTest, UnreadDataStaysWithinTheBudget) {
  ConnectAll();

  network_.RunFor(Duration::Seconds(10));

  EXPECT_GT(stats().held_bytes, kBudget * 9 / 10);
  EXPECT_LE(stats().held_bytes, kBudget);
  EXPECT_GT(stats().dropped_because(DropReason::kMemoryBudget), 0);
}

TEST_F(EndpointMemoryTest, NoConnectionIsAcceptedWhileTheBudgetIsSpent) {
  ConnectAll();
  network_.RunFor(Duration::Seconds(5));

  EndpointHost& late = AddClient();
  network_.Connect(late, *server_);

  EXPECT_GE(stats().refused_because(RefusalReason::kMemoryBudget), 1);
  EXPECT_EQ(late.close_reasons.size(), 1);
}

TEST_F(EndpointMemoryTest, EverythingArrivesOnceTheApplicationReads) {
  ConnectAll();
  network_.RunFor(Duration::Seconds(5));
  ASSERT_GT(stats().held_bytes, kBudget * 9 / 10);

  reads_ = true;
  ReadAll();
  network_.RunFor(Duration::Seconds(60));

  EXPECT_EQ(read_bytes_, sent_bytes_);
  EXPECT_LT(stats().held_bytes, kBudget / 2);
}

}  // namespace
}  // namespace godwit
