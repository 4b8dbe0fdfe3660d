// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_control.h"

#include <netinet/udp.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

using Types = std::vector<std::pair<int, int>>;  // Levels and types.

msghdr MessageOf(std::span<uint8_t> control) {
  msghdr message = {};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  return message;
}

Types TypesIn(SendControl& control, size_t bytes) {
  msghdr message = MessageOf(std::span(control.bytes).first(bytes));
  Types types;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    types.emplace_back(header->cmsg_level, header->cmsg_type);
  }
  return types;
}

SendControl ControlFor(std::string_view local, std::string_view peer, EcnMark mark) {
  SendControl control;
  WriteSourceControl({.local = Address(local), .peer = Address(peer)}, control);
  WriteEcnControl(Address(peer), mark, control);
  WriteSegmentControl(1'200, control);
  return control;
}

template <typename Value>
void Add(int level, int type, const Value& value, std::vector<uint8_t>& control) {
  const size_t begin = control.size();
  control.resize(begin + CMSG_SPACE(sizeof(value)));
  auto* header = reinterpret_cast<cmsghdr*>(&control[begin]);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof(value));
  std::memcpy(CMSG_DATA(header), &value, sizeof(value));
}

TEST(UdpSocketControlTest, FormsArePrefixesOfOneBuffer) {
  SendControl ipv4 = ControlFor("192.0.2.1:1", "192.0.2.2:2", EcnMark::kEct0);
  SendControl ipv6 = ControlFor("[2001:db8::1]:1", "[2001:db8::2]:2", EcnMark::kEct0);
  const Types ipv4_types = {
      {IPPROTO_IP, IP_PKTINFO}, {IPPROTO_IP, IP_TOS}, {IPPROTO_UDP, UDP_SEGMENT}};
  const Types ipv6_types = {
      {IPPROTO_IPV6, IPV6_PKTINFO}, {IPPROTO_IPV6, IPV6_TCLASS}, {IPPROTO_UDP, UDP_SEGMENT}};

  EXPECT_EQ(TypesIn(ipv4, ipv4.train_bytes), ipv4_types);
  EXPECT_EQ(TypesIn(ipv4, ipv4.single_bytes), Types(ipv4_types.begin(), ipv4_types.end() - 1));
  EXPECT_EQ(TypesIn(ipv4, ipv4.source_bytes), Types(ipv4_types.begin(), ipv4_types.end() - 2));
  EXPECT_EQ(TypesIn(ipv6, ipv6.train_bytes), ipv6_types);
  EXPECT_TRUE(ipv4.has_mark());
}

TEST(UdpSocketControlTest, NothingIsSaidThatTheKernelDoesByItself) {
  SendControl control = ControlFor("0.0.0.0:1", "192.0.2.2:2", EcnMark::kNotEct);

  EXPECT_EQ(control.source_bytes, 0u);
  EXPECT_EQ(control.single_bytes, 0u);
  EXPECT_FALSE(control.has_mark());
  EXPECT_EQ(TypesIn(control, control.train_bytes), (Types{{IPPROTO_UDP, UDP_SEGMENT}}));
}

TEST(UdpSocketControlTest, LocalAddressOfAnotherFamilyIsLeftOut) {
  EXPECT_EQ(ControlFor("[2001:db8::1]:1", "192.0.2.2:2", EcnMark::kCe).source_bytes, 0u);
}

TEST(UdpSocketControlTest, MappedAddressesAreWrittenAsIpv4) {
  SendControl control = ControlFor("[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2", EcnMark::kEct1);

  EXPECT_EQ(TypesIn(control, control.single_bytes),
            (Types{{IPPROTO_IP, IP_PKTINFO}, {IPPROTO_IP, IP_TOS}}));
}

TEST(UdpSocketControlTest, EverythingReceivedIsRead) {
  std::vector<uint8_t> bytes;
  in6_pktinfo info = {};
  info.ipi6_addr.s6_addr[0] = 0xfe;
  info.ipi6_addr.s6_addr[1] = 0x80;
  info.ipi6_addr.s6_addr[15] = 1;
  info.ipi6_ifindex = 3;
  Add(IPPROTO_IPV6, IPV6_PKTINFO, info, bytes);
  Add(IPPROTO_IPV6, IPV6_TCLASS, int{0xb8 | 3}, bytes);
  Add(IPPROTO_UDP, UDP_GRO, int{1'452}, bytes);
  Add(SOL_SOCKET, SO_RXQ_OVFL, uint32_t{9}, bytes);

  const ReceiveControl control = ReadReceiveControl(MessageOf(bytes), 443);

  EXPECT_EQ(control.local, Address("[fe80::1%3]:443"));
  EXPECT_EQ(control.ecn, EcnMark::kCe);
  EXPECT_EQ(control.segment_bytes, 1'452u);
  EXPECT_EQ(control.kernel_drops, 9u);
}

// The differentiated services part of the byte, as some routers set it, is no mark.
TEST(UdpSocketControlTest, MarkIsTheLowTwoBits) {
  std::vector<uint8_t> bytes;
  Add(IPPROTO_IP, IP_TOS, uint8_t{0xb8 | 2}, bytes);

  EXPECT_EQ(ReadReceiveControl(MessageOf(bytes), 443).ecn, EcnMark::kEct0);
}

TEST(UdpSocketControlTest, ShortOrUnknownMessagesAreNothing) {
  std::vector<uint8_t> bytes;
  Add(IPPROTO_IPV6, IPV6_PKTINFO, uint16_t{1}, bytes);
  Add(IPPROTO_IPV6, IPV6_TCLASS, uint8_t{3}, bytes);
  Add(IPPROTO_UDP, UDP_GRO, int{0}, bytes);
  Add(SOL_SOCKET, SO_TIMESTAMP, uint64_t{1}, bytes);

  const ReceiveControl control = ReadReceiveControl(MessageOf(bytes), 443);

  EXPECT_EQ(control.local, std::nullopt);
  EXPECT_EQ(control.ecn, EcnMark::kNotEct);
  EXPECT_EQ(control.segment_bytes, std::nullopt);
  EXPECT_EQ(control.kernel_drops, std::nullopt);
}

}  // namespace
}  // namespace godwit
