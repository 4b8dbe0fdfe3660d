// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket.h"

#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "platform/udp_socket_address.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

constexpr std::array<EcnMark, 4> kMarks = {EcnMark::kNotEct, EcnMark::kEct1, EcnMark::kEct0,
                                           EcnMark::kCe};

// Sets a variable of the environment as long as it lives.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~EnvironmentVariable() { unsetenv(name_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  const char* name_;
};

// Sends one datagram with each mark and expects it there, with the addresses of both.
void ExpectMarksTravel(UdpSocket& sender, UdpSocket& receiver, const SocketAddress& to,
                       const SocketAddress& from) {
  const std::vector<uint8_t> bytes = PatternBytes(100, 100);
  for (const EcnMark mark : kMarks) {
    const Transmit transmit = Train(bytes, 100, to, {.ecn = mark});

    EXPECT_EQ(sender.Send({&transmit, 1}).transmits_done, 1u);
    const std::vector<KeptDatagram> received = ReceiveAll(receiver, 1);

    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(received[0].payload, bytes);
    EXPECT_EQ(received[0].ecn, mark);
    EXPECT_EQ(received[0].four_tuple.peer, from);
    EXPECT_EQ(received[0].four_tuple.local, to);
    EXPECT_EQ(received[0].received_at, kReceiveTime);
  }
}

SocketAddress AtPort(std::string_view ip, const UdpSocket& socket) {
  return SocketAddress::ParseIp(ip, socket.local_address().port()).value();
}

TEST(UdpSocketTest, PortIsChosenByTheKernel) {
  const UdpSocket socket = OpenUdp("127.0.0.1:0");

  EXPECT_NE(socket.local_address().port(), 0);
  EXPECT_EQ(socket.local_address(), AtPort("127.0.0.1", socket));
}

TEST(UdpSocketTest, Ipv4CarriesAddressesAndMarksBothWays) {
  UdpSocket a = OpenUdp("127.0.0.1:0");
  UdpSocket b = OpenUdp("127.0.0.1:0");

  ExpectMarksTravel(a, b, b.local_address(), a.local_address());
  ExpectMarksTravel(b, a, a.local_address(), b.local_address());
}

TEST(UdpSocketTest, Ipv6CarriesAddressesAndMarksBothWays) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocket a = OpenUdp("[::1]:0");
  UdpSocket b = OpenUdp("[::1]:0");

  ExpectMarksTravel(a, b, b.local_address(), a.local_address());
  ExpectMarksTravel(b, a, a.local_address(), b.local_address());
}

TEST(UdpSocketTest, DualStackSpeaksIpv4WithPlainIpv4Addresses) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocket dual = OpenUdp("[::]:0");
  UdpSocket ipv4 = OpenUdp("127.0.0.1:0");

  ExpectMarksTravel(ipv4, dual, AtPort("127.0.0.1", dual), ipv4.local_address());
  ExpectMarksTravel(dual, ipv4, ipv4.local_address(), AtPort("127.0.0.1", dual));
}

TEST(UdpSocketTest, DualStackSpeaksIpv6) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocket dual = OpenUdp("[::]:0");
  UdpSocket ipv6 = OpenUdp("[::1]:0");

  ExpectMarksTravel(ipv6, dual, AtPort("::1", dual), ipv6.local_address());
  ExpectMarksTravel(dual, ipv6, ipv6.local_address(), AtPort("::1", dual));
}

TEST(UdpSocketTest, MappedPeerIsTheSameAsItsIpv4Address) {
  UdpSocket a = OpenUdp("127.0.0.1:0");
  UdpSocket b = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(10, 10);
  const Transmit transmit = Train(bytes, 10, AtPort("::ffff:127.0.0.1", b));

  a.Send({&transmit, 1});

  EXPECT_EQ(Joined(ReceiveAll(b, 1)), bytes);
}

TEST(UdpSocketTest, WithoutDualStackIpv6KeepsIpv4PortFree) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocketConfig config = ConfigFor("[::]:0");
  config.is_dual_stack = false;
  const UdpSocket ipv6 = OpenUdp(config);

  EXPECT_TRUE(UdpSocket::Open(ConfigFor(AtPort("0.0.0.0", ipv6).ToString())).ok());
}

