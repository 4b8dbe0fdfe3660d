// SPDX-License-Identifier: Apache-2.0
//
// SimNetwork: nodes with addresses, the links between them, and a NAT in front of each node. It
// carries datagrams by their destination address.
//
// A node has the address that it believes to have and the one that the others see. Rebinding
// changes the second: what comes for the one before is dropped, as by a NAT that forgot its
// mapping.
#ifndef GODWIT_TESTS_SIM_SIM_NETWORK_H_
#define GODWIT_TESTS_SIM_SIM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/seeded_random.h"
#include "godwit/socket_address.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_link.h"
#include "tests/sim/sim_packet.h"
#include "tests/sim/sim_trace.h"

namespace godwit {

class SimNetwork {
 public:
  using NodeId = size_t;
  using Receiver = std::function<void(SimPacket&&)>;
  // Sees every datagram when it is sent and when it arrives, with public addresses.
  struct Observer {
    virtual ~Observer() = default;
    virtual void OnSent(NodeId from, NodeId to, const SimPacket& packet) = 0;
    virtual void OnDelivered(NodeId from, NodeId to, const SimPacket& packet) = 0;
  };

  // Both outlive the network.
  SimNetwork(uint64_t seed, EventQueue* queue, SimTrace* trace)
      : random_(seed), queue_(*queue), trace_(*trace) {}
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  NodeId AddNode(std::string name, const SocketAddress& address, Receiver receiver);
  SimLink* AddLink(std::string name, const LinkConfig& config);
  // Several routes may share a link. Without a route a datagram is dropped.
  void SetRoute(NodeId from, NodeId to, SimLink* link);
  void AddObserver(Observer* observer) { observers_.push_back(observer); }

  // `packet.source` is the address that the node believes to have.
  void Send(NodeId from, SimPacket&& packet);

  const SocketAddress& public_address(NodeId node) const { return nodes_[node].public_address; }
  void Rebind(NodeId node, const SocketAddress& public_address);
  // To a port, or an address too, that was never used.
  void RebindPort(NodeId node);
  void RebindIp(NodeId node);

 private:
  struct Node {
    std::string name;
    SocketAddress own_address;
    SocketAddress public_address;
    Receiver receiver;
  };

  void Arrive(SimPacket&& packet);

  SeededRandom random_;
  EventQueue& queue_;
  SimTrace& trace_;
  std::vector<Node> nodes_;
  std::map<SocketAddress, NodeId> by_public_address_;
  std::vector<std::unique_ptr<SimLink>> links_;
  std::map<std::pair<NodeId, NodeId>, SimLink*> routes_;
  std::vector<Observer*> observers_;
  uint64_t next_packet_number_ = 0;
  uint32_t rebind_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_NETWORK_H_
