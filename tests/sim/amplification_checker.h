// SPDX-License-Identifier: Apache-2.0
//
// AmplificationChecker: counts, from the sizes on the wire alone, what a server sends to addresses
// that nobody has validated: at most three times what came from them. RFC 9000 §8.1, §8.2, §9.3.
//
// An address counts as validated once a packet that proves it has arrived at the server, whether
// the server could read it or not: a Handshake packet, or one that the observer knows to carry a
// PATH_RESPONSE.
#ifndef GODWIT_TESTS_SIM_AMPLIFICATION_CHECKER_H_
#define GODWIT_TESTS_SIM_AMPLIFICATION_CHECKER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "godwit/socket_address.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_packet.h"

namespace godwit {

class AmplificationChecker final : public SimNetwork::Observer {
 public:
  // `proves_path`: whether the packet of that number carries a PATH_RESPONSE. Without it addresses
  // that appear in the middle of a connection are not checked.
  explicit AmplificationChecker(std::function<bool(const SimPacket&)> proves_path)
      : proves_path_(std::move(proves_path)) {}

  void AddServer(SimNetwork::NodeId node) { servers_.insert(node); }

  void OnSent(SimNetwork::NodeId from, SimNetwork::NodeId to, const SimPacket& packet) override;
  void OnDelivered(SimNetwork::NodeId from, SimNetwork::NodeId to,
                   const SimPacket& packet) override;

  // Empty if nothing is wrong.
  const std::string& problem() const { return problem_; }

 private:
  struct Peer {
    uint64_t received_bytes = 0;
    uint64_t sent_bytes = 0;
    bool is_validated = false;
  };

  std::function<bool(const SimPacket&)> proves_path_;
  std::set<SimNetwork::NodeId> servers_;
  std::map<std::pair<SimNetwork::NodeId, SocketAddress>, Peer> peers_;
  std::string problem_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_AMPLIFICATION_CHECKER_H_
