// SPDX-License-Identifier: Apache-2.0
#include "platform/offload_probe.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "platform/udp_socket_address.h"

namespace godwit {
namespace {

// GSO is there since 4.18; early kernels and their backports have it with faults.
constexpr KernelVersion kFirstWithSoundGso = {.major = 5, .minor = 0};

constexpr size_t kMaxFeatures = 512;  // Some 70 today.

// The structures of ethtool end in arrays of a length that the call before told.
template <typename Header, typename Element>
class EthtoolRequest {
 public:
  EthtoolRequest(uint32_t command, size_t count)
      : memory_((sizeof(Header) + count * sizeof(Element) + sizeof(uint64_t) - 1) /
                sizeof(uint64_t)) {
    header()->cmd = command;
  }
  Header* header() { return reinterpret_cast<Header*>(memory_.data()); }
  Element* elements() { return reinterpret_cast<Element*>(header() + 1); }

 private:
  std::vector<uint64_t> memory_;
};

struct FeatureName {
  char text[ETH_GSTRING_LEN];
};

// Reads the features of one interface.
class FeatureReader {
 public:
  FeatureReader(int fd, const std::string& interface, const SocketCalls& calls)
      : fd_(fd), calls_(calls) {
    interface.copy(request_.ifr_name, sizeof(request_.ifr_name) - 1);
  }

  void Read(InterfaceOffload& result) {
    const size_t count = FeatureCount();
    if (count == 0 || count > kMaxFeatures) return;
    EthtoolRequest<ethtool_gstrings, FeatureName> names(ETHTOOL_GSTRINGS, count);
    names.header()->string_set = ETH_SS_FEATURES;
    names.header()->len = static_cast<uint32_t>(count);
    const size_t block_count = (count + 31) / 32;
    EthtoolRequest<ethtool_gfeatures, ethtool_get_features_block> blocks(ETHTOOL_GFEATURES,
                                                                         block_count);
    blocks.header()->size = static_cast<uint32_t>(block_count);
    if (!Ask(names.header()) || !Ask(blocks.header())) return;

    for (size_t i = 0; i < count; ++i) {
      const char* text = names.elements()[i].text;
      const std::string_view name(text, strnlen(text, ETH_GSTRING_LEN));
      const bool is_on = (blocks.elements()[i / 32].active >> (i % 32) & 1) != 0;
      if (name == "tx-udp-segmentation") result.segments_udp = is_on;
      if (name == "rx-gro") result.merges_received = is_on;
      if (name == "tx-checksum-ipv4") Join(is_on, result.checksums_ipv4);
      if (name == "tx-checksum-ipv6") Join(is_on, result.checksums_ipv6);
      if (name == "tx-checksum-ip-generic") {
        Join(is_on, result.checksums_ipv4);
        Join(is_on, result.checksums_ipv6);
      }
    }
  }

 private:
  static void Join(bool is_on, std::optional<bool>& fact) { fact = is_on || fact.value_or(false); }

  size_t FeatureCount() {
    EthtoolRequest<ethtool_sset_info, uint32_t> sets(ETHTOOL_GSSET_INFO, 1);
    sets.header()->sset_mask = uint64_t{1} << ETH_SS_FEATURES;
    if (!Ask(sets.header()) || sets.header()->sset_mask == 0) return 0;
    return sets.elements()[0];
  }

  bool Ask(void* question) {
    request_.ifr_data = static_cast<char*>(question);
    return calls_.ioctl(fd_, SIOCETHTOOL, &request_) == 0;
  }

