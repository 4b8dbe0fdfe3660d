// SPDX-License-Identifier: Apache-2.0
#include "platform/offload_probe.h"

#include <errno.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "base/limits.h"
#include "platform/udp_socket.h"
#include "tests/platform/udp_socket_faults.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

KernelVersion VersionOf(const char* release) {
  SocketFaults faults;
  faults.kernel_release = release;
  return ReadKernelVersion(SocketFaults::Calls());
}

int RefuseIoctl(int, unsigned long, void*) {
  errno = EPERM;
  return -1;
}

const InterfaceOffload* Loopback(const OffloadReport& report) {
  const auto found = std::ranges::find(report.interfaces, "lo", &InterfaceOffload::name);
  return found == report.interfaces.end() ? nullptr : &*found;
}

TEST(OffloadProbeTest, KernelVersionIsTheFirstTwoNumbers) {
  EXPECT_EQ(VersionOf("4.18.0-147.el8.x86_64"), (KernelVersion{4, 18}));
  EXPECT_EQ(VersionOf("6.1-rc3"), (KernelVersion{6, 1}));
  EXPECT_EQ(VersionOf("10.0"), (KernelVersion{10, 0}));
  EXPECT_EQ(VersionOf("6"), KernelVersion());
  EXPECT_EQ(VersionOf("six.one"), KernelVersion());
  EXPECT_EQ(VersionOf("6."), KernelVersion());
}

TEST(OffloadProbeTest, OnlyOneDisables) {
  setenv("GODWIT_DISABLE_TEST", "1", 1);
  EXPECT_TRUE(IsDisabledByEnvironment("TEST"));
  setenv("GODWIT_DISABLE_TEST", "0", 1);
  EXPECT_FALSE(IsDisabledByEnvironment("TEST"));
  setenv("GODWIT_DISABLE_TEST", "", 1);
  EXPECT_FALSE(IsDisabledByEnvironment("TEST"));
  unsetenv("GODWIT_DISABLE_TEST");
  EXPECT_FALSE(IsDisabledByEnvironment("TEST"));
}

TEST(OffloadProbeTest, LongestTrainIsAsLongAsTheKernelTakes) {
  SocketFaults faults;

  EXPECT_GE(ProbeMaxTrainSegments(SocketFaults::Calls()), kMaxGsoSegments);
  faults.send_error = [](const SentMessage& message) {
    return message.bytes > kMaxGsoSegments ? EINVAL : 0;
  };
  EXPECT_EQ(ProbeMaxTrainSegments(SocketFaults::Calls()), kMaxGsoSegments);
  faults.socket_error = [](int) { return EMFILE; };
  EXPECT_EQ(ProbeMaxTrainSegments(SocketFaults::Calls()), kMaxGsoSegments);
  EXPECT_EQ(faults.open_sockets, 0u);
}

TEST(OffloadProbeTest, LoopbackInterfaceIsReported) {
  const OffloadReport report = OpenUdp("127.0.0.1:0").offload_report();

  ASSERT_EQ(report.interfaces.size(), 1u);
  const InterfaceOffload* loopback = Loopback(report);
  ASSERT_NE(loopback, nullptr);
  EXPECT_GT(loopback->index, 0u);
  EXPECT_GE(loopback->mtu_bytes, 1'500u);
}

TEST(OffloadProbeTest, WildcardReportsEveryInterfaceOnce) {
  const OffloadReport report = OpenUdp("0.0.0.0:0").offload_report();

  EXPECT_NE(Loopback(report), nullptr);
  for (const InterfaceOffload& interface : report.interfaces) {
    EXPECT_EQ(std::ranges::count(report.interfaces, interface.name, &InterfaceOffload::name), 1)
        << interface.name;
  }
}

TEST(OffloadProbeTest, SilentDriverIsUnknownNotAbsent) {
  SocketCalls calls;
  calls.ioctl = RefuseIoctl;
  const UdpSocket socket = UdpSocket::Open(ConfigFor("127.0.0.1:0"), calls).value();

  const OffloadReport report = socket.offload_report();

  ASSERT_EQ(report.interfaces.size(), 1u);
  EXPECT_EQ(report.interfaces[0].segments_udp, std::nullopt);
  EXPECT_EQ(report.interfaces[0].checksums_ipv4, std::nullopt);
  EXPECT_EQ(report.interfaces[0].mtu_bytes, 0u);
  EXPECT_TRUE(absl::StrContains(report.ToText(), "unknown"));
}

TEST(OffloadProbeTest, TextSaysWhatTheStructSays) {
  OffloadReport report;
  report.kernel = {6, 1};
  report.gso = OffloadState::kOn;
  report.gro = OffloadState::kDisabledByConfig;
  report.ecn = OffloadState::kFailed;
  report.max_train_segments = 64;
  report.max_train_bytes = 65'507;
  report.gso_failed_from = {Address("192.0.2.1:0"), Address("[2001:db8::1]:0")};
  report.interfaces = {{.name = "eth0",
                        .index = 2,
                        .mtu_bytes = 1'500,
                        .segments_udp = true,
                        .checksums_ipv4 = true,
                        .checksums_ipv6 = false,
                        .merges_received = std::nullopt}};

  EXPECT_EQ(report.ToText(),
            "kernel: 6.1\n"
            "GSO: on, trains of 64 datagrams and 65507 bytes at most\n"
            "GRO: off by configuration\n"
            "ECN: off after a failure\n"
            "GSO off for 192.0.2.1\n"
            "GSO off for [2001:db8::1]\n"
            "interface eth0: MTU 1500, cuts trains yes, checksums IPv4 yes, checksums IPv6 no, "
            "merges received unknown\n");
}

}  // namespace
}  // namespace godwit
