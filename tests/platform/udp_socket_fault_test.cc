// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "base/check.h"
#include "platform/udp_socket.h"
#include "tests/platform/udp_socket_faults.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

constexpr size_t kSegmentBytes = 1'000;

class UdpSocketFaultTest : public testing::Test {
 protected:
  // Opening took place before the faults that a test then plans.
  UdpSocket OpenFaulty(std::string_view local = "127.0.0.1:0") {
    absl::StatusOr<UdpSocket> socket = UdpSocket::Open(ConfigFor(local), SocketFaults::Calls());
    GODWIT_CHECK(socket.ok());
    faults_.taken.clear();
    while (socket->PollNotice().has_value()) continue;
    return *std::move(socket);
  }

  Transmit Segments(size_t count, const TrainOptions& options = {}) {
    Transmit transmit = Train(bytes_, kSegmentBytes, receiver_.local_address(), options);
    transmit.payload = transmit.payload.first(count * kSegmentBytes);
    return transmit;
  }

  std::vector<uint8_t> FirstBytes(size_t segments) const {
    return {bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(segments * kSegmentBytes)};
  }

  // Sends it all and expects that it arrives whole, in order and once.
  void ExpectArrives(UdpSocket& socket, const Transmit& transmit) {
    EXPECT_EQ(socket.Send({&transmit, 1}).transmits_done, 1u);
    EXPECT_EQ(Joined(ReceiveAll(receiver_, transmit.segment_count())),
              std::vector<uint8_t>(transmit.payload.begin(), transmit.payload.end()));
  }

  bool HasGso() { return OpenFaulty().offload_report().gso == OffloadState::kOn; }

  SocketFaults faults_;
  UdpSocket receiver_ = OpenUdp("127.0.0.1:0");
  const std::vector<uint8_t> bytes_ = PatternBytes(200 * kSegmentBytes, kSegmentBytes);
};

#define GODWIT_SKIP_WITHOUT_GSO() \
  if (!HasGso()) GTEST_SKIP() << "this kernel has no GSO"

struct ErrorCase {
  int error;
  uint64_t UdpSocketStats::Lost::*counter;
};

class UdpSocketLossTest : public UdpSocketFaultTest,
                          public testing::WithParamInterface<ErrorCase> {};

