// SPDX-License-Identifier: Apache-2.0
//
// In network namespaces of their own, where nothing changes but what the test does.
#include "platform/network_watcher.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "tests/platform/child_process.h"

namespace godwit {
namespace {

// One request to the kernel, and its answer.
class Request {
 public:
  template <typename Payload>
  Request(uint16_t type, uint16_t flags, const Payload& payload) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    Append(&payload, sizeof(payload));
  }

  Request& Attribute(uint16_t type, const void* value, size_t size) {
    const rtattr header = {.rta_len = static_cast<uint16_t>(sizeof(rtattr) + size),
                           .rta_type = type};
    Append(&header, sizeof(header));
    Append(value, size);
    return *this;
  }

  // 0 or an errno.
  int Send() {
    header_.nlmsg_len = static_cast<uint32_t>(sizeof(header_) + body_.size());
    std::vector<uint8_t> bytes(sizeof(header_));
    std::memcpy(bytes.data(), &header_, sizeof(header_));
    bytes.insert(bytes.end(), body_.begin(), body_.end());
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return errno;
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } answer = {};
    const bool is_answered =
        send(fd, bytes.data(), bytes.size(), 0) >= 0 && recv(fd, &answer, sizeof(answer), 0) > 0;
    const int error = is_answered ? -answer.error.error : errno;
    close(fd);
    return error;
  }

 private:
  void Append(const void* value, size_t size) {
    const auto* const bytes = static_cast<const uint8_t*>(value);
    body_.insert(body_.end(), bytes, bytes + size);
    body_.resize((body_.size() + 3) / 4 * 4);
  }

  nlmsghdr header_ = {};
  std::vector<uint8_t> body_;
};

constexpr uint16_t kNew = NLM_F_CREATE | NLM_F_EXCL;
constexpr uint16_t kRenew = NLM_F_CREATE | NLM_F_REPLACE;

int SetLink(unsigned int index, bool is_up) {
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(index);
  link.ifi_flags = is_up ? IFF_UP : 0;
  link.ifi_change = IFF_UP;
  return Request(RTM_NEWLINK, 0, link).Send();
}

// `seconds`: for how long it is valid, as a router's advertisement sets it.
int ChangeAddress(uint16_t type, uint16_t flags, unsigned int index, const char* text,
                  uint32_t seconds = 0xffff'ffff) {
  in6_addr ip = {};
  const bool is_ipv6 = inet_pton(AF_INET6, text, &ip) == 1;
  if (!is_ipv6 && inet_pton(AF_INET, text, &ip) != 1) return EINVAL;
  ifaddrmsg address = {};
  address.ifa_family = is_ipv6 ? AF_INET6 : AF_INET;
  address.ifa_prefixlen = is_ipv6 ? 128 : 32;
  address.ifa_index = index;
  const ifa_cacheinfo lifetime = {
      .ifa_prefered = seconds, .ifa_valid = seconds, .cstamp = 0, .tstamp = 0};
  return Request(type, flags, address)
      .Attribute(IFA_LOCAL, &ip, is_ipv6 ? 16 : 4)
      .Attribute(IFA_CACHEINFO, &lifetime, sizeof(lifetime))
      .Send();
}

int ChangeRoute(uint16_t type, unsigned int index, uint8_t prefix_length) {
  rtmsg route = {};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = prefix_length;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_LINK;
  route.rtm_type = RTN_UNICAST;
  Request request(type, type == RTM_NEWROUTE ? kNew : 0, route);
  const std::array<uint8_t, 4> destination = {128, 0, 0, 0};
  if (prefix_length > 0) request.Attribute(RTA_DST, destination.data(), destination.size());
  return request.Attribute(RTA_OIF, &index, sizeof(index)).Send();
}

// The kernel tells of a new IPv6 address when it has found it usable, after the call.
bool SeesChange(NetworkWatcher& watcher) {
  constexpr int kLongMs = 60'000;
  pollfd entry = {.fd = watcher.fd(), .events = POLLIN, .revents = 0};
  while (poll(&entry, 1, kLongMs) == 1) {
    if (watcher.ReadChanges()) return true;
  }
  return false;
}

