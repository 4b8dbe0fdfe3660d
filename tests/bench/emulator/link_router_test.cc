// SPDX-License-Identifier: Apache-2.0
//
// The kernel's UDP, TCP and ICMP through the router, in network namespaces; skipped where the
// system refuses to make them. What is exact is demanded exactly: which packets are lost follows
// from the seed, whatever the clock does.
#include "bench/emulator/link_router.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/emulator/link_model.h"
#include "bench/emulator/namespace_lab.h"
#include "bench/emulator/prompt_wait.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr uint16_t kPort = 4'433;
constexpr uint64_t kSeed = 11;
// Against a test that hangs; nothing is measured.
constexpr Duration kPatience = Duration::Seconds(60);

struct AnyAddress {
  AnyAddress(const std::string& text, uint16_t port) {
    if (inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
      ipv4.sin_family = AF_INET;
      ipv4.sin_port = htons(port);
      length = sizeof(ipv4);
    } else if (inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr) == 1) {
      ipv6.sin6_family = AF_INET6;
      ipv6.sin6_port = htons(port);
      length = sizeof(ipv6);
    }
  }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(this); }
  int family() const { return get()->sa_family; }

  union {
    sockaddr_in ipv4;
    sockaddr_in6 ipv6 = {};
  };
  socklen_t length = 0;
};

class LinkRouterTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<NamespaceLab> lab = NamespaceLab::Create({});
    if (absl::IsPermissionDenied(lab.status())) GTEST_SKIP() << lab.status();
    ASSERT_TRUE(lab.ok()) << lab.status();
    lab_ = std::make_unique<NamespaceLab>(*std::move(lab));
  }

  void StartRouter(absl::string_view text) {
    const absl::StatusOr<EmulationPlan> plan = ParseEmulationPlan(text);
    ASSERT_TRUE(plan.ok()) << plan.status();
    plan_ = *plan;
    absl::StatusOr<LinkEnd> client = lab_->OpenLinkEnd(LabPlace::kClient);
    absl::StatusOr<LinkEnd> server = lab_->OpenLinkEnd(LabPlace::kServer);
    ASSERT_TRUE(client.ok()) << client.status();
    ASSERT_TRUE(server.ok()) << server.status();
    const auto next_address = [this] { ASSERT_TRUE(lab_->StartNextClientAddress().ok()); };
    router_.emplace(
        LinkRouterConfig{.plan = *plan, .seed = kSeed, .next_client_address = next_address},
        *std::move(client), *std::move(server), MonotonicClock::Now());
  }

  // Lets the router work until `is_done`.
  void RouteUntil(absl::FunctionRef<bool()> is_done) {
    const Timestamp end = MonotonicClock::Now() + kPatience;
    while (!is_done()) {
      ASSERT_LT(MonotonicClock::Now(), end) << "what the test waits for does not come";
      router_->RunOnce();
      ASSERT_TRUE(lab_->FinishNextClientAddress().ok());
      WaitForInput(
          {router_->client_fd(), router_->server_fd()},
          std::min(router_->next_deadline(), MonotonicClock::Now() + Duration::Milliseconds(1)));
    }
  }
  // Until the link has got that many packets and is empty.
  void RouteUntilIdle(LinkDirection direction, uint64_t received_packets) {
    RouteUntil([&] {
      const LinkModel& link = router_->link(direction);
      return link.counters().received_packets == received_packets && link.pending_packets() == 0;
    });
  }

  FileDescriptor Open(LabPlace place, int family, int type, int protocol = 0) {
    FileDescriptor fd;
    const absl::Status status = lab_->InPlace(place, [&] {
      fd = FileDescriptor(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
      return fd.is_open() ? absl::OkStatus() : absl::ErrnoToStatus(errno, "socket");
    });
    EXPECT_TRUE(status.ok()) << status;
    return fd;
  }
  FileDescriptor OpenBound(LabPlace place, int type, const std::string& address) {
    const AnyAddress to(address, kPort);
    FileDescriptor fd = Open(place, to.family(), type);
    EXPECT_EQ(bind(fd.get(), to.get(), to.length), 0) << errno;
    return fd;
  }
  FileDescriptor OpenConnected(LabPlace place, int type, const std::string& address) {
    const AnyAddress to(address, kPort);
    FileDescriptor fd = Open(place, to.family(), type);
    EXPECT_TRUE(connect(fd.get(), to.get(), to.length) == 0 || errno == EINPROGRESS) << errno;
    return fd;
  }

  void SendUdpThatMayNotBeFragmented(const std::string& server, int level, int option,
                                     int mtu_option, int* path_mtu);

  std::unique_ptr<NamespaceLab> lab_;
  EmulationPlan plan_;
  std::optional<LinkRouter> router_;
};