INSTANTIATE_TEST_SUITE_P(
    Errors, UdpSocketLossTest,
    testing::Values(ErrorCase{ENOBUFS, &UdpSocketStats::Lost::no_buffers},
                    ErrorCase{ENOMEM, &UdpSocketStats::Lost::no_buffers},
                    ErrorCase{EMSGSIZE, &UdpSocketStats::Lost::too_large},
                    ErrorCase{EPERM, &UdpSocketStats::Lost::not_permitted},
                    ErrorCase{EACCES, &UdpSocketStats::Lost::not_permitted},
                    ErrorCase{ENETUNREACH, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{EHOSTUNREACH, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{ENETDOWN, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{EHOSTDOWN, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{EADDRNOTAVAIL, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{EAFNOSUPPORT, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{ENODEV, &UdpSocketStats::Lost::unreachable},
                    ErrorCase{EINVAL, &UdpSocketStats::Lost::invalid},
                    ErrorCase{EIO, &UdpSocketStats::Lost::other},
                    ErrorCase{ECONNREFUSED, &UdpSocketStats::Lost::other}));

TEST_P(UdpSocketLossTest, TrainIsLostAndWhatFollowsIsSent) {
  UdpSocket socket = OpenFaulty();
  const std::array<Transmit, 3> transmits = {Segments(1), Segments(5, {.ecn = EcnMark::kEct0}),
                                             Segments(2)};
  // Whatever of the second one is tried, as long as it is not given up.
  faults_.send_error = [&](const SentMessage&) {
    const bool is_second = faults_.taken.size() == 1 && socket.stats().lost.total() < 5;
    return is_second ? GetParam().error : 0;
  };

  const UdpSocket::SendOutcome outcome = socket.Send(transmits);

  EXPECT_EQ(outcome.transmits_done, 3u);
  EXPECT_FALSE(outcome.is_blocked);
  EXPECT_EQ(socket.stats().lost.*GetParam().counter, 5u);
  EXPECT_EQ(socket.stats().lost.total(), 5u);
  EXPECT_EQ(ReceiveAll(receiver_, 3).size(), 3u);
  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_EQ(socket.stats().ecn_disabled, 0u);
}

// Nothing went through, so nobody is to blame.
TEST_P(UdpSocketLossTest, OffloadsStayOnWhenNothingGoesThrough) {
  UdpSocket socket = OpenFaulty();
  const Transmit marked = Segments(5, {.ecn = EcnMark::kEct0});
  faults_.send_error = [](const SentMessage&) { return GetParam().error; };

  EXPECT_EQ(socket.Send({&marked, 1}).transmits_done, 1u);
  faults_.send_error = [](const SentMessage&) { return 0; };
  ExpectArrives(socket, marked);

  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_EQ(socket.stats().ecn_disabled, 0u);
  EXPECT_TRUE(faults_.taken.back().has_mark);
  EXPECT_EQ(socket.PollNotice(), std::nullopt);
}

class UdpSocketRefusedTrainTest : public UdpSocketFaultTest,
                                  public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Errors, UdpSocketRefusedTrainTest, testing::Values(EIO, EINVAL, EMSGSIZE));

TEST_P(UdpSocketRefusedTrainTest, IsResentOneByOneAndGsoIsOffForThatAddress) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty("0.0.0.0:0");
  const SocketAddress failing =
      SocketAddress::ParseIp("127.0.0.2", socket.local_address().port()).value();
  const SocketAddress sound =
      SocketAddress::ParseIp("127.0.0.3", socket.local_address().port()).value();
  faults_.send_error = [](const SentMessage& message) { return message.is_train ? GetParam() : 0; };

  ExpectArrives(socket, Segments(5, {.ecn = EcnMark::kEct0, .local = failing}));
  faults_.send_error = [](const SentMessage&) { return 0; };
  ExpectArrives(socket, Segments(5, {.local = failing}));
  const size_t taken = faults_.taken.size();
  ExpectArrives(socket, Segments(5, {.local = sound}));

  EXPECT_EQ(faults_.refused.size(), 1u);
  EXPECT_EQ(taken, 10u);
  EXPECT_EQ(faults_.taken.size(), 11u);
  EXPECT_EQ(socket.stats().trains_sent, 1u);
  EXPECT_EQ(socket.stats().train_datagrams_sent, 5u);
  EXPECT_EQ(socket.stats().trains_resent, 1u);
  EXPECT_EQ(socket.stats().gso_disabled, 1u);
  EXPECT_EQ(socket.stats().lost.total(), 0u);
  const OffloadReport report = socket.offload_report();
  ASSERT_EQ(report.gso_failed_from.size(), 1u);
  EXPECT_TRUE(report.gso_failed_from[0].SameIp(failing));
}

TEST_P(UdpSocketRefusedTrainTest, IsToldOnceWithAddressAndError) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty();
  faults_.send_error = [](const SentMessage& message) { return message.is_train ? GetParam() : 0; };

  ExpectArrives(socket, Segments(3, {.local = socket.local_address()}));
  ExpectArrives(socket, Segments(3, {.local = socket.local_address()}));
  const std::optional<std::string> notice = socket.PollNotice();

  ASSERT_TRUE(notice.has_value());
  EXPECT_TRUE(absl::StrContains(*notice, strerrorname_np(GetParam()))) << *notice;
  EXPECT_TRUE(absl::StrContains(*notice, "127.0.0.1: ")) << *notice;
  EXPECT_EQ(socket.PollNotice(), std::nullopt);
}

TEST_P(UdpSocketRefusedTrainTest, GsoIsOffEverywhereAfterManyAddressesFailed) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty("0.0.0.0:0");
  faults_.send_error = [](const SentMessage& message) { return message.is_train ? GetParam() : 0; };

  for (uint8_t i = 1; i <= 20; ++i) {
    const std::array<uint8_t, 4> ip = {127, 0, 1, i};
    ExpectArrives(socket, Segments(2, {.local = SocketAddress::FromIpv4(ip, 0)}));
  }

  EXPECT_EQ(socket.offload_report().gso, OffloadState::kFailed);
  EXPECT_EQ(socket.stats().trains_resent, socket.stats().gso_disabled);
}

// What kernels say of segments above the path's MTU: before 6.14 and since.
class UdpSocketPathMtuTest : public UdpSocketFaultTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Errors, UdpSocketPathMtuTest, testing::Values(EINVAL, EMSGSIZE));

TEST_P(UdpSocketPathMtuTest, SegmentsAboveItAreToldAndGsoStaysOn) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty();
  Transmit train = Segments(5);
  train.payload = train.payload.first(4 * kSegmentBytes + 100);
  faults_.send_error = [](const SentMessage& message) {
    if (message.is_train) return GetParam();
    return message.bytes >= kSegmentBytes ? EMSGSIZE : 0;
  };

  EXPECT_EQ(socket.Send({&train, 1}).transmits_done, 1u);

  ASSERT_EQ(socket.too_large().size(), 1u);
  EXPECT_EQ(socket.too_large()[0].bytes, kSegmentBytes);
  EXPECT_EQ(socket.too_large()[0].four_tuple, train.four_tuple);
  EXPECT_EQ(socket.stats().lost.too_large, 4u);
  EXPECT_EQ(ReceiveAll(receiver_, 1).at(0).payload.size(), 100u);
  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  faults_.send_error = [](const SentMessage&) { return 0; };
  faults_.taken.clear();
  ExpectArrives(socket, Segments(5));
  EXPECT_EQ(faults_.taken.size(), 1u);
}

