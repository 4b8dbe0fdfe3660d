// SPDX-License-Identifier: Apache-2.0
//
// In network namespaces of their own, where the interfaces are what the test makes of them.
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/platform/child_process.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

ifreq RequestFor(const std::string& interface) {
  ifreq request = {};
  interface.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  return request;
}

bool Ioctl(unsigned long code, ifreq& request) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool is_done = fd >= 0 && ioctl(fd, code, &request) == 0;
  close(fd);
  return is_done;
}

bool SetMtu(const std::string& interface, int mtu_bytes) {
  ifreq request = RequestFor(interface);
  request.ifr_mtu = mtu_bytes;
  return Ioctl(SIOCSIFMTU, request);
}

bool SetUp(const std::string& interface) {
  ifreq request = RequestFor(interface);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return Ioctl(SIOCSIFFLAGS, request);
}

bool SetSendChecksums(const std::string& interface, bool is_on) {
  ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = is_on ? 1u : 0u};
  ifreq request = RequestFor(interface);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return Ioctl(SIOCETHTOOL, request);
}

bool Run(const std::string& command) { return system((command + " 2>&1").c_str()) == 0; }

// The child's output is lost unless it is flushed: it ends without the usual farewell.
ChildResult Verdict() {
  std::fflush(stdout);
  return testing::Test::HasFailure() ? ChildResult::kFails : ChildResult::kHolds;
}

// Runs it in a new network namespace with the loopback interface up, as on a link of `mtu_bytes`.
ChildResult RunWithLoopback(int mtu_bytes, void (*body)()) {
  return RunInChild([=] {
    if (!EnterNamespaces(CLONE_NEWNET) || !SetMtu("lo", mtu_bytes) || !SetUp("lo")) {
      return ChildResult::kRefused;
    }
    body();
    return Verdict();
  });
}

#define GODWIT_EXPECT_HOLDS(result)                                                    \
  switch (result) {                                                                    \
    case ChildResult::kRefused:                                                        \
      GTEST_SKIP() << "this system refuses a network namespace, or what to do in one"; \
    case ChildResult::kFails:                                                          \
      FAIL() << "see above";                                                           \
    case ChildResult::kHolds:                                                          \
      break;                                                                           \
  }

void ExpectTooLarge(UdpSocket& socket, const SocketAddress& peer, size_t largest_bytes) {
  const std::vector<uint8_t> fitting = PatternBytes(4 * largest_bytes, largest_bytes);
  const std::vector<uint8_t> larger = PatternBytes(4 * (largest_bytes + 1), largest_bytes + 1);
  Transmit single = Train(larger, largest_bytes + 1, peer);
  single.payload = single.payload.first(largest_bytes + 1);
  const Transmit train = Train(larger, largest_bytes + 1, peer);
  const Transmit fitting_train = Train(fitting, largest_bytes, peer);

  for (const Transmit& transmit : {single, train}) {
    EXPECT_EQ(socket.Send({&transmit, 1}).transmits_done, 1u);
    ASSERT_EQ(socket.too_large().size(), 1u);
    EXPECT_EQ(socket.too_large()[0].bytes, largest_bytes + 1);
    EXPECT_EQ(socket.too_large()[0].four_tuple.peer, peer);
  }
  EXPECT_EQ(socket.Send({&fitting_train, 1}).transmits_done, 1u);

  EXPECT_TRUE(socket.too_large().empty());
  EXPECT_EQ(socket.stats().lost.too_large, 5u);
  EXPECT_EQ(socket.stats().lost.total(), 5u);
  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_EQ(socket.stats().datagrams_sent, 4u);
}