TEST(UdpSocketTest, ReplyLeavesFromTheAddressThatWasAskedFor) {
  UdpSocket server = OpenUdp("0.0.0.0:0");
  UdpSocket client = OpenUdp("127.0.0.1:0");
  const SocketAddress server_address = AtPort("127.0.0.2", server);
  const std::vector<uint8_t> bytes = PatternBytes(50, 50);
  const Transmit request = Train(bytes, 50, server_address);

  client.Send({&request, 1});
  const std::vector<KeptDatagram> received = ReceiveAll(server, 1);
  ASSERT_EQ(received.size(), 1u);
  const Transmit reply =
      Train(bytes, 50, received[0].four_tuple.peer, {.local = received[0].four_tuple.local});
  server.Send({&reply, 1});
  const std::vector<KeptDatagram> replies = ReceiveAll(client, 1);

  EXPECT_EQ(received[0].four_tuple.local, server_address);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].four_tuple.peer, server_address);
}

TEST(UdpSocketTest, DualStackReplyLeavesFromTheIpv4AddressThatWasAskedFor) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocket server = OpenUdp("[::]:0");
  UdpSocket client = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(50, 50);
  const Transmit reply = Train(bytes, 50, client.local_address(),
                               {.ecn = EcnMark::kEct0, .local = AtPort("127.0.0.2", server)});

  server.Send({&reply, 1});
  const std::vector<KeptDatagram> replies = ReceiveAll(client, 1);

  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].four_tuple.peer, AtPort("127.0.0.2", server));
  EXPECT_EQ(replies[0].ecn, EcnMark::kEct0);
}

// With all four combinations of GSO at the sender and GRO at the receiver.
class UdpSocketTrainTest : public testing::TestWithParam<std::pair<bool, bool>> {
 protected:
  static UdpSocket Open() {
    UdpSocketConfig config = ConfigFor("127.0.0.1:0");
    config.uses_gso = GetParam().first;
    config.uses_gro = GetParam().second;
    return OpenUdp(config);
  }
};

INSTANTIATE_TEST_SUITE_P(Offloads, UdpSocketTrainTest,
                         testing::Values(std::pair(false, false), std::pair(false, true),
                                         std::pair(true, false), std::pair(true, true)));

