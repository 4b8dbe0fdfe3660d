// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

// So that what is due leaves in time, however much comes.
constexpr size_t kMaxPacketsAtOnce = 128;
constexpr Duration kMaxReceiveTime = Duration::Milliseconds(10);
constexpr Duration kMaxAge = Duration::Seconds(1);
constexpr int kSendBufferBytes = 4 << 20;

Duration RealtimeNow() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return Duration::Seconds(now.tv_sec) + Duration::Nanoseconds(now.tv_nsec);
}

// The kernel stamps packets with the wall clock: how old they are is what both clocks agree on.
Timestamp ArrivalOf(Duration realtime, Duration realtime_now, Timestamp now) {
  // Less than nothing if it came since we looked at the clocks. Somebody may set the wall clock.
  return now - std::clamp(realtime_now - realtime, -kMaxReceiveTime, kMaxAge);
}

absl::StatusOr<MacAddress> MacAddressOf(int fd, const std::string& interface) {
  ifreq request = {};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("no Ethernet address of ", interface));
  }
  MacAddress address = {};
  std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
  return address;
}

absl::StatusOr<size_t> MtuOf(int fd, const std::string& interface) {
  ifreq request = {};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFMTU, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("no MTU of ", interface));
  }
  return static_cast<size_t>(request.ifr_mtu);
}

absl::Status Configure(int fd, const std::string& interface) {
  // Beyond the limit for users if we may.
  for (const int option : {SO_SNDBUF, SO_SNDBUFFORCE}) {
    setsockopt(fd, SOL_SOCKET, option, &kSendBufferBytes, sizeof(kSendBufferBytes));
  }

  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot take packets from ", interface));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PacketSocket> PacketSocket::Open(const std::string& interface,
                                                const MacAddress& neighbour) {
  // Protocol 0: nothing arrives, from whatever interface, before bind().
  FileDescriptor fd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return absl::ErrnoToStatus(errno, "cannot open an AF_PACKET socket");
  const absl::StatusOr<MacAddress> own = MacAddressOf(fd.get(), interface);
  if (!own.ok()) return own.status();
  const absl::StatusOr<size_t> mtu_bytes = MtuOf(fd.get(), interface);
  if (!mtu_bytes.ok()) return mtu_bytes.status();
  absl::StatusOr<PacketRing> ring = PacketRing::Create(fd.get(), kEthernetHeaderBytes + *mtu_bytes);
  if (!ring.ok()) return ring.status();
  const absl::Status status = Configure(fd.get(), interface);
  if (!status.ok()) return status;
  return PacketSocket(std::move(fd), *std::move(ring), *own, neighbour);
}

PacketSocket::PacketSocket(FileDescriptor fd, PacketRing ring, const MacAddress& own,
                           const MacAddress& neighbour)
    : fd_(std::move(fd)), ring_(std::move(ring)) {
  outgoing_.reserve(kBatchPackets);
  auto* const end = std::copy(neighbour.begin(), neighbour.end(), ipv4_header_.begin());
  auto* const type = std::copy(own.begin(), own.end(), end);
  ipv6_header_ = ipv4_header_;
  const uint16_t types[] = {htons(ETHERTYPE_IP), htons(ETHERTYPE_IPV6)};
  std::memcpy(type, &types[0], sizeof(types[0]));
  std::memcpy(ipv6_header_.data() + (type - ipv4_header_.data()), &types[1], sizeof(types[1]));
}

void PacketSocket::Receive(OnPacket on_packet) {
  const Duration realtime_now = RealtimeNow();
  const Timestamp now = MonotonicClock::Now();
  for (size_t i = 0; i < kMaxPacketsAtOnce; ++i) {
    const std::optional<PacketRing::Frame> frame = ring_.Next();
    if (!frame.has_value()) return;
    if (IsPacketOfTheLink(*frame)) {
      on_packet(frame->bytes.subspan(kEthernetHeaderBytes),
                ArrivalOf(frame->realtime, realtime_now, now));
    } else {
      ++counters_.ignored_frames;
    }
    ring_.Release();
  }
}

bool PacketSocket::IsPacketOfTheLink(const PacketRing::Frame& frame) {
  const bool is_unicast = frame.bytes.size() > kEthernetHeaderBytes && (frame.bytes[0] & 1) == 0;
  if (!is_unicast || !frame.is_whole) return false;
  uint16_t type = 0;
  std::memcpy(&type, &frame.bytes[kEthernetHeaderBytes - sizeof(type)], sizeof(type));
  return type == htons(ETHERTYPE_IP) || type == htons(ETHERTYPE_IPV6);
}

void PacketSocket::Add(std::vector<uint8_t> packet) {
  GODWIT_CHECK(!is_full());
  GODWIT_CHECK(!packet.empty());
  outgoing_.push_back(std::move(packet));
}

void PacketSocket::Flush() {
  std::array<mmsghdr, kBatchPackets> messages = {};
  std::array<std::array<iovec, 2>, kBatchPackets> parts;
  for (size_t i = 0; i < outgoing_.size(); ++i) {
    std::vector<uint8_t>& packet = outgoing_[i];
    EthernetHeader& header = packet[0] >> 4 == 6 ? ipv6_header_ : ipv4_header_;
    parts[i] = {{{header.data(), header.size()}, {packet.data(), packet.size()}}};
    messages[i].msg_hdr.msg_iov = parts[i].data();
    messages[i].msg_hdr.msg_iovlen = parts[i].size();
  }
  size_t done = 0;
  while (done < outgoing_.size()) {
    const int sent = sendmmsg(fd_.get(), &messages[done],
                              static_cast<unsigned>(outgoing_.size() - done), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    // The first packet that is left failed; those behind it may still go.
    if (sent <= 0) ++counters_.send_failures;
    done += sent > 0 ? static_cast<size_t>(sent) : 1;
  }
  outgoing_.clear();
}

PacketSocketCounters PacketSocket::ReadCounters() {
  tpacket_stats statistics = {};
  socklen_t size = sizeof(statistics);
  // Reading sets the kernel's counters to 0.
  if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
    counters_.receive_drops += statistics.tp_drops;
  }
  return counters_;
}

}  // namespace godwit
