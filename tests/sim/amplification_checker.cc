// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/amplification_checker.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "base/encryption_level.h"
#include "transport/wire/datagram_splitter.h"

namespace godwit {
namespace {

constexpr uint64_t kFactor = 3;
constexpr uint8_t kLongHeader = 0x80;

bool HoldsHandshakePacket(const SimPacket& packet) {
  std::vector<uint8_t> copy = packet.payload;
  DatagramSplitter splitter(copy, PacketRules(0));
  for (DatagramPart part; splitter.Next(&part);) {
    if (part.kind() == DatagramPart::Kind::kPacket &&
        part.packet().level() == EncryptionLevel::kHandshake) {
      return true;
    }
  }
  return false;
}

}  // namespace

void AmplificationChecker::OnSent(SimNetwork::NodeId from, SimNetwork::NodeId to,
                                  const SimPacket& packet) {
  static_cast<void>(to);
  if (!servers_.contains(from)) return;
  Peer& peer = peers_[{from, packet.destination}];
  peer.sent_bytes += packet.payload.size();
  if (peer.is_validated || peer.sent_bytes <= kFactor * peer.received_bytes) return;
  problem_ = absl::StrCat("amplification: ", peer.sent_bytes, " bytes were sent to ",
                          packet.destination.ToString(), ", which is not validated and has sent ",
                          peer.received_bytes);
}

void AmplificationChecker::OnDelivered(SimNetwork::NodeId from, SimNetwork::NodeId to,
                                       const SimPacket& packet) {
  static_cast<void>(from);
  if (!servers_.contains(to)) return;
  Peer& peer = peers_[{to, packet.source}];
  peer.received_bytes += packet.payload.size();
  if (peer.is_validated || packet.payload.empty()) return;
  const bool is_long = (packet.payload[0] & kLongHeader) != 0;
  if (is_long) {
    peer.is_validated = HoldsHandshakePacket(packet);
  } else {
    peer.is_validated = proves_path_ == nullptr || proves_path_(packet);
  }
}

}  // namespace godwit
