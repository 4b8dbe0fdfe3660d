// SPDX-License-Identifier: Apache-2.0
#include "tunnel/forward_spec.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Forward Parsed(std::string_view text) {
  const absl::StatusOr<Forward> forward = ParseForward("-L", text);
  EXPECT_TRUE(forward.ok()) << forward.status();
  return forward.value_or(Forward());
}

std::string MessageOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(ForwardSpecTest, ThreePartsBindTheLoopback) {
  EXPECT_EQ(Parsed("8080:example.org:80"),
            (Forward{ForwardProtocol::kTcp, {"127.0.0.1", 8080}, {"example.org", 80}}));
}

TEST(ForwardSpecTest, TheFirstOfFourPartsIsTheAddressToBind) {
  EXPECT_EQ(Parsed("192.0.2.1:8080:example.org:80").bind, (HostPort{"192.0.2.1", 8080}));
  EXPECT_EQ(Parsed("[2001:db8::1]:8080:example.org:80").bind, (HostPort{"2001:db8::1", 8080}));
  EXPECT_EQ(Parsed("localhost:8080:example.org:80").bind, (HostPort{"127.0.0.1", 8080}));
  EXPECT_EQ(Parsed("*:8080:example.org:80").bind, (HostPort{"0.0.0.0", 8080}));
  EXPECT_EQ(Parsed(":8080:example.org:80").bind, (HostPort{"0.0.0.0", 8080}));
}

TEST(ForwardSpecTest, TheProtocolComesFirst) {
  EXPECT_EQ(Parsed("udp:5353:[2001:db8::53]:53"),
            (Forward{ForwardProtocol::kUdp, {"127.0.0.1", 5353}, {"2001:db8::53", 53}}));
  EXPECT_EQ(Parsed("udp:[::1]:5353:dns:53"),
            (Forward{ForwardProtocol::kUdp, {"::1", 5353}, {"dns", 53}}));
  EXPECT_EQ(Parsed("tcp:1:a:2"), Parsed("1:a:2"));
}

TEST(ForwardSpecTest, WhatIsWrittenIsReadBack) {
  for (const std::string_view text :
       {"127.0.0.1:8080:example.org:80", "udp:[::]:1:[2001:db8::1]:65535"}) {
    EXPECT_EQ(ToText(Parsed(text)), text);
  }
}

TEST(ForwardSpecTest, WrongForwardsAreNamedWithTheRightForm) {
  const std::string_view wrong[] = {
      "",
      "8080",
      "8080:host",
      "0:host:80",
      "65536:host:80",
      "http:host:80",
      "8080:host:0",
      "8080:host:",
      "8080::80",
      "8080:ho st:80",
      "8080:[host]:80",
      "8080:[192.0.2.1]:80",
      "8080:[::1:80",
      "8080:::1:80",
      "name:8080:host:80",
      "1:2:3:4:5",
      "sctp:8080:host:80",
      "UDP:1:host:2",
      "8080:host:80 ",
      "8080:[[::1]]:80",
      "-1:host:80",
  };

  for (const std::string_view text : wrong) {
    EXPECT_THAT(MessageOf(ParseForward("-R", text).status()),
                AllOf(HasSubstr("bad -R \"" + std::string(text) + "\""),
                      HasSubstr("write -R [udp:][BIND:]PORT:HOST:HOSTPORT")));
  }
}

TEST(ForwardSpecTest, ErrorsSayWhichPartIsWrong) {
  EXPECT_THAT(MessageOf(ParseForward("-L", "8080:host").status()), HasSubstr("too few parts"));
  EXPECT_THAT(MessageOf(ParseForward("-L", "8080:::1:80").status()),
              HasSubstr("an IPv6 address needs brackets"));
  EXPECT_THAT(MessageOf(ParseForward("-L", "8080:host:http").status()),
              HasSubstr("\"http\" is no port"));
  EXPECT_THAT(MessageOf(ParseForward("-L", "name:8080:host:80").status()),
              HasSubstr("\"name\" is no address to bind"));
}

TEST(ForwardSpecTest, SocksListenersAreAPortWithOrWithoutAnAddress) {
  EXPECT_EQ(*ParseSocksListener("1080"), (HostPort{"127.0.0.1", 1080}));
  EXPECT_EQ(*ParseSocksListener("[::1]:1080"), (HostPort{"::1", 1080}));
  EXPECT_EQ(*ParseSocksListener("*:1080"), (HostPort{"0.0.0.0", 1080}));
  for (const std::string_view text :
       {"", "0", "x", "::1:1080", "host:1080", "1080:a:80", "[::1]"}) {
    EXPECT_THAT(MessageOf(ParseSocksListener(text).status()), HasSubstr("write -D [BIND:]PORT"));
  }
}

TEST(ForwardSpecTest, ListenersNeedAnAddressAndAPort) {
  EXPECT_EQ(*ParseListener("--listen", "[::]:4433", "::"), (HostPort{"::", 4433}));
  EXPECT_EQ(*ParseListener("--listen", "127.0.0.1:4433", "::"), (HostPort{"127.0.0.1", 4433}));
  EXPECT_EQ(*ParseListener("--listen", ":4433", "::"), (HostPort{"::", 4433}));
  EXPECT_EQ(*ParseListener("--listen", "*:0", "0.0.0.0"), (HostPort{"0.0.0.0", 0}));
  for (const std::string_view text : {"", "4433", "::", "[::]", "host:4433", "127.0.0.1:"}) {
    EXPECT_THAT(MessageOf(ParseListener("--listen", text, "::").status()),
                HasSubstr("write --listen ADDRESS:PORT"));
  }
}

TEST(ForwardSpecTest, AServersPortMayBeLeftOut) {
  EXPECT_EQ(*ParseServer("SERVER", "example.org", 4433), (HostPort{"example.org", 4433}));
  EXPECT_EQ(*ParseServer("SERVER", "example.org:443", 4433), (HostPort{"example.org", 443}));
  EXPECT_EQ(*ParseServer("SERVER", "2001:db8::1", 4433), (HostPort{"2001:db8::1", 4433}));
  EXPECT_EQ(*ParseServer("SERVER", "[2001:db8::1]", 4433), (HostPort{"2001:db8::1", 4433}));
  EXPECT_EQ(*ParseServer("SERVER", "[2001:db8::1]:443", 4433), (HostPort{"2001:db8::1", 443}));
  for (const std::string_view text : {"", ":443", "a:b", "a:0", "user@host", "a:1:2", "[::1"}) {
    EXPECT_THAT(MessageOf(ParseServer("SERVER", text, 4433).status()),
                HasSubstr("write SERVER HOST or HOST:PORT"));
  }
}

}  // namespace
}  // namespace godwit::tunnel
