// SPDX-License-Identifier: Apache-2.0
//
// Reads arbitrary bytes as what the other end of a tunnel, or a SOCKS client, may send. The first
// byte says as which. What is understood can be written and is understood the same again; what is
// kept stays within its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tunnel/socks5_codec.h"
#include "tunnel/tunnel_message.h"
#include "tunnel/udp_datagram.h"
#include "tunnel/udp_reassembler.h"

namespace godwit::tunnel {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void ReadAsMessage(std::span<const uint8_t> bytes) {
  const auto read = ParseMessage(bytes);
  if (!read.ok()) {
    GODWIT_CHECK(!read.status().message().empty());
    return;
  }
  if (!read->has_value()) return;
  GODWIT_CHECK_LE((*read)->size, bytes.size());
  const auto again = ParseMessage(Bytes(EncodeMessage((*read)->message)));
  GODWIT_CHECK(again.ok() && again->has_value());
  GODWIT_CHECK((*again)->message == (*read)->message);
}

// Datagrams behind each other, each after its length in one byte.
void ReadAsDatagrams(std::span<const uint8_t> bytes) {
  UdpReassembler reassembler;
  Timestamp now;
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(bytes[0], bytes.size() - 1);
    const auto datagram = ParseUdpDatagram(bytes.subspan(1, size));
    bytes = bytes.subspan(1 + size);
    now += Duration::Milliseconds(static_cast<int64_t>(size));
    if (!datagram.has_value() || datagram->count == 1) continue;
    const auto whole = reassembler.Add(*datagram, now);
    if (whole.has_value()) GODWIT_CHECK_LE(whole->size(), kMaxUdpPacketBytes);
    GODWIT_CHECK_LE(reassembler.held_bytes(), UdpReassembler::kMaxBytes);
    GODWIT_CHECK_LE(reassembler.packet_count(), UdpReassembler::kMaxPackets);
  }
}

// A length in two bytes, then the size of frames in one (times 8).
void CutAndReassemble(std::span<const uint8_t> bytes) {
  if (bytes.size() < 3) return;
  const std::vector<uint8_t> packet(static_cast<size_t>(bytes[0] << 8 | bytes[1]), bytes[2]);
  UdpReassembler reassembler;
  std::optional<std::vector<uint8_t>> whole;
  const bool was_cut =
      CutUdpPacket(1, 2, packet, size_t{bytes[2]} * 8, [&](std::span<const uint8_t> frame) {
        GODWIT_CHECK_LE(frame.size(), size_t{bytes[2]} * 8);
        const auto datagram = ParseUdpDatagram(frame);
        GODWIT_CHECK(datagram.has_value());
        if (datagram->count == 1) {
          whole.emplace(datagram->payload.begin(), datagram->payload.end());
        } else if (auto made = reassembler.Add(*datagram, Timestamp())) {
          whole = std::move(made);
        }
      });
  GODWIT_CHECK_EQ(was_cut, whole.has_value());
  if (was_cut) GODWIT_CHECK(*whole == packet);
}

void ReadAsSocks(std::span<const uint8_t> bytes) {
  const Socks5Greeting greeting = ReadSocks5Greeting(bytes);
  if (greeting.progress == Socks5Progress::kDone) GODWIT_CHECK_LE(greeting.size, bytes.size());
  const Socks5Request request = ReadSocks5Request(bytes);
  if (request.progress == Socks5Progress::kDone) {
    GODWIT_CHECK_LE(request.size, bytes.size());
    GODWIT_CHECK(request.refusal != Socks5Reply::kSucceeded || IsHost(request.target.host));
  }
  const Socks5UdpHeader header = ReadSocks5UdpHeader(bytes);
  if (header.progress != Socks5Progress::kDone) return;
  GODWIT_CHECK_LE(header.size, bytes.size());
  const Socks5UdpHeader again = ReadSocks5UdpHeader(Bytes(EncodeSocks5UdpHeader(header.target)));
  GODWIT_CHECK(again.progress == Socks5Progress::kDone);
  GODWIT_CHECK_EQ(again.target.port, header.target.port);
  // An address that came as a name goes out as an address, which may be spelled another way: once.
  const Socks5UdpHeader third = ReadSocks5UdpHeader(Bytes(EncodeSocks5UdpHeader(again.target)));
  GODWIT_CHECK(third.progress == Socks5Progress::kDone);
  GODWIT_CHECK(third.target == again.target);
}

}  // namespace
}  // namespace godwit::tunnel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      godwit::tunnel::ReadAsMessage(bytes);
      break;
    case 1:
      godwit::tunnel::ReadAsDatagrams(bytes);
      break;
    case 2:
      godwit::tunnel::CutAndReassemble(bytes);
      break;
    default:
      godwit::tunnel::ReadAsSocks(bytes);
  }
  return 0;
}
