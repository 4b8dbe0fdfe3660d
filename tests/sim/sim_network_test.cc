// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_network.h"

#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

class SimNetworkTest : public testing::Test {
 protected:
  SimNetworkTest() {
    SimLink* link = network_.AddLink("both", {});
    network_.SetRoute(client_, server_, link);
    network_.SetRoute(server_, client_, link);
  }

  void Send(SimNetwork::NodeId from, const SocketAddress& destination) {
    SimPacket packet;
    packet.destination = destination;
    packet.payload.assign(100, 0);
    network_.Send(from, std::move(packet));
  }
  void RunAll() {
    while (!queue_.empty()) queue_.RunNext();
  }

  const SocketAddress client_address_ = *SocketAddress::Parse("192.0.2.1:5000");
  const SocketAddress server_address_ = *SocketAddress::Parse("198.51.100.1:443");
  EventQueue queue_{Timestamp::Zero()};
  SimTrace trace_;
  SimNetwork network_{1, &queue_, &trace_};
  std::vector<SimPacket> at_client_;
  std::vector<SimPacket> at_server_;
  const SimNetwork::NodeId client_ = network_.AddNode(
      "client", client_address_, [this](SimPacket&& packet) { at_client_.push_back(packet); });
  const SimNetwork::NodeId server_ = network_.AddNode(
      "server", server_address_, [this](SimPacket&& packet) { at_server_.push_back(packet); });
};

TEST_F(SimNetworkTest, DatagramsFindTheirDestination) {
  Send(client_, server_address_);
  RunAll();

  ASSERT_EQ(at_server_.size(), 1u);
  EXPECT_EQ(at_server_[0].source, client_address_);
}

TEST_F(SimNetworkTest, ARebindingChangesTheSourceThatOthersSee) {
  network_.RebindPort(client_);

  Send(client_, server_address_);
  RunAll();

  ASSERT_EQ(at_server_.size(), 1u);
  EXPECT_TRUE(at_server_[0].source.SameIp(client_address_));
  EXPECT_NE(at_server_[0].source.port(), client_address_.port());
}

TEST_F(SimNetworkTest, ANewIpIsAnotherOne) {
  network_.RebindIp(client_);

  Send(client_, server_address_);
  RunAll();

  ASSERT_EQ(at_server_.size(), 1u);
  EXPECT_FALSE(at_server_[0].source.SameIp(client_address_));
}

TEST_F(SimNetworkTest, AnAnswerToTheNewAddressComesToTheNodesOwn) {
  network_.RebindPort(client_);

  Send(server_, network_.public_address(client_));
  RunAll();

  ASSERT_EQ(at_client_.size(), 1u);
  EXPECT_EQ(at_client_[0].destination, client_address_);
}

TEST_F(SimNetworkTest, WhatIsUnderWayToTheOldAddressIsLost) {
  Send(server_, client_address_);
  network_.RebindPort(client_);
  Send(server_, client_address_);
  RunAll();

  EXPECT_TRUE(at_client_.empty());
  EXPECT_EQ(trace_.CountOf("drop: mapping is gone"), 1u);
  EXPECT_EQ(trace_.CountOf("drop: no route"), 1u);
}

}  // namespace
}  // namespace godwit