TEST_F(UdpSocketFaultTest, SuspicionDoesNotOutliveTheCall) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty();
  const Transmit train = Segments(5);
  faults_.send_error = [](const SentMessage& message) { return message.is_train ? EIO : EAGAIN; };

  EXPECT_TRUE(socket.Send({&train, 1}).is_blocked);
  faults_.send_error = [](const SentMessage&) { return 0; };
  ExpectArrives(socket, train);

  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_TRUE(faults_.taken.back().is_train);
}

TEST_F(UdpSocketFaultTest, RefusedMarkIsDroppedAndTheDatagramIsNot) {
  UdpSocket socket = OpenFaulty();
  faults_.send_error = [](const SentMessage& message) { return message.has_mark ? EINVAL : 0; };

  ExpectArrives(socket, Segments(1, {.ecn = EcnMark::kEct0}));
  ExpectArrives(socket, Segments(1, {.ecn = EcnMark::kEct0}));

  EXPECT_EQ(faults_.refused.size(), 1u);
  EXPECT_EQ(socket.stats().ecn_disabled, 1u);
  EXPECT_EQ(socket.stats().lost.total(), 0u);
  EXPECT_EQ(socket.offload_report().ecn, OffloadState::kFailed);
  EXPECT_TRUE(absl::StrContains(socket.PollNotice().value_or(""), "ECN"));
  EXPECT_EQ(socket.PollNotice(), std::nullopt);
}

TEST_F(UdpSocketFaultTest, RefusedMarkOfTrainLeavesGsoOn) {
  GODWIT_SKIP_WITHOUT_GSO();
  UdpSocket socket = OpenFaulty();
  faults_.send_error = [](const SentMessage& message) { return message.has_mark ? EINVAL : 0; };

  ExpectArrives(socket, Segments(5, {.ecn = EcnMark::kEct0}));
  faults_.taken.clear();
  ExpectArrives(socket, Segments(5, {.ecn = EcnMark::kEct0}));

  EXPECT_EQ(socket.stats().ecn_disabled, 1u);
  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_EQ(faults_.taken.size(), 1u);
}

// As after a change of network: IPv6 says EINVAL to a local address that is not there.
TEST_F(UdpSocketFaultTest, LocalAddressThatHasGoneIsLossOnly) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "this machine has no ::1";
  UdpSocket socket = OpenFaulty("[::]:0");
  Transmit train = Segments(3, {.ecn = EcnMark::kEct0, .local = Address("[2001:db8::1]:1")});
  train.four_tuple.peer = Address("[::1]:9");

  EXPECT_EQ(socket.Send({&train, 1}).transmits_done, 1u);

  EXPECT_EQ(socket.stats().lost.total(), 3u);
  EXPECT_EQ(socket.stats().gso_disabled, 0u);
  EXPECT_EQ(socket.stats().ecn_disabled, 0u);
}

TEST_F(UdpSocketFaultTest, PeerOfAnotherFamilyIsUnreachable) {
  UdpSocket socket = OpenFaulty();
  Transmit transmit = Segments(1);
  transmit.four_tuple.peer = Address("[2001:db8::1]:9");

  socket.Send({&transmit, 1});

  EXPECT_EQ(socket.stats().lost.unreachable, 1u);
}

