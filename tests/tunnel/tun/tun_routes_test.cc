// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tun_routes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

constexpr TunRoutes::Peer kPeer = 7;
constexpr TunRoutes::Peer kOther = 8;

SocketAddress Ip(std::string_view text) { return *SocketAddress::ParseIp(text, 0); }

PublicKeyHash KeyOf(uint8_t number) {
  std::array<uint8_t, PublicKeyHash::kSize> bytes = {};
  bytes[0] = number;
  return PublicKeyHash(bytes);
}

TunRoutes Routes() { return TunRoutes({.base = Ip("10.7.0.1"), .bits = 16}); }

TEST(TunRoutesTest, APeerHasTheAddressesThatItSendsFrom) {
  TunRoutes routes = Routes();

  EXPECT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.0.2")));
  EXPECT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.255.255")));

  EXPECT_EQ(routes.Find(Ip("10.7.0.2")), kPeer);
  EXPECT_EQ(routes.Find(Ip("10.7.255.255")), kPeer);
  EXPECT_EQ(routes.Find(Ip("10.7.0.3")), std::nullopt);
}

TEST(TunRoutesTest, AddressesOutsideOfThePrefixAreRefused) {
  TunRoutes routes = Routes();

  for (const char* source : {"10.6.255.255", "10.8.0.0", "127.0.0.1", "fe80::1"}) {
    EXPECT_FALSE(routes.Learn(kPeer, KeyOf(1), Ip(source))) << source;
    EXPECT_EQ(routes.Find(Ip(source)), std::nullopt);
  }
}

TEST(TunRoutesTest, TheServersOwnAddressIsRefused) {
  TunRoutes routes = Routes();

  EXPECT_FALSE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.0.1")));
}

TEST(TunRoutesTest, AnAddressIsNotTakenFromAnotherClient) {
  TunRoutes routes = Routes();
  ASSERT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.0.2")));

  EXPECT_FALSE(routes.Learn(kOther, KeyOf(2), Ip("10.7.0.2")));

  EXPECT_EQ(routes.Find(Ip("10.7.0.2")), kPeer);
}

TEST(TunRoutesTest, AClientThatComesBackTakesItsAddressAlong) {
  TunRoutes routes = Routes();
  ASSERT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.0.2")));

  EXPECT_TRUE(routes.Learn(kOther, KeyOf(1), Ip("10.7.0.2")));
  routes.Forget(kPeer);

  EXPECT_EQ(routes.Find(Ip("10.7.0.2")), kOther);
}

TEST(TunRoutesTest, WhatAConnectionHadIsFreeAfterItsEnd) {
  TunRoutes routes = Routes();
  ASSERT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.0.2")));

  routes.Forget(kPeer);

  EXPECT_EQ(routes.Find(Ip("10.7.0.2")), std::nullopt);
  EXPECT_TRUE(routes.Learn(kOther, KeyOf(2), Ip("10.7.0.2")));
}

TEST(TunRoutesTest, AClientHasSoManyAddressesAndNoMore) {
  TunRoutes routes = Routes();
  for (size_t i = 0; i < TunRoutes::kMaxAddressesOfClient; ++i) {
    ASSERT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.1." + std::to_string(i))));
  }

  EXPECT_FALSE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.2.0")));

  EXPECT_TRUE(routes.Learn(kPeer, KeyOf(1), Ip("10.7.1.0")));
  EXPECT_TRUE(routes.Learn(kOther, KeyOf(2), Ip("10.7.2.0")));
}

TEST(TunRoutesTest, AllClientsTogetherHaveABound) {
  TunRoutes routes = Routes();
  const size_t clients = TunRoutes::kMaxAddresses / TunRoutes::kMaxAddressesOfClient;
  for (size_t i = 0; i < TunRoutes::kMaxAddresses; ++i) {
    const std::string ip = "10.7." + std::to_string(100 + i / 256) + "." + std::to_string(i % 256);
    ASSERT_TRUE(routes.Learn(i % clients, KeyOf(1), Ip(ip)));
  }

  EXPECT_FALSE(routes.Learn(clients, KeyOf(2), Ip("10.7.0.2")));

  EXPECT_EQ(routes.size(), TunRoutes::kMaxAddresses);
  routes.Forget(0);
  EXPECT_TRUE(routes.Learn(clients, KeyOf(2), Ip("10.7.0.2")));
}

}  // namespace
}  // namespace godwit::tunnel
