// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_address.h"

#include <arpa/inet.h>

#include "gtest/gtest.h"

#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

TEST(UdpSocketAddressTest, Ipv4IsPlainOnIpv4Sockets) {
  KernelAddress kernel;

  const socklen_t bytes = WriteKernelAddress(Address("192.0.2.1:443"), AF_INET, kernel);

  EXPECT_EQ(bytes, sizeof(sockaddr_in));
  EXPECT_EQ(kernel.ipv4.sin_family, AF_INET);
  EXPECT_EQ(kernel.ipv4.sin_port, htons(443));
  EXPECT_EQ(kernel.ipv4.sin_addr.s_addr, inet_addr("192.0.2.1"));
  EXPECT_EQ(ReadKernelAddress(kernel), Address("192.0.2.1:443"));
}

TEST(UdpSocketAddressTest, Ipv4IsMappedOnIpv6SocketsAndComesBackPlain) {
  KernelAddress kernel;

  const socklen_t bytes = WriteKernelAddress(Address("192.0.2.1:443"), AF_INET6, kernel);

  EXPECT_EQ(bytes, sizeof(sockaddr_in6));
  EXPECT_EQ(kernel.ipv6.sin6_family, AF_INET6);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&kernel.ipv6.sin6_addr));
  EXPECT_EQ(ReadKernelAddress(kernel), Address("192.0.2.1:443"));
}

TEST(UdpSocketAddressTest, MappedAddressIsIpv4OnBothKindsOfSocket) {
  KernelAddress kernel;

  EXPECT_EQ(WriteKernelAddress(Address("[::ffff:192.0.2.1]:443"), AF_INET, kernel),
            sizeof(sockaddr_in));
  EXPECT_EQ(ReadKernelAddress(kernel), Address("192.0.2.1:443"));
  WriteKernelAddress(Address("[::ffff:192.0.2.1]:443"), AF_INET6, kernel);
  EXPECT_EQ(ReadKernelAddress(kernel), Address("192.0.2.1:443"));
}

TEST(UdpSocketAddressTest, LinkLocalAddressKeepsItsInterface) {
  KernelAddress kernel;

  WriteKernelAddress(Address("[fe80::1%7]:443"), AF_INET6, kernel);

  EXPECT_EQ(kernel.ipv6.sin6_scope_id, 7u);
  EXPECT_EQ(ReadKernelAddress(kernel), Address("[fe80::1%7]:443"));
}

TEST(UdpSocketAddressTest, OtherFamilyIsNoAddress) {
  KernelAddress kernel = {};
  kernel.any.sa_family = AF_UNIX;

  EXPECT_EQ(ReadKernelAddress(kernel), SocketAddress());
}

}  // namespace
}  // namespace godwit