TEST_F(UdpSocketFaultTest, PartialBatchesSendEverythingOnce) {
  UdpSocket socket = OpenFaulty();
  const std::array<Transmit, 3> transmits = {Segments(7), Segments(1), Segments(150)};
  std::vector<uint8_t> expected;
  for (const size_t count : {7u, 1u, 150u}) {
    const std::vector<uint8_t> part = FirstBytes(count);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  for (const size_t messages : {1u, 2u, 3u}) {
    faults_.max_messages_per_call = messages;

    EXPECT_EQ(socket.Send(transmits).transmits_done, 3u);

    EXPECT_EQ(Joined(ReceiveAll(receiver_, 158)), expected);
  }
}

TEST_F(UdpSocketFaultTest, InterruptedCallIsMadeAgain) {
  UdpSocket socket = OpenFaulty();
  int interruptions = 3;
  faults_.send_error = [&](const SentMessage&) { return interruptions-- > 0 ? EINTR : 0; };

  ExpectArrives(socket, Segments(2));

  EXPECT_EQ(socket.stats().lost.total(), 0u);
}

// Without GSO, where trains are cut by what the kernel has room for.
class UdpSocketBlockedTest : public UdpSocketFaultTest {
 protected:
  UdpSocket OpenWithoutGso() {
    UdpSocketConfig config = ConfigFor("127.0.0.1:0");
    config.uses_gso = false;
    return UdpSocket::Open(config, SocketFaults::Calls()).value();
  }
};

TEST_F(UdpSocketBlockedTest, TransmitsBehindAreUntouched) {
  UdpSocket socket = OpenWithoutGso();
  const std::array<Transmit, 3> transmits = {Segments(1), Segments(1), Segments(1)};
  faults_.messages_until_blocked = 2;

  const UdpSocket::SendOutcome outcome = socket.Send(transmits);

  EXPECT_EQ(outcome.transmits_done, 2u);
  EXPECT_TRUE(outcome.is_blocked);
  EXPECT_EQ(ReceiveAll(receiver_, 2).size(), 2u);
  EXPECT_EQ(socket.stats().times_blocked, 1u);
}

TEST_F(UdpSocketBlockedTest, PartlySentTrainGoesOnWhereItStopped) {
  UdpSocket socket = OpenWithoutGso();
  const std::array<Transmit, 2> transmits = {Segments(1), Segments(10)};
  faults_.messages_until_blocked = 4;
  EXPECT_EQ(socket.Send(transmits).transmits_done, 1u);
  // Its bytes have moved.
  const std::vector<uint8_t> copy = FirstBytes(10);
  const Transmit rest = Train(copy, kSegmentBytes, receiver_.local_address());

  faults_.messages_until_blocked = 3;
  const UdpSocket::SendOutcome second = socket.Send({&rest, 1});
  faults_.messages_until_blocked = 100;
  const UdpSocket::SendOutcome third = socket.Send({&rest, 1});
  const UdpSocket::SendOutcome again = socket.Send({&rest, 1});

  EXPECT_EQ(second.transmits_done, 0u);
  EXPECT_TRUE(second.is_blocked);
  EXPECT_EQ(third.transmits_done, 1u);
  EXPECT_EQ(again.transmits_done, 1u);
  std::vector<uint8_t> expected = FirstBytes(1);
  expected.insert(expected.end(), copy.begin(), copy.end());
  expected.insert(expected.end(), copy.begin(), copy.end());
  EXPECT_EQ(Joined(ReceiveAll(receiver_, 21)), expected);
}

TEST_F(UdpSocketBlockedTest, AnotherTrainOfTheSameShapeIsSentWhole) {
  UdpSocket socket = OpenWithoutGso();
  const Transmit train = Segments(10);
  faults_.messages_until_blocked = 4;
  EXPECT_EQ(socket.Send({&train, 1}).transmits_done, 0u);
  std::vector<uint8_t> other = FirstBytes(10);
  other.back() ^= 1;
  const Transmit other_train = Train(other, kSegmentBytes, receiver_.local_address());
  ReceiveAll(receiver_, 4);

  faults_.messages_until_blocked = 100;
  EXPECT_EQ(socket.Send({&other_train, 1}).transmits_done, 1u);

  EXPECT_EQ(Joined(ReceiveAll(receiver_, 10)), other);
}

TEST_F(UdpSocketFaultTest, ErrorThatWaitsAtTheSocketHidesNoDatagram) {
  UdpSocket socket = OpenFaulty();
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  Transmit transmit = Segments(1);
  transmit.four_tuple.peer = socket.local_address();
  sender.Send({&transmit, 1});
  faults_.receive_errors = {ECONNREFUSED, EINTR, EHOSTUNREACH};

  EXPECT_EQ(Joined(ReceiveAll(socket, 1)), FirstBytes(1));
  EXPECT_EQ(socket.stats().receive_errors, 2u);
}

TEST_F(UdpSocketFaultTest, ErrorThatStaysEndsTheCall) {
  UdpSocket socket = OpenFaulty();
  faults_.receive_errors.assign(100, EBADF);
  DatagramBatch batch;

  EXPECT_TRUE(socket.Receive(batch, kReceiveTime).empty());
}

TEST_F(UdpSocketFaultTest, CutOffMessagesAreCountedNotDelivered) {
  UdpSocket socket = OpenFaulty();
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  Transmit transmit = Segments(1);
  transmit.four_tuple.peer = socket.local_address();
  for (const int flag : {MSG_TRUNC, MSG_CTRUNC}) {
    faults_.receive_flags = flag;
    sender.Send({&transmit, 1});

    EXPECT_TRUE(WaitReadable(socket));
    ReceiveAll(socket, 0);
  }

  EXPECT_EQ(socket.stats().datagrams_received, 0u);
  EXPECT_EQ(socket.stats().truncated, 2u);
}

}  // namespace
}  // namespace godwit