TEST_F(LinkRouterTest, UdpPacketsAreLostAndCopiedAsTheSeedHasIt) {
  constexpr uint32_t kPackets = 1'000;
  StartRouter("delay 1ms; loss 10%; duplicate 5%; burst-loss 1% 30%");
  const FileDescriptor server = OpenBound(LabPlace::kServer, SOCK_DGRAM, "10.0.2.2");
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "10.0.2.2");
  LinkModel model(plan_.link(LinkDirection::kUp), SeedOfLink(LinkDirection::kUp, kSeed));
  std::vector<uint32_t> wanted;
  std::vector<uint32_t> seen;

  for (uint32_t i = 0; i < kPackets; ++i) {
    ASSERT_EQ(send(client.get(), &i, sizeof(i), 0), ssize_t{sizeof(i)});
    // Little at once, so that no buffer of the kernel overflows.
    if (i % 20 == 19) RouteUntilIdle(LinkDirection::kUp, i + 1);
    uint32_t number = 0;
    while (recv(server.get(), &number, sizeof(number), 0) > 0) seen.push_back(number);
    model.OnPacket(std::vector<uint8_t>(32), Timestamp::Zero());
    const Timestamp far = Timestamp::Zero() + Duration::Seconds(1);
    while (model.PollDelivery(far).has_value()) wanted.push_back(i);
  }
  uint32_t number = 0;
  while (recv(server.get(), &number, sizeof(number), 0) > 0) seen.push_back(number);

  EXPECT_EQ(seen, wanted);
  EXPECT_LT(wanted.size(), kPackets);
  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().dropped_packets(),
            model.counters().dropped_packets());
  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().received_bytes, kPackets * 32);
  const DirectionReport report = router_->ReadReport(LinkDirection::kUp);
  EXPECT_EQ(report.sockets.receive_drops, 0u);
  EXPECT_EQ(report.sockets.send_failures, 0u);
  EXPECT_EQ(report.lateness->count(), seen.size());
  // Not a packet but ours: no ARP, no router solicitation, nothing.
  EXPECT_EQ(report.sockets.ignored_frames, 0u);
  EXPECT_EQ(router_->link(LinkDirection::kDown).counters().received_packets, 0u);
}

