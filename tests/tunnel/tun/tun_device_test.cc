// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tun_device.h"

#include <string>

#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

TEST(TunDeviceTest, AnAddressHasThePrefixBehindIt) {
  const auto ipv4 = AddressOf(TunInterface{.name = "tun0", .address = "10.7.0.2/24"});
  const auto ipv6 = AddressOf(TunInterface{.name = "tun0", .address = "fd07::2/128"});

  ASSERT_TRUE(ipv4.ok());
  EXPECT_EQ(ipv4->base, SocketAddress::ParseIp("10.7.0.2", 0));
  EXPECT_EQ(ipv4->bits, 24);
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->base, SocketAddress::ParseIp("fd07::2", 0));
  EXPECT_EQ(ipv6->bits, 128);
}

TEST(TunDeviceTest, OtherTextsAreRefused) {
  for (const char* text : {"", "/", "10.7.0.2", "10.7.0.2/", "10.7.0.2/33", "10.7.0.2/-1",
                           "10.7.0.2/2x", "10.7.0/24", "fd07::2/129", "host/24"}) {
    const auto address = AddressOf(TunInterface{.name = "tun0", .address = text});

    ASSERT_FALSE(address.ok()) << text;
    EXPECT_NE(std::string(address.status().message()).find("10.7.0.2/24"), std::string::npos);
  }
}

}  // namespace
}  // namespace godwit::tunnel