struct Step {
  std::string name;
  std::function<int()> change;  // 0 or an errno.
  bool matters;
};

ChildResult RunSteps(const std::function<bool()>& prepare, const std::vector<Step>& steps) {
  if (!EnterNamespaces(CLONE_NEWNET) || SetLink(1, true) != 0 || !prepare()) {
    return ChildResult::kRefused;
  }
  absl::StatusOr<NetworkWatcher> watcher = NetworkWatcher::Open();
  if (!watcher.ok()) return ChildResult::kFails;
  for (const Step& step : steps) {
    const int error = step.change();
    if (error != 0) {
      ADD_FAILURE() << step.name << ": " << std::strerror(error);
      return ChildResult::kFails;
    }
    if (step.matters && !SeesChange(*watcher)) {
      ADD_FAILURE() << step.name << ": was not seen";
      return ChildResult::kFails;
    }
    if (watcher->ReadChanges()) {
      ADD_FAILURE() << step.name << (step.matters ? ": was seen twice" : ": does not matter");
      return ChildResult::kFails;
    }
  }
  return ChildResult::kHolds;
}

// `prepare` comes before the watcher; false if the system refuses.
void ExpectSteps(
    const std::vector<Step>& steps, const std::function<bool()>& prepare = [] { return true; }) {
  const ChildResult result = RunInChild([&] { return RunSteps(prepare, steps); });
  if (result == ChildResult::kRefused) GTEST_SKIP() << "network namespaces are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

constexpr unsigned int kLoopback = 1;  // The first interface of every namespace.

TEST(NetworkWatcherTest, NothingHasChangedAtTheBeginning) {
  ExpectSteps({{"nothing", [] { return 0; }, false}});
}

TEST(NetworkWatcherTest, AddressThatComesOrGoesMatters) {
  for (const char* const address : {"192.0.2.1", "2001:db8::1"}) {
    ExpectSteps({
        {"add", [=] { return ChangeAddress(RTM_NEWADDR, kNew, kLoopback, address); }, true},
        {"remove", [=] { return ChangeAddress(RTM_DELADDR, 0, kLoopback, address); }, true},
    });
  }
}

TEST(NetworkWatcherTest, AddressThatIsRenewedDoesNotMatter) {
  for (const char* const address : {"192.0.2.1", "2001:db8::1"}) {
    ExpectSteps({
        {"add", [=] { return ChangeAddress(RTM_NEWADDR, kNew, kLoopback, address, 1'000); }, true},
        {"renew", [=] { return ChangeAddress(RTM_NEWADDR, kRenew, kLoopback, address, 2'000); },
         false},
    });
  }
}

// 127.0.0.1 was there when the watcher began.
TEST(NetworkWatcherTest, AddressThatWasThereIsKnown) {
  ExpectSteps({
      {"renew", [] { return ChangeAddress(RTM_NEWADDR, kRenew, kLoopback, "127.0.0.1", 2'000); },
       false},
  });
}

// A cable with both ends here, the first of which is "v0". It asks for duplicates of its addresses
// for an hour, so they stay tentative.
bool MakeSlowLink() {
  const char kind[] = "veth";
  const rtattr kind_header = {.rta_len = sizeof(rtattr) + sizeof(kind), .rta_type = IFLA_INFO_KIND};
  std::array<uint8_t, sizeof(kind_header) + 8> info = {};
  std::memcpy(info.data(), &kind_header, sizeof(kind_header));
  std::memcpy(info.data() + sizeof(kind_header), kind, sizeof(kind));
  const int error = Request(RTM_NEWLINK, kNew, ifinfomsg{})
                        .Attribute(IFLA_IFNAME, "v0", 3)
                        .Attribute(IFLA_LINKINFO, info.data(), info.size())
                        .Send();
  if (error != 0) return false;
  std::ofstream("/proc/sys/net/ipv6/conf/v0/dad_transmits") << 3'600;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct if_nameindex* const links = if_nameindex();
  for (const struct if_nameindex* link = links; link->if_index != 0; ++link) {
    if (SetLink(link->if_index, true) != 0) return false;
  }
  // An end of a cable runs some time after both are up.
  for (const struct if_nameindex* link = links; link->if_index != 0; ++link) {
    ifreq request = {};
    std::strncpy(request.ifr_name, link->if_name, sizeof(request.ifr_name) - 1);
    while ((request.ifr_flags & IFF_RUNNING) == 0) {
      if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return false;
    }
  }
  if_freenameindex(links);
  close(fd);
  return ChangeAddress(RTM_NEWADDR, kNew, if_nametoindex("v0"), "2001:db8::1") == 0;
}

TEST(NetworkWatcherTest, AddressThatIsStillTentativeDoesNotMatter) {
  ExpectSteps(
      {
          {"change",
           [] {
             return ChangeAddress(RTM_NEWADDR, kRenew, if_nametoindex("v0"), "2001:db8::1", 2'000);
           },
           false},
          {"remove",
           [] { return ChangeAddress(RTM_DELADDR, 0, if_nametoindex("v0"), "2001:db8::1"); },
           false},
      },
      MakeSlowLink);
}

TEST(NetworkWatcherTest, LinkThatGoesUpOrDownMatters) {
  ExpectSteps({
      {"down", [] { return SetLink(kLoopback, false); }, true},
      {"up", [] { return SetLink(kLoopback, true); }, true},
  });
}

TEST(NetworkWatcherTest, LinkThatIsSetAsItWasDoesNotMatter) {
  ExpectSteps({
      {"mtu",
       [] {
         ifinfomsg link = {};
         link.ifi_index = kLoopback;
         const uint32_t mtu = 40'000;
         return Request(RTM_NEWLINK, 0, link).Attribute(IFLA_MTU, &mtu, sizeof(mtu)).Send();
       },
       false},
  });
}

TEST(NetworkWatcherTest, DefaultRouteMattersWholeOrInHalvesAndOthersDoNot) {
  for (const auto& [prefix_length, matters] : {std::pair(0, true), {1, true}, {8, false}}) {
    const auto length = static_cast<uint8_t>(prefix_length);
    ExpectSteps({
        {"add", [=] { return ChangeRoute(RTM_NEWROUTE, kLoopback, length); }, matters},
        {"remove", [=] { return ChangeRoute(RTM_DELROUTE, kLoopback, length); }, matters},
    });
  }
}

TEST(NetworkWatcherTest, BurstIsOneChange) {
  ExpectSteps({
      {"1000 times",
       [] {
         for (int i = 0; i < 500; ++i) {
           if (const int error = ChangeAddress(RTM_NEWADDR, kNew, kLoopback, "192.0.2.1")) {
             return error;
           }
           if (const int error = ChangeAddress(RTM_DELADDR, 0, kLoopback, "192.0.2.1")) {
             return error;
           }
         }
         return 0;
       },
       true},
  });
}

// The socket overflows; what is known afterwards is the present state all the same.
TEST(NetworkWatcherTest, StateIsKnownAfterMoreChangesThanTheKernelKeeps) {
  ExpectSteps({
      {"overflow",
       [] {
         for (int i = 0; i < 4'000; ++i) {
           const std::string address =
               "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250);
           if (const int error = ChangeAddress(RTM_NEWADDR, kNew, kLoopback, address.c_str())) {
             return error;
           }
         }
         return 0;
       },
       true},
      {"renew the last",
       [] { return ChangeAddress(RTM_NEWADDR, kRenew, kLoopback, "10.0.15.249", 2'000); }, false},
      {"remove the last", [] { return ChangeAddress(RTM_DELADDR, 0, kLoopback, "10.0.15.249"); },
       true},
  });
}

TEST(NetworkWatcherTest, MovedWatcherWatchesOn) {
  absl::StatusOr<NetworkWatcher> first = NetworkWatcher::Open();
  absl::StatusOr<NetworkWatcher> second = NetworkWatcher::Open();
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  const int fd = first->fd();

  *second = *std::move(first);

  EXPECT_EQ(second->fd(), fd);
  EXPECT_EQ(first->fd(), -1);
  static_cast<void>(second->ReadChanges());
}

}  // namespace
}  // namespace godwit