TEST_F(LinkRouterTest, TcpCarriesEveryByteOverABadLink) {
  StartRouter(
      "rate 100mbit; delay 1ms; jitter 1ms reorder; loss 1%; duplicate 1%; corrupt 1%; mtu 1500");
  for (const std::string address : {"10.0.2.2", "fd00:0:0:2::2"}) {
    const FileDescriptor listener = OpenBound(LabPlace::kServer, SOCK_STREAM, address);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_STREAM, address);
    std::vector<uint8_t> content(500'000);
    for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * i >> 7);
    FileDescriptor server;
    size_t sent = 0;
    std::vector<uint8_t> seen;

    RouteUntil([&] {
      if (!server.is_open()) {
        server = FileDescriptor(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
      }
      const ssize_t took = send(client.get(), &content[sent], content.size() - sent, MSG_NOSIGNAL);
      if (took > 0) sent += static_cast<size_t>(took);
      uint8_t buffer[65'536];
      const ssize_t got = server.is_open() ? recv(server.get(), buffer, sizeof(buffer), 0) : 0;
      if (got > 0) seen.insert(seen.end(), buffer, buffer + got);
      return seen.size() >= content.size();
    });

    EXPECT_EQ(seen, content);
  }
  const LinkCounters& up = router_->link(LinkDirection::kUp).counters();
  EXPECT_GT(up.dropped_random_loss, 0u);
  EXPECT_GT(up.corrupted_packets, 0u);
  EXPECT_GT(up.reordered_packets, 0u);
  // Packets of the size that the link has: nothing was left to a network card.
  EXPECT_EQ(up.dropped_too_big, 0u);
}

TEST_F(LinkRouterTest, GsoTrainIsOnTheLinkAsSinglePackets) {
  StartRouter("mtu 1500");
  const FileDescriptor server = OpenBound(LabPlace::kServer, SOCK_DGRAM, "10.0.2.2");
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "10.0.2.2");
  const int segment_bytes = 1'200;
  ASSERT_EQ(
      setsockopt(client.get(), IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, sizeof(segment_bytes)), 0);
  const std::vector<uint8_t> train(12'000);

  const ssize_t sent = send(client.get(), train.data(), train.size(), 0);
  if (sent < 0 && errno == EIO) GTEST_SKIP() << "this kernel needs an offload for it";
  RouteUntilIdle(LinkDirection::kUp, 10);

  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().received_bytes, 10u * (1'200 + 28));
  int count = 0;
  std::vector<uint8_t> datagram(train.size());
  while (recv(server.get(), datagram.data(), datagram.size(), 0) == segment_bytes) ++count;
  EXPECT_EQ(count, 10);
}

TEST_F(LinkRouterTest, CorruptedPacketsFailTheirChecksum) {
  constexpr uint32_t kPackets = 200;
  StartRouter("corrupt 100%");
  const FileDescriptor server = OpenBound(LabPlace::kServer, SOCK_DGRAM, "10.0.2.2");
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "10.0.2.2");

  const std::vector<uint8_t> payload(1'000);
  for (uint32_t i = 0; i < kPackets; ++i) {
    ASSERT_GT(send(client.get(), payload.data(), payload.size(), 0), 0);
    RouteUntilIdle(LinkDirection::kUp, i + 1);
  }

  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().delivered_packets, kPackets);
  uint32_t count = 0;
  uint8_t byte = 0;
  while (recv(server.get(), &byte, sizeof(byte), 0) >= 0) ++count;
  // Two flipped bits can make up for each other in so simple a sum.
  EXPECT_LT(count, kPackets / 10);
}

// Once more after the answer. `path_mtu`: what the kernel then holds to be the path's.
void LinkRouterTest::SendUdpThatMayNotBeFragmented(const std::string& server, int level, int option,
                                                   int mtu_option, int* path_mtu) {
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, server);
  const int always = 2;  // IP_PMTUDISC_DO, IPV6_PMTUDISC_DO
  ASSERT_EQ(setsockopt(client.get(), level, option, &always, sizeof(always)), 0);
  const uint64_t before = router_->link(LinkDirection::kUp).counters().received_packets;
  const std::vector<uint8_t> payload(1'400);

  ASSERT_GT(send(client.get(), payload.data(), payload.size(), 0), 0);
  RouteUntilIdle(LinkDirection::kUp, before + 1);

  socklen_t size = sizeof(*path_mtu);
  ASSERT_EQ(getsockopt(client.get(), level, mtu_option, path_mtu, &size), 0);
}

TEST_F(LinkRouterTest, SenderOfTooBigPacketsLearnsTheMtu) {
  StartRouter("mtu 1300");
  int ipv4_mtu = 0;
  int ipv6_mtu = 0;

  SendUdpThatMayNotBeFragmented("10.0.2.2", IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU, &ipv4_mtu);
  SendUdpThatMayNotBeFragmented("fd00:0:0:2::2", IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_MTU,
                                &ipv6_mtu);

  EXPECT_EQ(ipv4_mtu, 1'300);
  EXPECT_EQ(ipv6_mtu, 1'300);
  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().dropped_too_big, 2u);
  EXPECT_EQ(router_->ReadReport(LinkDirection::kUp).too_big_answers, 2u);
}

TEST_F(LinkRouterTest, BlackHoleTellsNobody) {
  StartRouter("mtu 1300; too-big silent");
  int ipv4_mtu = 0;

  SendUdpThatMayNotBeFragmented("10.0.2.2", IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU, &ipv4_mtu);

  EXPECT_EQ(ipv4_mtu, 1'500);
  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().dropped_too_big, 1u);
  EXPECT_EQ(router_->ReadReport(LinkDirection::kUp).too_big_answers, 0u);
}

TEST_F(LinkRouterTest, EchoComesBackWithItsContent) {
  StartRouter("delay 2ms");
  const FileDescriptor client = Open(LabPlace::kClient, AF_INET, SOCK_RAW, IPPROTO_ICMP);
  std::vector<uint8_t> request(sizeof(icmphdr) + 1'000, 0x5a);
  icmphdr header = {};
  header.type = ICMP_ECHO;
  header.un.echo.sequence = htons(1);
  std::memcpy(request.data(), &header, sizeof(header));
  uint32_t sum = 0;
  for (size_t i = 0; i < request.size(); i += 2) sum += request[i] << 8 | request[i + 1];
  sum = (sum & 0xffff) + (sum >> 16);
  header.checksum = htons(static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16))));
  std::memcpy(request.data(), &header, sizeof(header));
  const AnyAddress server("10.0.2.2", 0);

  ASSERT_GT(sendto(client.get(), request.data(), request.size(), 0, server.get(), server.length),
            0);
  RouteUntilIdle(LinkDirection::kUp, 1);
  RouteUntilIdle(LinkDirection::kDown, 1);

  std::vector<uint8_t> answer(2'000);
  const ssize_t got = recv(client.get(), answer.data(), answer.size(), 0);
  ASSERT_EQ(got, static_cast<ssize_t>(20 + request.size()));
  EXPECT_EQ(answer[20], ICMP_ECHOREPLY);
  EXPECT_TRUE(std::equal(request.begin() + sizeof(header), request.end(),
                         answer.begin() + 20 + sizeof(header)));
}

TEST_F(LinkRouterTest, ScriptGivesTheClientItsNextAddress) {
  StartRouter("at 0s client-address next");
  const FileDescriptor server = OpenBound(LabPlace::kServer, SOCK_DGRAM, "10.0.2.2");
  const FileDescriptor server6 = OpenBound(LabPlace::kServer, SOCK_DGRAM, "fd00:0:0:2::2");

  RouteUntil([&] {
    return lab_->ipv4(LabPlace::kClient) == "10.0.1.3" && !lab_->is_changing_client_address();
  });
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "10.0.2.2");
  const FileDescriptor client6 = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "fd00:0:0:2::2");
  ASSERT_EQ(send(client.get(), "x", 1, 0), 1);
  ASSERT_EQ(send(client6.get(), "x", 1, 0), 1);
  RouteUntilIdle(LinkDirection::kUp, 2);

  char byte = 0;
  sockaddr_in from = {};
  socklen_t length = sizeof(from);
  ASSERT_EQ(recvfrom(server.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &length), 1);
  EXPECT_EQ(from.sin_addr.s_addr, AnyAddress("10.0.1.3", 0).ipv4.sin_addr.s_addr);
  sockaddr_in6 from6 = {};
  length = sizeof(from6);
  ASSERT_EQ(recvfrom(server6.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from6), &length), 1);
  EXPECT_EQ(from6.sin6_addr.s6_addr[15], 3);
}

TEST_F(LinkRouterTest, OutageOfTheScriptLosesEverything) {
  StartRouter("at 0s outage 10min");
  RouteUntil([&] { return router_->next_deadline() == Timestamp::Infinite(); });
  const FileDescriptor client = OpenConnected(LabPlace::kClient, SOCK_DGRAM, "10.0.2.2");

  for (int i = 0; i < 10; ++i) ASSERT_EQ(send(client.get(), "x", 1, 0), 1);
  RouteUntilIdle(LinkDirection::kUp, 10);

  EXPECT_EQ(router_->link(LinkDirection::kUp).counters().dropped_outage, 10u);
}

}  // namespace
}  // namespace godwit
