// SPDX-License-Identifier: Apache-2.0
#include "platform/network_watcher.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/socket_address.h"

namespace godwit {
namespace {

using Bytes = std::span<const uint8_t>;

// The kernel sends no larger message (32 KiB, when one asks for the whole state).
constexpr size_t kBufferBytes = 32 * 1024;

// Netlink pads headers, messages and attributes to 4 bytes; the last one's padding may be missing.
Bytes SkipPadded(Bytes bytes, size_t count) {
  return bytes.subspan(std::min(bytes.size(), (count + 3) / 4 * 4));
}

template <typename Header>
requires std::is_trivially_copyable_v<Header> std::optional<Header> ReadHeader(Bytes bytes) {
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// The attribute's value, or nothing.
Bytes FindAttribute(Bytes attributes, uint16_t type) {
  while (const std::optional<rtattr> header = ReadHeader<rtattr>(attributes)) {
    if (header->rta_len < sizeof(rtattr) || header->rta_len > attributes.size()) break;
    if (header->rta_type == type) {
      return attributes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr));
    }
    attributes = SkipPadded(attributes, header->rta_len);
  }
  return {};
}

std::optional<SocketAddress> ToAddress(Bytes ip, uint32_t interface_index) {
  if (ip.size() == SocketAddress::kIpv4Size) {
    return SocketAddress::FromIpv4(ip.first<SocketAddress::kIpv4Size>(), 0);
  }
  if (ip.size() == SocketAddress::kIpv6Size) {
    return SocketAddress::FromIpv6(ip.first<SocketAddress::kIpv6Size>(), 0, interface_index);
  }
  return std::nullopt;
}

bool RouteMatters(Bytes payload) {
  const std::optional<rtmsg> route = ReadHeader<rtmsg>(payload);
  if (!route.has_value()) return false;
  // A virtual private network often halves the default route, 0.0.0.0/1 and 128.0.0.0/1, to leave
  // the real one alone. Cloned routes are what the kernel learned (a path MTU, for one).
  return route->rtm_dst_len <= 1 && route->rtm_table != RT_TABLE_LOCAL &&
         (route->rtm_flags & RTM_F_CLONED) == 0;
}

}  // namespace

absl::StatusOr<NetworkWatcher> NetworkWatcher::Open() {
  NetworkWatcher watcher(
      socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (watcher.fd_ < 0) return absl::ErrnoToStatus(errno, "cannot open an rtnetlink socket");
  sockaddr_nl local = {};
  local.nl_family = AF_NETLINK;
  local.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (bind(watcher.fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) {
    return absl::ErrnoToStatus(errno, "cannot subscribe to the network's changes");
  }
  watcher.ReadState();
  return watcher;
}

NetworkWatcher::~NetworkWatcher() {
  if (fd_ >= 0) close(fd_);
}

NetworkWatcher::NetworkWatcher(NetworkWatcher&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      usable_links_(std::move(other.usable_links_)),
      addresses_(std::move(other.addresses_)) {}

NetworkWatcher& NetworkWatcher::operator=(NetworkWatcher&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  usable_links_ = std::move(other.usable_links_);
  addresses_ = std::move(other.addresses_);
  return *this;
}

bool NetworkWatcher::ReadChanges() {
  const ReadResult result = Drain();
  // What was lost is not in what is known: read it again, or old news would look new later.
  if (result.has_lost) ReadState();
  return result.has_changed || result.has_lost;
}

void NetworkWatcher::ReadState() {
  usable_links_.clear();
  addresses_.clear();
  for (const uint16_t type : {RTM_GETLINK, RTM_GETADDR}) {
    struct {
      nlmsghdr header;
      rtgenmsg payload;
    } request = {};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.payload.rtgen_family = AF_UNSPEC;
    // If it fails, an interface or address is new when the kernel next speaks of it: one change too
    // many is reported.
    static_cast<void>(send(fd_, &request, sizeof(request), 0));
    // The kernel answers in the call, and adds to the answer as it is read.
    static_cast<void>(Drain());
  }
}

NetworkWatcher::ReadResult NetworkWatcher::Drain() {
  ReadResult result;
  alignas(nlmsghdr) std::array<uint8_t, kBufferBytes> buffer;
  for (;;) {
    sockaddr_nl sender = {};
    socklen_t sender_size = sizeof(sender);
    const ssize_t count = recvfrom(fd_, buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != ENOBUFS) return result;
      result.has_lost = true;
      continue;
    }
    if (sender.nl_pid != 0) continue;  // Not from the kernel.
    if (static_cast<size_t>(count) > buffer.size()) {
      result.has_lost = true;
      continue;
    }
    if (OnMessages(Bytes(buffer).first(static_cast<size_t>(count)))) result.has_changed = true;
  }
}

bool NetworkWatcher::OnMessages(Bytes bytes) {
  bool has_changed = false;
  while (const std::optional<nlmsghdr> header = ReadHeader<nlmsghdr>(bytes)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > bytes.size()) break;
    const Bytes payload = bytes.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    if (OnMessage(header->nlmsg_type, payload)) has_changed = true;
    bytes = SkipPadded(bytes, header->nlmsg_len);
  }
  return has_changed;
}

bool NetworkWatcher::OnMessage(uint16_t type, Bytes payload) {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return OnLink(type == RTM_DELLINK, payload);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return OnAddress(type == RTM_DELADDR, payload);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return RouteMatters(payload);
    default:
      return false;
  }
}

bool NetworkWatcher::OnLink(bool is_gone, Bytes payload) {
  const std::optional<ifinfomsg> link = ReadHeader<ifinfomsg>(payload);
  // With a family it is about the interface's part in something else, such as a bridge.
  if (!link.has_value() || link->ifi_family != AF_UNSPEC) return false;
  constexpr unsigned int kUsable = IFF_UP | IFF_RUNNING;
  const bool is_usable = !is_gone && (link->ifi_flags & kUsable) == kUsable;
  const auto index = static_cast<uint32_t>(link->ifi_index);
  if (is_usable) return usable_links_.insert(index).second;
  return usable_links_.erase(index) > 0;
}

bool NetworkWatcher::OnAddress(bool is_gone, Bytes payload) {
  const std::optional<ifaddrmsg> header = ReadHeader<ifaddrmsg>(payload);
  if (!header.has_value()) return false;
  // A tentative address cannot be used yet. The kernel tells again when it can.
  if (!is_gone && (header->ifa_flags & IFA_F_TENTATIVE) != 0) return false;
  const Bytes attributes = SkipPadded(payload, sizeof(ifaddrmsg));
  // On a point-to-point link IFA_ADDRESS is the other side's.
  Bytes ip = FindAttribute(attributes, IFA_LOCAL);
  if (ip.empty()) ip = FindAttribute(attributes, IFA_ADDRESS);
  const std::optional<SocketAddress> address = ToAddress(ip, header->ifa_index);
  if (!address.has_value()) return false;
  const InterfaceAddress entry = {.address = *address, .interface_index = header->ifa_index};
  return is_gone ? addresses_.erase(entry) > 0 : addresses_.insert(entry).second;
}

}  // namespace godwit
