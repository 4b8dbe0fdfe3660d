// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_network.h"

#include <array>

#include "base/check.h"

namespace godwit {
namespace {

constexpr uint16_t kFirstRebindPort = 20'000;

}  // namespace

SimNetwork::NodeId SimNetwork::AddNode(std::string name, const SocketAddress& address,
                                       Receiver receiver) {
  const NodeId id = nodes_.size();
  nodes_.push_back({std::move(name), address, address, std::move(receiver)});
  const bool is_new = by_public_address_.emplace(address, id).second;
  GODWIT_CHECK(is_new);
  return id;
}

SimLink* SimNetwork::AddLink(std::string name, const LinkConfig& config) {
  links_.push_back(
      std::make_unique<SimLink>(std::move(name), config, random_.NextUint64(), &queue_, &trace_));
  links_.back()->SetDelivery([this](SimPacket&& packet) { Arrive(std::move(packet)); });
  return links_.back().get();
}

void SimNetwork::SetRoute(NodeId from, NodeId to, SimLink* link) { routes_[{from, to}] = link; }

void SimNetwork::Send(NodeId from, SimPacket&& packet) {
  const Timestamp now = queue_.now();
  packet.number = next_packet_number_++;
  packet.sender = from;
  packet.source = nodes_[from].public_address;
  trace_.Add(now, {"send", nodes_[from].name, packet.number, packet.payload.size()});

  const auto destination = by_public_address_.find(packet.destination);
  const auto route = destination == by_public_address_.end()
                         ? routes_.end()
                         : routes_.find({from, destination->second});
  if (route == routes_.end()) {
    trace_.Add(now, {"drop: no route", nodes_[from].name, packet.number, packet.payload.size()});
    return;
  }
  for (Observer* observer : observers_) observer->OnSent(from, destination->second, packet);
  route->second->Send(std::move(packet));
}

void SimNetwork::Arrive(SimPacket&& packet) {
  const auto destination = by_public_address_.find(packet.destination);
  if (destination == by_public_address_.end()) {
    trace_.Add(queue_.now(),
               {"drop: mapping is gone", "nat", packet.number, packet.payload.size()});
    return;
  }
  Node& node = nodes_[destination->second];
  for (Observer* observer : observers_) {
    observer->OnDelivered(packet.sender, destination->second, packet);
  }
  packet.destination = node.own_address;
  node.receiver(std::move(packet));
}

void SimNetwork::Rebind(NodeId node, const SocketAddress& public_address) {
  by_public_address_.erase(nodes_[node].public_address);
  nodes_[node].public_address = public_address;
  const bool is_new = by_public_address_.emplace(public_address, node).second;
  GODWIT_CHECK(is_new);
  trace_.Add(queue_.now(), {"rebind", nodes_[node].name, public_address.port(), 0});
}

void SimNetwork::RebindPort(NodeId node) {
  const SocketAddress& before = nodes_[node].public_address;
  const uint16_t port = static_cast<uint16_t>(kFirstRebindPort + rebind_count_++ % 40'000);
  Rebind(node,
         *SocketAddress::ParseIp(before.ToString().substr(0, before.ToString().rfind(':')), port));
}

void SimNetwork::RebindIp(NodeId node) {
  const uint32_t count = rebind_count_++;
  const std::array<uint8_t, 4> ip = {203, 0, static_cast<uint8_t>(count >> 8),
                                     static_cast<uint8_t>(count)};
  Rebind(node,
         SocketAddress::FromIpv4(ip, static_cast<uint16_t>(kFirstRebindPort + count % 40'000)));
}

}  // namespace godwit
