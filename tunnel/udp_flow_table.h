// SPDX-License-Identifier: Apache-2.0
//
// UdpFlowTable: the UDP flows of one connection: brings packets from DATAGRAM frames to the flow
// that they name, and packets of a flow into frames, in fragments where need be. A flow without
// packets for kIdle is ended. What a flow is connected to is decided elsewhere.
//
// A datagram may overtake the stream that opens its flow, so that some of unknown flows are kept.
// Bounded, whatever a peer sends: kMaxEarlyBytes of those, and what UdpReassembler keeps.
#ifndef GODWIT_TUNNEL_UDP_FLOW_TABLE_H_
#define GODWIT_TUNNEL_UDP_FLOW_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "godwit/connection_ref.h"
#include "godwit/loop.h"
#include "tunnel/tcp_flow.h"
#include "tunnel/udp_reassembler.h"

namespace godwit::tunnel {

class UdpFlowTable {
 public:
  static constexpr Duration kIdle = Duration::Seconds(60);
  static constexpr size_t kMaxEarlyBytes = size_t{128} << 10;
  static constexpr size_t kMaxEarlyPackets = 128;

  using PacketCallback = std::function<void(std::span<const uint8_t> packet)>;

  // `loop` and `totals` outlive it.
  UdpFlowTable(Loop* loop, ConnectionRef connection, FlowTotals* totals)
      : loop_(*loop), connection_(std::move(connection)), totals_(*totals) {}
  ~UdpFlowTable() { StopTimer(); }
  UdpFlowTable(const UdpFlowTable&) = delete;
  UdpFlowTable& operator=(const UdpFlowTable&) = delete;

  // `on_packet` may be called inside of this, with what came early. Each may remove the flow.
  void Add(uint32_t flow, PacketCallback on_packet, std::function<void()> on_idle);
  void Remove(uint32_t flow);
  // Best effort, as UDP is.
  void Send(uint32_t flow, std::span<const uint8_t> packet);
  // The payload of a DATAGRAM frame; what is none of a flow is dropped.
  void OnDatagram(std::span<const uint8_t> bytes);

  [[nodiscard]] size_t size() const { return flows_.size(); }

 private:
  struct Flow {
    PacketCallback on_packet;
    std::function<void()> on_idle;
    Timestamp active_at;
    uint16_t next_packet = 0;
  };
  struct Early {
    uint32_t flow;
    std::vector<uint8_t> packet;
  };

  void Deliver(uint32_t flow, std::span<const uint8_t> packet);
  void KeepEarly(uint32_t flow, std::span<const uint8_t> packet);
  void OnTimer();
  void StartTimer();
  void StopTimer();

  Loop& loop_;
  ConnectionRef connection_;
  FlowTotals& totals_;
  // Shared: who is called may remove the flow meanwhile.
  std::map<uint32_t, std::shared_ptr<Flow>> flows_;
  UdpReassembler reassembler_;
  std::deque<Early> early_;
  size_t early_bytes_ = 0;
  std::optional<Loop::CallId> timer_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_FLOW_TABLE_H_