TEST_P(UdpSocketTrainTest, TrainArrivesAsItsSegments) {
  UdpSocket sender = Open();
  UdpSocket receiver = Open();
  const std::vector<uint8_t> bytes = PatternBytes(10 * 1'200 + 7, 1'200);
  const Transmit train = Train(bytes, 1'200, receiver.local_address(), {.ecn = EcnMark::kEct0});

  const UdpSocket::SendOutcome outcome = sender.Send({&train, 1});
  const std::vector<KeptDatagram> received = ReceiveAll(receiver, 11);

  EXPECT_EQ(outcome.transmits_done, 1u);
  EXPECT_FALSE(outcome.is_blocked);
  ASSERT_EQ(received.size(), 11u);
  for (size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(received[i].payload.size(), i < 10 ? 1'200u : 7u);
    EXPECT_EQ(received[i].ecn, EcnMark::kEct0);
  }
  EXPECT_EQ(Joined(received), bytes);
  const bool has_gso = sender.offload_report().gso == OffloadState::kOn;
  EXPECT_EQ(sender.stats().trains_sent, has_gso ? 1u : 0u);
  EXPECT_EQ(sender.stats().train_datagrams_sent, has_gso ? 11u : 0u);
  EXPECT_EQ(sender.stats().datagrams_sent, 11u);
  EXPECT_EQ(sender.stats().bytes_sent, bytes.size());
  EXPECT_EQ(receiver.stats().datagrams_received, 11u);
  EXPECT_EQ(receiver.stats().bytes_received, bytes.size());
}

// Above both bounds of a train, segments and bytes.
TEST_P(UdpSocketTrainTest, LongTransmitIsCutInSeveralTrains) {
  UdpSocket sender = Open();
  UdpSocket receiver = Open();
  const std::vector<uint8_t> many = PatternBytes(300 * 20, 20);
  const std::vector<uint8_t> large = PatternBytes(100 * 1'400, 1'400);
  const std::array<Transmit, 2> trains = {Train(many, 20, receiver.local_address()),
                                          Train(large, 1'400, receiver.local_address())};

  EXPECT_EQ(sender.Send(trains).transmits_done, 2u);
  std::vector<uint8_t> expected = many;
  expected.insert(expected.end(), large.begin(), large.end());

  EXPECT_EQ(Joined(ReceiveAll(receiver, 400)), expected);
  EXPECT_EQ(sender.stats().trains_resent, 0u);
  EXPECT_EQ(sender.stats().lost.total(), 0u);
}

TEST_P(UdpSocketTrainTest, SegmentsOfAnySizeArrive) {
  UdpSocket sender = Open();
  UdpSocket receiver = Open();
  for (const size_t bytes : {1u, 1'472u, 9'000u, 32'754u, 65'507u}) {
    const std::vector<uint8_t> payload = PatternBytes(bytes, bytes);
    const Transmit transmit = Train(payload, bytes, receiver.local_address());

    sender.Send({&transmit, 1});

    EXPECT_EQ(Joined(ReceiveAll(receiver, 1)), payload);
  }
}

TEST(UdpSocketTest, GsoSendsTrainInOneCallAndGroReceivesItInOne) {
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  UdpSocket receiver = OpenUdp("127.0.0.1:0");
  if (sender.offload_report().gso != OffloadState::kOn ||
      receiver.offload_report().gro != OffloadState::kOn) {
    GTEST_SKIP() << sender.offload_report().ToText();
  }
  const std::vector<uint8_t> bytes = PatternBytes(40 * 1'452, 1'452);
  const Transmit train = Train(bytes, 1'452, receiver.local_address());
  DatagramBatch single_buffer(1);

  sender.Send({&train, 1});
  EXPECT_EQ(ReceiveAll(receiver, 40).size(), 40u);
  sender.Send({&train, 1});
  EXPECT_TRUE(WaitReadable(receiver));

  EXPECT_EQ(sender.stats().send_calls, 2u);
  EXPECT_EQ(receiver.Receive(single_buffer, kReceiveTime).size(), 40u);
}

TEST(UdpSocketTest, EmptyDatagramAndEmptyTransmitAreHarmless) {
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  UdpSocket receiver = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(3, 3);
  const std::array<Transmit, 3> transmits = {Transmit(), Train(bytes, 3, receiver.local_address()),
                                             Transmit()};

  // Past the socket's own interface, which sends no empty datagrams.
  KernelAddress peer;
  const socklen_t peer_bytes = WriteKernelAddress(receiver.local_address(), AF_INET, peer);
  ASSERT_EQ(sendto(sender.fd(), nullptr, 0, 0, &peer.any, peer_bytes), 0);
  EXPECT_EQ(sender.Send(transmits).transmits_done, 3u);
  const std::vector<KeptDatagram> received = ReceiveAll(receiver, 2);

  ASSERT_EQ(received.size(), 2u);
  EXPECT_TRUE(received[0].payload.empty());
  EXPECT_EQ(received[1].payload, bytes);
}

TEST(UdpSocketTest, NothingWaitingIsAnEmptyBatch) {
  UdpSocket socket = OpenUdp("127.0.0.1:0");
  DatagramBatch batch;

  EXPECT_TRUE(socket.Receive(batch, kReceiveTime).empty());
  EXPECT_EQ(socket.stats().receive_errors, 0u);
}

TEST(UdpSocketTest, TooLargeForTheInterfaceIsToldOncePerPathAndSize) {
  UdpSocket socket = OpenUdp("127.0.0.1:0");
  const SocketAddress peer = Address("127.0.0.1:9");
  const std::vector<uint8_t> bytes(2 * 65'520);
  const std::array<Transmit, 2> transmits = {Train(bytes, 65'520, peer),
                                             Train(bytes, 65'520, peer)};

  EXPECT_EQ(socket.Send(transmits).transmits_done, 2u);

  ASSERT_EQ(socket.too_large().size(), 1u);
  EXPECT_EQ(socket.too_large()[0].bytes, 65'520u);
  EXPECT_EQ(socket.too_large()[0].four_tuple.peer, peer);
  EXPECT_EQ(socket.stats().lost.too_large, 4u);
  socket.Send({});
  EXPECT_TRUE(socket.too_large().empty());
}

TEST(UdpSocketTest, DatagramsThatFindTheBufferFullAreCounted) {
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.receive_buffer_bytes = 4'096;
  config.uses_gro = false;
  UdpSocket receiver = OpenUdp(config);
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(100 * 1'000, 1'000);
  const Transmit train = Train(bytes, 1'000, receiver.local_address());

  sender.Send({&train, 1});
  // The count of drops comes with what was let in after them, and does not grow from then on.
  Transmit single = train;
  single.payload = single.payload.first(10);
  DatagramBatch batch;
  for (int i = 0; i < 100 && WaitReadable(receiver); ++i) {
    receiver.Receive(batch, kReceiveTime);
    sender.Send({&single, 1});
  }
  const auto has_all = [&] {
    return receiver.stats().kernel_drops + receiver.stats().datagrams_received >= 200;
  };
  while (!has_all() && WaitReadable(receiver)) receiver.Receive(batch, kReceiveTime);

  EXPECT_GT(receiver.stats().kernel_drops, 0u);
  EXPECT_EQ(receiver.stats().kernel_drops + receiver.stats().datagrams_received, 200u);
}

TEST(UdpSocketTest, MovedSocketGoesOnAndIsClosedOnce) {
  UdpSocket first = OpenUdp("127.0.0.1:0");
  UdpSocket receiver = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(2'000, 1'000);
  const Transmit train = Train(bytes, 1'000, receiver.local_address());
  const SocketAddress address = first.local_address();

  UdpSocket second = std::move(first);
  first = OpenUdp("127.0.0.1:0");
  second.Send({&train, 1});

  EXPECT_EQ(second.local_address(), address);
  EXPECT_EQ(Joined(ReceiveAll(receiver, 2)), bytes);
  EXPECT_EQ(first.Send({&train, 1}).transmits_done, 1u);
}

TEST(UdpSocketTest, TakenPortIsRefusedWithAdvice) {
  const UdpSocket socket = OpenUdp("127.0.0.1:0");

  const absl::Status status =
      UdpSocket::Open(ConfigFor(socket.local_address().ToString())).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), socket.local_address().ToString())) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "reuses_port")) << status;
}

TEST(UdpSocketTest, AddressOfNobodyIsRefusedWithAdvice) {
  const absl::Status status = UdpSocket::Open(ConfigFor("192.0.2.1:0")).status();

  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "wildcard")) << status;
}

TEST(UdpSocketTest, ReusedPortIsSharedBySockets) {
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.reuses_port = true;
  const UdpSocket first = OpenUdp(config);
  config.local = first.local_address();

  EXPECT_TRUE(UdpSocket::Open(config).ok());
}

TEST(UdpSocketTest, ConfigOutOfRangeIsRefused) {
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.receive_buffer_bytes = uint64_t{std::numeric_limits<uint32_t>::max()};
  EXPECT_EQ(UdpSocket::Open(config).status().code(), absl::StatusCode::kInvalidArgument);

  config = ConfigFor("127.0.0.1:0");
  config.busy_poll = Duration::Nanoseconds(-1);
  EXPECT_EQ(UdpSocket::Open(config).status().code(), absl::StatusCode::kInvalidArgument);
  config.busy_poll = Duration::Infinite();
  EXPECT_EQ(UdpSocket::Open(config).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(UdpSocketTest, OffloadsAreSwitchedOffByConfig) {
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.uses_gso = config.uses_gro = config.uses_ecn = false;
  UdpSocket socket = OpenUdp(config);
  UdpSocket receiver = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes = PatternBytes(10, 10);
  const Transmit transmit = Train(bytes, 10, receiver.local_address(), {.ecn = EcnMark::kEct0});

  socket.Send({&transmit, 1});
  const OffloadReport report = socket.offload_report();

  EXPECT_EQ(report.gso, OffloadState::kDisabledByConfig);
  EXPECT_EQ(report.gro, OffloadState::kDisabledByConfig);
  EXPECT_EQ(report.ecn, OffloadState::kDisabledByConfig);
  EXPECT_EQ(report.max_train_segments, 1u);
  EXPECT_EQ(ReceiveAll(receiver, 1).at(0).ecn, EcnMark::kNotEct);
}

TEST(UdpSocketTest, OffloadsAreSwitchedOffByTheEnvironment) {
  const EnvironmentVariable gso("GODWIT_DISABLE_GSO", "1");
  const EnvironmentVariable gro("GODWIT_DISABLE_GRO", "1");
  const EnvironmentVariable ecn("GODWIT_DISABLE_ECN", "0");

  const OffloadReport report = OpenUdp("127.0.0.1:0").offload_report();

  EXPECT_EQ(report.gso, OffloadState::kDisabledByEnvironment);
  EXPECT_EQ(report.gro, OffloadState::kDisabledByEnvironment);
  EXPECT_EQ(report.ecn, OffloadState::kOn);
}

}  // namespace
}  // namespace godwit
