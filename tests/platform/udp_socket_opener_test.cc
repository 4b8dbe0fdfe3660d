// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_opener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/platform/udp_socket_faults.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

class UdpSocketOpenerTest : public testing::Test {
 protected:
  absl::StatusOr<UdpSocket> Open(const UdpSocketConfig& config) {
    return UdpSocket::Open(config, SocketFaults::Calls());
  }
  absl::StatusOr<UdpSocket> Open(std::string_view local = "127.0.0.1:0") {
    return Open(ConfigFor(local));
  }

  void Refuse(int level, int option, int error) {
    faults_.option_error = [=](int asked_level, int asked_option) {
      return asked_level == level && asked_option == option ? error : 0;
    };
  }

  // A kernel that gives no buffer above its cap.
  void CapBuffers() {
    faults_.option_error = [](int level, int option) {
      const bool is_force = option == SO_RCVBUFFORCE || option == SO_SNDBUFFORCE;
      return level == SOL_SOCKET && is_force ? EPERM : 0;
    };
  }

  int IntOption(const UdpSocket& socket, int level, int option) {
    int value = -1;
    socklen_t size = sizeof(value);
    EXPECT_EQ(getsockopt(socket.fd(), level, option, &value, &size), 0);
    return value;
  }

  SocketFaults faults_;
};

TEST_F(UdpSocketOpenerTest, DontFragmentIsSetForBothFamilies) {
  const UdpSocket ipv4 = Open().value();
  EXPECT_EQ(IntOption(ipv4, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);

  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  const UdpSocket dual = Open("[::]:0").value();
  EXPECT_EQ(IntOption(dual, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  EXPECT_EQ(IntOption(dual, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_PROBE);
}

TEST_F(UdpSocketOpenerTest, RefusedDontFragmentIsAnErrorAndClosesTheSocket) {
  Refuse(IPPROTO_IP, IP_MTU_DISCOVER, ENOPROTOOPT);

  const absl::Status status = Open().status();

  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "IP_MTU_DISCOVER")) << status;
  EXPECT_EQ(faults_.open_sockets, 0u);
}

TEST_F(UdpSocketOpenerTest, RefusedPktinfoIsAnError) {
  Refuse(IPPROTO_IP, IP_PKTINFO, EINVAL);

  EXPECT_TRUE(absl::StrContains(Open().status().message(), "IP_PKTINFO"));
}

TEST_F(UdpSocketOpenerTest, ClosedSocketIsClosed) {
  Open().value();

  EXPECT_EQ(faults_.open_sockets, 0u);
}

TEST_F(UdpSocketOpenerTest, MachineWithoutIpv6GetsIpv4ForDualStack) {
  faults_.socket_error = [](int domain) { return domain == AF_INET6 ? EAFNOSUPPORT : 0; };

  const UdpSocket socket = Open("[::]:0").value();

  EXPECT_TRUE(socket.local_address().is_ipv4());
  EXPECT_TRUE(socket.local_address().is_any());
  EXPECT_FALSE(Open("[::1]:0").ok());
}

TEST_F(UdpSocketOpenerTest, TooManyFilesIsExplained) {
  faults_.socket_error = [](int) { return EMFILE; };

  EXPECT_TRUE(absl::StrContains(Open().status().message(), "ulimit"));
}

TEST_F(UdpSocketOpenerTest, CappedBuffersAreToldOnceWithTheSysctl) {
  CapBuffers();
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.receive_buffer_bytes = config.send_buffer_bytes = uint64_t{1} << 29;

  UdpSocket socket = Open(config).value();
  const std::string receive = socket.PollNotice().value_or("");
  const std::string send = socket.PollNotice().value_or("");

  EXPECT_TRUE(absl::StrContains(receive, "sysctl -w net.core.rmem_max=536870912")) << receive;
  EXPECT_TRUE(absl::StrContains(send, "sysctl -w net.core.wmem_max=536870912")) << send;
  EXPECT_EQ(socket.PollNotice(), std::nullopt);
}

TEST_F(UdpSocketOpenerTest, BufferBelowTheCapIsNoNotice) {
  CapBuffers();
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.receive_buffer_bytes = config.send_buffer_bytes = 65'536;

  UdpSocket socket = Open(config).value();

  EXPECT_EQ(IntOption(socket, SOL_SOCKET, SO_RCVBUF), 2 * 65'536);
  EXPECT_EQ(IntOption(socket, SOL_SOCKET, SO_SNDBUF), 2 * 65'536);
  EXPECT_EQ(socket.PollNotice(), std::nullopt);
}

TEST_F(UdpSocketOpenerTest, RefusedBusyPollingIsANotice) {
  Refuse(SOL_SOCKET, SO_BUSY_POLL, EPERM);
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.receive_buffer_bytes = config.send_buffer_bytes = 65'536;
  config.busy_poll = Duration::Microseconds(50);

  UdpSocket socket = Open(config).value();

  EXPECT_TRUE(absl::StrContains(socket.PollNotice().value_or(""), "net.core.busy_read=50"));
}

TEST_F(UdpSocketOpenerTest, OldKernelSendsNoTrains) {
  faults_.kernel_release = "4.18.0-147.el8";
  UdpSocket socket = Open().value();
  UdpSocket receiver = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(3'000, 1'000);
  const Transmit train = Train(bytes, 1'000, receiver.local_address());

  socket.Send({&train, 1});

  EXPECT_EQ(socket.offload_report().gso, OffloadState::kUnsupported);
  EXPECT_EQ(faults_.taken.size(), 3u);
}

TEST_F(UdpSocketOpenerTest, KernelWithoutAnOffloadIsDoneWithout) {
  Refuse(IPPROTO_UDP, UDP_SEGMENT, ENOPROTOOPT);
  EXPECT_EQ(Open().value().offload_report().gso, OffloadState::kUnsupported);
  Refuse(IPPROTO_UDP, UDP_GRO, ENOPROTOOPT);
  EXPECT_EQ(Open().value().offload_report().gro, OffloadState::kUnsupported);
  Refuse(IPPROTO_IP, IP_RECVTOS, ENOPROTOOPT);
  EXPECT_EQ(Open().value().offload_report().ecn, OffloadState::kUnsupported);
  Refuse(SOL_SOCKET, SO_RXQ_OVFL, ENOPROTOOPT);
  EXPECT_TRUE(Open().ok());
}

}  // namespace
}  // namespace godwit