TEST(UdpSocketNamespaceTest, NothingIsFragmented) {
  GODWIT_EXPECT_HOLDS(RunWithLoopback(1'500, [] {
    UdpSocket ipv4 = OpenUdp("127.0.0.1:0");
    ExpectTooLarge(ipv4, Address("127.0.0.1:9"), 1'472);
    UdpSocket dual = OpenUdp("[::]:0");
    ExpectTooLarge(dual, Address("127.0.0.1:9"), 1'472);
    UdpSocket ipv6 = OpenUdp("[::1]:0");
    ExpectTooLarge(ipv6, Address("[::1]:9"), 1'452);
  }));
}

TEST(UdpSocketNamespaceTest, UnprivilegedProcessIsToldOfItsCappedBuffers) {
  GODWIT_EXPECT_HOLDS(RunWithLoopback(1'500, [] {
    UdpSocketConfig config = ConfigFor("127.0.0.1:0");
    config.receive_buffer_bytes = uint64_t{1} << 29;
    UdpSocket socket = OpenUdp(config);

    EXPECT_TRUE(absl::StrContains(socket.PollNotice().value_or(""), "net.core.rmem_max"));
  }));
}

TEST(UdpSocketNamespaceTest, WithoutRouteIsLossOnly) {
  GODWIT_EXPECT_HOLDS(RunWithLoopback(1'500, [] {
    UdpSocket socket = OpenUdp("[::]:0");
    const std::vector<uint8_t> bytes = PatternBytes(3'000, 1'000);
    for (const char* peer : {"192.0.2.1:9", "[2001:db8::1]:9"}) {
      const Transmit train = Train(bytes, 1'000, Address(peer), {.ecn = EcnMark::kEct0});
      EXPECT_EQ(socket.Send({&train, 1}).transmits_done, 1u);
    }

    EXPECT_EQ(socket.stats().lost.unreachable, 6u);
    EXPECT_EQ(socket.stats().gso_disabled, 0u);
    EXPECT_EQ(socket.stats().ecn_disabled, 0u);
  }));
}

// Two namespaces with an Ethernet between them; a socket stays in that in which it was opened.
class VethPair {
 public:
  // False if the system refuses.
  bool Create() {
    if (access("/usr/sbin/ip", X_OK) != 0 && access("/sbin/ip", X_OK) != 0) return false;
    if (!EnterNamespaces(CLONE_NEWNET)) return false;
    near_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNET) != 0) return false;
    far_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const std::string ip = "PATH=/usr/sbin:/sbin:/usr/bin:/bin ip ";
    const std::string far_name = "/proc/" + std::to_string(getpid()) + "/fd/";
    if (!EnterNear() || !Run(ip + "link add near type veth peer name far netns " + far_name +
                             std::to_string(far_))) {
      return false;
    }
    return AddAddresses("near", "10.9.8.1/24", "fd09::1/64") && EnterFar() &&
           AddAddresses("far", "10.9.8.2/24", "fd09::2/64");
  }
  bool EnterNear() { return setns(near_, CLONE_NEWNET) == 0; }
  bool EnterFar() { return setns(far_, CLONE_NEWNET) == 0; }

 private:
  static bool AddAddresses(const std::string& interface, const std::string& ipv4,
                           const std::string& ipv6) {
    const std::string ip = "PATH=/usr/sbin:/sbin:/usr/bin:/bin ip ";
    return Run(ip + "address add " + ipv4 + " dev " + interface) &&
           Run(ip + "address add " + ipv6 + " dev " + interface + " nodad") && SetUp(interface);
  }

  int near_ = -1;
  int far_ = -1;
};

void ExpectTrainTravels(UdpSocket& sender, UdpSocket& receiver, const char* from, const char* to) {
  const std::vector<uint8_t> bytes = PatternBytes(40 * 1'400, 1'400);
  const SocketAddress source = SocketAddress::ParseIp(from, sender.local_address().port()).value();
  const SocketAddress target = SocketAddress::ParseIp(to, receiver.local_address().port()).value();
  const Transmit train = Train(bytes, 1'400, target, {.ecn = EcnMark::kEct1, .local = source});

  EXPECT_EQ(sender.Send({&train, 1}).transmits_done, 1u);
  const std::vector<KeptDatagram> received = ReceiveAll(receiver, 40);

  EXPECT_EQ(Joined(received), bytes);
  for (const KeptDatagram& datagram : received) {
    EXPECT_EQ(datagram.four_tuple.peer, source);
    EXPECT_EQ(datagram.four_tuple.local, target);
    EXPECT_EQ(datagram.ecn, EcnMark::kEct1);
  }
}

// Of the interface that sends; without it, older kernels refuse the train with EIO.
ChildResult RunOverVeth(bool has_checksums) {
  return RunInChild([=] {
    VethPair veth;
    if (!veth.Create()) return ChildResult::kRefused;
    UdpSocket far = OpenUdp("[::]:0");
    if (!veth.EnterNear()) return ChildResult::kRefused;
    if (!has_checksums && !SetSendChecksums("near", false)) return ChildResult::kRefused;
    UdpSocket near = OpenUdp("[::]:0");

    ExpectTrainTravels(near, far, "10.9.8.1", "10.9.8.2");
    ExpectTrainTravels(near, far, "fd09::1", "fd09::2");
    ExpectTrainTravels(far, near, "fd09::2", "fd09::1");

    const OffloadReport report = OpenUdp("10.9.8.1:0").offload_report();
    EXPECT_EQ(report.interfaces.size(), 1u);
    if (report.interfaces.size() != 1) return Verdict();
    EXPECT_EQ(report.interfaces[0].name, "near");
    EXPECT_EQ(report.interfaces[0].mtu_bytes, 1'500u);
    EXPECT_TRUE(report.interfaces[0].segments_udp.has_value());
    EXPECT_EQ(report.interfaces[0].checksums_ipv4, has_checksums);
    EXPECT_EQ(report.interfaces[0].checksums_ipv6, has_checksums);
    EXPECT_EQ(near.stats().lost.total(), 0u);
    return Verdict();
  });
}

TEST(UdpSocketNamespaceTest, TrainsTravelOverEthernet) { GODWIT_EXPECT_HOLDS(RunOverVeth(true)); }

TEST(UdpSocketNamespaceTest, TrainsTravelOverEthernetWithoutChecksumOffload) {
  GODWIT_EXPECT_HOLDS(RunOverVeth(false));
}

}  // namespace
}  // namespace godwit