  int fd_;
  const SocketCalls& calls_;
  ifreq request_ = {};
};

uint32_t ReadMtu(int fd, const std::string& interface, const SocketCalls& calls) {
  ifreq request = {};
  interface.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  return calls.ioctl(fd, SIOCGIFMTU, &request) == 0 ? static_cast<uint32_t>(request.ifr_mtu) : 0;
}

// By name: an interface without an address is in the list as well, with none or that of its link.
bool HasAddress(const ifaddrs& entry, const SocketAddress& local) {
  if (local.is_any()) return true;
  if (entry.ifa_addr == nullptr) return false;
  const int family = entry.ifa_addr->sa_family;
  if (family != AF_INET && family != AF_INET6) return false;
  KernelAddress address;
  std::memcpy(&address, entry.ifa_addr,
              family == AF_INET ? sizeof(address.ipv4) : sizeof(address.ipv6));
  const SocketAddress found = ReadKernelAddress(address);
  // Every address of 127.0.0.0/8 is the loopback interface's.
  if (local.is_loopback() && found.is_loopback()) return true;
  return found.SameIp(local.Unmapped());
}

// Its own addresses, so that what it sends reaches nobody else.
class LoopbackSocket {
 public:
  explicit LoopbackSocket(const SocketCalls& calls)
      : calls_(calls), fd_(calls.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP)) {}
  ~LoopbackSocket() {
    if (fd_ >= 0) calls_.close(fd_);
  }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  bool Bind() {
    if (fd_ < 0) return false;
    KernelAddress address;
    const std::array<uint8_t, 4> loopback = {127, 0, 0, 1};
    const socklen_t bytes =
        WriteKernelAddress(SocketAddress::FromIpv4(loopback, 0), AF_INET, address);
    return calls_.bind(fd_, &address.any, bytes) == 0;
  }

  // A train of `count` datagrams of one byte.
  bool SendTrainToSelf(size_t count) {
    KernelAddress self;
    socklen_t self_bytes = sizeof(self);
    if (calls_.getsockname(fd_, &self.any, &self_bytes) != 0) return false;
    const int segment_bytes = 1;
    if (calls_.setsockopt(fd_, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, sizeof(segment_bytes)) !=
        0) {
      return false;
    }
    std::vector<uint8_t> payload(count);
    iovec buffer = {.iov_base = payload.data(), .iov_len = payload.size()};
    mmsghdr message = {};
    message.msg_hdr.msg_name = &self;
    message.msg_hdr.msg_namelen = self_bytes;
    message.msg_hdr.msg_iov = &buffer;
    message.msg_hdr.msg_iovlen = 1;
    return calls_.sendmmsg(fd_, &message, 1, MSG_DONTWAIT) == 1;
  }

 private:
  const SocketCalls& calls_;
  int fd_;
};

}  // namespace

KernelVersion ReadKernelVersion(const SocketCalls& calls) {
  utsname name = {};
  if (calls.uname(&name) != 0) return {};
  KernelVersion version;
  const char* end = name.release + strnlen(name.release, sizeof(name.release));
  const auto major = std::from_chars(name.release, end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return {};
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  return minor.ec == std::errc() ? version : KernelVersion();
}

bool IsDisabledByEnvironment(const char* offload) {
  const char* value = std::getenv((std::string("GODWIT_DISABLE_") + offload).c_str());
  return value != nullptr && std::string_view(value) == "1";
}

bool SupportsGso(int fd, const KernelVersion& kernel, const SocketCalls& calls) {
  int segment_bytes = 0;
  socklen_t bytes = sizeof(segment_bytes);
  return kernel >= kFirstWithSoundGso &&
         calls.getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, &bytes) == 0;
}

size_t ProbeMaxTrainSegments(const SocketCalls& calls) {
  LoopbackSocket socket(calls);
  const bool takes_longer_ones = socket.Bind() && socket.SendTrainToSelf(2 * kMaxGsoSegments);
  return takes_longer_ones ? 2 * kMaxGsoSegments : kMaxGsoSegments;
}

std::vector<InterfaceOffload> ReadInterfaces(int fd, const SocketAddress& local,
                                             const SocketCalls& calls) {
  std::vector<InterfaceOffload> interfaces;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return interfaces;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool is_up = (entry->ifa_flags & IFF_UP) != 0;
    const auto is_same = [&](const InterfaceOffload& other) {
      return other.name == entry->ifa_name;
    };
    if (!is_up || !HasAddress(*entry, local) || std::ranges::any_of(interfaces, is_same)) continue;
    InterfaceOffload& interface = interfaces.emplace_back();
    interface.name = entry->ifa_name;
    interface.index = if_nametoindex(entry->ifa_name);
    interface.mtu_bytes = ReadMtu(fd, interface.name, calls);
    FeatureReader(fd, interface.name, calls).Read(interface);
  }
  return interfaces;
}

}  // namespace godwit
