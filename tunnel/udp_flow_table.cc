// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_flow_table.h"

#include <algorithm>

#include "tunnel/udp_datagram.h"

namespace godwit::tunnel {

void UdpFlowTable::Add(uint32_t flow, PacketCallback on_packet, std::function<void()> on_idle) {
  flows_[flow] = std::make_shared<Flow>(Flow{
      .on_packet = std::move(on_packet), .on_idle = std::move(on_idle), .active_at = loop_.now()});
  StartTimer();
  std::deque<Early> others;
  std::vector<Early> own;
  for (Early& early : early_) {
    if (early.flow != flow) {
      others.push_back(std::move(early));
    } else {
      early_bytes_ -= early.packet.size();
      own.push_back(std::move(early));
    }
  }
  early_ = std::move(others);
  for (const Early& early : own) Deliver(flow, early.packet);
}

void UdpFlowTable::Remove(uint32_t flow) {
  flows_.erase(flow);
  if (flows_.empty()) StopTimer();
}

void UdpFlowTable::Send(uint32_t flow, std::span<const uint8_t> packet) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return;
  found->second->active_at = loop_.now();
  totals_.bytes_to_peer += packet.size();
  // What the queue refuses is lost, as on any full link.
  CutUdpPacket(flow, found->second->next_packet++, packet, connection_.max_datagram_payload_bytes(),
               [this](std::span<const uint8_t> payload) {
                 static_cast<void>(connection_.SendDatagram(payload));
               });
}

void UdpFlowTable::OnDatagram(std::span<const uint8_t> bytes) {
  const std::optional<UdpDatagram> datagram = ParseUdpDatagram(bytes);
  if (!datagram.has_value()) return;
  if (datagram->count == 1) return Deliver(datagram->flow, datagram->payload);
  const auto whole = reassembler_.Add(*datagram, loop_.now());
  if (whole.has_value()) Deliver(datagram->flow, *whole);
}

void UdpFlowTable::Deliver(uint32_t flow, std::span<const uint8_t> packet) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return KeepEarly(flow, packet);
  const std::shared_ptr<Flow> receiver = found->second;
  receiver->active_at = loop_.now();
  totals_.bytes_from_peer += packet.size();
  receiver->on_packet(packet);
}

void UdpFlowTable::KeepEarly(uint32_t flow, std::span<const uint8_t> packet) {
  early_.push_back({.flow = flow, .packet = {packet.begin(), packet.end()}});
  early_bytes_ += packet.size();
  while (early_bytes_ > kMaxEarlyBytes || early_.size() > kMaxEarlyPackets) {
    early_bytes_ -= early_.front().packet.size();
    early_.pop_front();
  }
}

void UdpFlowTable::OnTimer() {
  timer_.reset();
  std::vector<std::shared_ptr<Flow>> idle;
  for (auto flow = flows_.begin(); flow != flows_.end();) {
    if (flow->second->active_at + kIdle > loop_.now()) {
      ++flow;
      continue;
    }
    idle.push_back(std::move(flow->second));
    flow = flows_.erase(flow);
  }
  if (!flows_.empty()) StartTimer();
  for (const auto& flow : idle) flow->on_idle();
}

void UdpFlowTable::StartTimer() {
  if (timer_.has_value()) return;
  Timestamp oldest = Timestamp::Infinite();
  for (const auto& [id, flow] : flows_) oldest = std::min(oldest, flow->active_at);
  // Not more often than it pays.
  const Timestamp due = std::max(oldest + kIdle, loop_.now() + kIdle / 8);
  timer_ = loop_.CallAt(due, [this] { OnTimer(); });
}

void UdpFlowTable::StopTimer() {
  if (timer_.has_value()) loop_.Cancel(*std::exchange(timer_, std::nullopt));
}

}  // namespace godwit::tunnel
