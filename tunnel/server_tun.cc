// SPDX-License-Identifier: Apache-2.0
#include "tunnel/server_tun.h"

#include <algorithm>
#include <utility>

#include "tunnel/ip_packet.h"

namespace godwit::tunnel {

absl::StatusOr<std::unique_ptr<ServerTun>> ServerTun::Open(Loop* loop,
                                                           const TunInterface& interface,
                                                           SendCallback send, TunnelLog log) {
  const auto address = AddressOf(interface);
  if (!address.ok()) return address.status();
  std::unique_ptr<ServerTun> tun(new ServerTun(*address, std::move(send)));
  auto device = TunDevice::Open(
      loop, interface,
      [tun = tun.get()](std::span<const uint8_t> packet) { tun->OnKernelPacket(packet); },
      std::move(log));
  if (!device.ok()) return device.status();
  tun->device_ = *std::move(device);
  return tun;
}

void ServerTun::OnPacket(Peer peer, const PublicKeyHash& key, uint64_t max_packet_bytes,
                         std::span<const uint8_t> packet) {
  const auto addresses = ParseIpPacket(packet);
  if (!addresses.has_value() || !routes_.Learn(peer, key, addresses->source)) return;
  if (max_packet_bytes_.try_emplace(peer, max_packet_bytes).second) UpdateMtu();
  device_->Write(packet);
}

void ServerTun::OnKernelPacket(std::span<const uint8_t> packet) {
  const auto addresses = ParseIpPacket(packet);
  if (!addresses.has_value()) return;
  const auto peer = routes_.Find(addresses->destination);
  if (peer.has_value()) send_(*peer, packet);
}

void ServerTun::SetMaxPacketBytes(Peer peer, uint64_t bytes) {
  const auto found = max_packet_bytes_.find(peer);
  if (found == max_packet_bytes_.end()) return;
  found->second = bytes;
  UpdateMtu();
}

void ServerTun::Forget(Peer peer) {
  routes_.Forget(peer);
  max_packet_bytes_.erase(peer);
  UpdateMtu();
}

void ServerTun::UpdateMtu() {
  if (max_packet_bytes_.empty()) return;
  const auto narrowest = std::ranges::min_element(max_packet_bytes_, {},
                                                  [](const auto& entry) { return entry.second; });
  device_->SetMaxPacketBytes(narrowest->second);
}

}  // namespace godwit::tunnel
