// SPDX-License-Identifier: Apache-2.0
//
// LinkRouter: the router between client and server: takes packets from one interface, lets the link
// model of that direction decide, and puts them onto the other in time. It also carries out the
// script, answers packets that are too big, counts, and captures. It sleeps never and starts
// nothing; who owns it calls RunOnce() when an fd has input or the deadline is reached.
#ifndef GODWIT_BENCH_EMULATOR_LINK_ROUTER_H_
#define GODWIT_BENCH_EMULATOR_LINK_ROUTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/lateness.h"
#include "bench/emulator/link_model.h"
#include "bench/emulator/packet_socket.h"
#include "bench/emulator/pcap_writer.h"
#include "bench/emulator/too_big_message.h"
#include "godwit/time.h"

namespace godwit {

// Where packets of a direction come from.
struct LinkEnd {
  PacketSocket socket;
  RouterAddresses router;  // Who answers packets that are too big.
};

struct LinkRouterConfig {
  EmulationPlan plan;
  uint64_t seed = 0;
  // Null, or what outlives the router: packets as the ends sent them, and as they arrive.
  PcapWriter* sent_capture = nullptr;
  PcapWriter* delivered_capture = nullptr;
  // Called when the script says so.
  std::function<void()> next_client_address = {};
};

// The seed of a direction's model in a run that has `seed`.
constexpr uint64_t SeedOfLink(LinkDirection direction, uint64_t seed) {
  return seed * kLinkDirections.size() + IndexOf(direction);
}

struct DirectionReport {
  LinkCounters link;
  PacketSocketCounters sockets;  // Of both that this direction's packets pass.
  uint64_t too_big_answers = 0;
  // From the time when a packet should have left the router to when it did.
  const Lateness* lateness = nullptr;
};

class LinkRouter {
 public:
  // The script's times count from `start`.
  LinkRouter(LinkRouterConfig config, LinkEnd client, LinkEnd server, Timestamp start);

  // Moves all that can move.
  void RunOnce();

  int client_fd() const { return ends_[IndexOf(LinkDirection::kUp)].socket.fd(); }
  int server_fd() const { return ends_[IndexOf(LinkDirection::kDown)].socket.fd(); }
  Timestamp next_deadline() const;

  const LinkModel& link(LinkDirection direction) const { return links_[IndexOf(direction)]; }
  DirectionReport ReadReport(LinkDirection direction);

 private:
  void Receive(LinkDirection direction);
  void AnswerTooBig(LinkDirection direction, const std::vector<uint8_t>& answer);
  void RunScript(Timestamp now);
  void Deliver(LinkDirection direction, Timestamp now);
  // Gives the time after it.
  Timestamp Flush(PacketSocket& socket, Lateness& lateness);

  LinkRouterConfig config_;
  const Timestamp start_;
  size_t next_step_ = 0;
  // By direction: its sender's end.
  std::array<LinkEnd, kLinkDirections.size()> ends_;
  std::array<LinkModel, kLinkDirections.size()> links_;
  std::array<Lateness, kLinkDirections.size()> lateness_;
  std::array<uint64_t, kLinkDirections.size()> too_big_answers_ = {};
  std::vector<Timestamp> due_;  // Of what waits in a socket for Flush().
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_LINK_ROUTER_H_
