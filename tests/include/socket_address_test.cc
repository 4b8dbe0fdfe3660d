// SPDX-License-Identifier: Apache-2.0
#include "godwit/socket_address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr std::array<uint8_t, 4> kIpv4 = {192, 0, 2, 1};
constexpr std::array<uint8_t, 16> kIpv6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
                                           0,    0,    0,    0,    0, 0, 0, 1};
constexpr std::array<uint8_t, 16> kLinkLocal = {0xfe, 0x80, 0, 0, 0, 0, 0, 0,
                                                0,    0,    0, 0, 0, 0, 0, 1};

static_assert(std::is_trivially_copyable_v<SocketAddress>);
static_assert(SocketAddress::FromIpv4(kIpv4, 1) != SocketAddress::FromIpv4(kIpv4, 2));
static_assert(SocketAddress::FromIpv6(kLinkLocal, 1, 3).scope_id() == 3);

SocketAddress Ip(std::string_view text) { return SocketAddress::ParseIp(text, 443).value(); }

// What ParseIp() makes of `text`, in canonical form; "refused" if it does not like it.
std::string Canonical(std::string_view text) {
  const std::optional<SocketAddress> address = SocketAddress::ParseIp(text, 0);
  if (!address.has_value()) {
    return "refused";
  }
  const std::string formatted = address->ToString();  // "a.b.c.d:0" or "[...]:0".
  return address->is_ipv4() ? formatted.substr(0, formatted.size() - 2)
                            : formatted.substr(1, formatted.size() - 4);
}

TEST(SocketAddressTest, DefaultIsAnyIpv4AddressAndNoPort) {
  const SocketAddress address;

  EXPECT_TRUE(address.is_ipv4());
  EXPECT_TRUE(address.is_any());
  EXPECT_EQ(address.ToString(), "0.0.0.0:0");
}

TEST(SocketAddressTest, Ipv4KeepsItsParts) {
  const SocketAddress address = SocketAddress::FromIpv4(kIpv4, 443);

  EXPECT_EQ(address.family(), SocketAddress::Family::kIpv4);
  EXPECT_TRUE(address.is_ipv4());
  EXPECT_FALSE(address.is_ipv6());
  EXPECT_EQ(std::string(address.ip().begin(), address.ip().end()),
            std::string(kIpv4.begin(), kIpv4.end()));
  EXPECT_EQ(address.port(), 443);
  EXPECT_EQ(address.scope_id(), 0u);
}

TEST(SocketAddressTest, Ipv6KeepsItsParts) {
  const SocketAddress address = SocketAddress::FromIpv6(kLinkLocal, 443, 7);

  EXPECT_EQ(address.family(), SocketAddress::Family::kIpv6);
  EXPECT_FALSE(address.is_ipv4());
  EXPECT_TRUE(address.is_ipv6());
  EXPECT_EQ(std::string(address.ip().begin(), address.ip().end()),
            std::string(kLinkLocal.begin(), kLinkLocal.end()));
  EXPECT_EQ(address.port(), 443);
  EXPECT_EQ(address.scope_id(), 7u);
}

TEST(SocketAddressTest, OnlyLinkLocalAddressesKeepTheirScope) {
  std::array<uint8_t, 16> ip = kLinkLocal;
  ip[1] = 0xbf;  // The end of fe80::/10.
  EXPECT_EQ(SocketAddress::FromIpv6(ip, 1, 7).scope_id(), 7u);

  ip[1] = 0xc0;
  EXPECT_EQ(SocketAddress::FromIpv6(ip, 1, 7).scope_id(), 0u);
  EXPECT_EQ(SocketAddress::FromIpv6(kIpv6, 1, 7), SocketAddress::FromIpv6(kIpv6, 1));
}

TEST(SocketAddressTest, AddressWithPortIsRead) {
  EXPECT_EQ(SocketAddress::Parse("192.0.2.1:443"), SocketAddress::FromIpv4(kIpv4, 443));
  EXPECT_EQ(SocketAddress::Parse("[2001:db8::1]:443"), SocketAddress::FromIpv6(kIpv6, 443));
  EXPECT_EQ(SocketAddress::Parse("[fe80::1%3]:443"), SocketAddress::FromIpv6(kLinkLocal, 443, 3));
  EXPECT_EQ(SocketAddress::Parse("192.0.2.1:0"), SocketAddress::FromIpv4(kIpv4, 0));
  EXPECT_EQ(SocketAddress::Parse("[2001:DB8::1]:65535"), SocketAddress::FromIpv6(kIpv6, 65535));
}

TEST(SocketAddressTest, AddressWithoutPortIsRead) {
  EXPECT_EQ(SocketAddress::ParseIp("192.0.2.1", 443), SocketAddress::FromIpv4(kIpv4, 443));
  EXPECT_EQ(SocketAddress::ParseIp("2001:db8::1", 443), SocketAddress::FromIpv6(kIpv6, 443));
  EXPECT_EQ(SocketAddress::ParseIp("fe80::1%3", 443), SocketAddress::FromIpv6(kLinkLocal, 443, 3));
}

TEST(SocketAddressTest, ScopeIsANumberOfThirtyTwoBits) {
  EXPECT_EQ(Ip("fe80::1%4294967295").scope_id(), 4294967295u);
  EXPECT_EQ(Ip("fe80::1%0"), Ip("fe80::1"));
  for (const std::string_view text :
       {"fe80::1%", "fe80::1%4294967296", "fe80::1%01", "fe80::1%-1", "fe80::1%eth0", "fe80::1%3 ",
        "fe80::1%%3", "fe80::1%3%3", "%3", "2001:db8::1%3", "::1%0", "fec0::1%3", "192.0.2.1%3"}) {
    EXPECT_EQ(SocketAddress::ParseIp(text, 443), std::nullopt) << text;
  }
}

TEST(SocketAddressTest, MalformedTextIsRefused) {
  for (const std::string_view text : {"",
                                      ":",
                                      "[",
                                      "]",
                                      "[]",
                                      "[]:",
                                      "[]:443",
                                      ":443",
                                      "192.0.2.1",
                                      "192.0.2.1:",
                                      "2001:db8::1",
                                      "[2001:db8::1]",
                                      "[2001:db8::1]:",
                                      "[2001:db8::1]443",
                                      "[2001:db8::1:443",
                                      "2001:db8::1]:443",
                                      "2001:db8::1:443",
                                      "[[2001:db8::1]]:443",
                                      "[192.0.2.1]:443",
                                      "localhost:443",
                                      "192.0.2.1:https",
                                      " 192.0.2.1:443",
                                      "192.0.2.1:443 ",
                                      "192.0.2.1 :443",
                                      "192.0.2.1: 443",
                                      "192.0.2.1:443x",
                                      "192.0.2.1:443:",
                                      "[2001:db8::1]:443]",
                                      "[ 2001:db8::1]:443",
                                      "[2001:db8::1 ]:443",
                                      "192.0.2.1:-1",
                                      "192.0.2.1:+1",
                                      "192.0.2.1:65536",
                                      "192.0.2.1:4294967739",
                                      "192.0.2.1:99999999999999999999",
                                      "192.0.2.1:0443",
                                      "192.0.2.1:00",
                                      "192.0.2.1:0x1bb",
                                      "[fe80::1]%3:443"}) {
    EXPECT_EQ(SocketAddress::Parse(text), std::nullopt) << text;
  }
}

TEST(SocketAddressTest, MalformedIpv4IsRefused) {
  for (const std::string_view text :
       {"",           ".",         "1",         "1.2",       "1.2.3",     "1.2.3.",
        ".1.2.3",     "1..2.3",    "1.2.3.4.",  "1.2.3.4.5", "256.0.0.1", "1.2.3.256",
        "1.2.3.1000", "010.0.0.1", "1.2.3.04",  "00.0.0.0",  "-1.2.3.4",  "+1.2.3.4",
        "1.2.3.4 ",   " 1.2.3.4",  "1.2.3.0x4", "a.b.c.d",   "[1.2.3.4]", "16909060"}) {
    EXPECT_EQ(SocketAddress::ParseIp(text, 443), std::nullopt) << text;
  }
}

TEST(SocketAddressTest, MalformedIpv6IsRefused) {
  for (const std::string_view text : {":",
                                      ":::",
                                      "1",
                                      "1:",
                                      ":1",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:",
                                      ":2:3:4:5:6:7:8",
                                      "1:2:3:4:5:6:7:8:",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1:2:3:4:5:6:7:8",
                                      "1:2:3:4::5:6:7:8",
                                      "1::2::3",
                                      "::1::",
                                      ":::1",
                                      "1:::2",
                                      "1::2:",
                                      "12345::",
                                      "00001::",
                                      "g::",
                                      "::-1",
                                      "::+1",
                                      "::0x1",
                                      ":: 1",
                                      "::1 ",
                                      " ::1",
                                      "[::1]",
                                      "1.2.3.4::",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "::1.2.3.4:5",
                                      "::1.2.3.256",
                                      "::1.2.3.04",
                                      "::.1.2.3",
                                      "::1.2.3.4.",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1:2:3:4:5:1.2.3.4",
                                      "1:2:3:4:5:6::1.2.3.4",
                                      "::1:1.2.3.a"}) {
    EXPECT_EQ(SocketAddress::ParseIp(text, 443), std::nullopt) << text;
  }
}

TEST(SocketAddressTest, ZeroByteInTheTextIsRefused) {
  using std::string_view_literals::operator""sv;

  EXPECT_EQ(SocketAddress::Parse("192.0.2.1:443\0"sv), std::nullopt);
  EXPECT_EQ(SocketAddress::Parse("192.0.2.1\0:443"sv), std::nullopt);
  EXPECT_EQ(SocketAddress::ParseIp("2001:db8::1\0"sv, 443), std::nullopt);
}

TEST(SocketAddressTest, TextThatContinuesBeyondTheViewIsNotRead) {
  const std::string_view text = "192.0.2.12:4433";

  EXPECT_EQ(SocketAddress::ParseIp(text.substr(0, 9), 443), SocketAddress::FromIpv4(kIpv4, 443));
  EXPECT_EQ(SocketAddress::Parse(text.substr(0, 14))->port(), 443);
}

TEST(SocketAddressTest, FullGrammarOfIpv6IsRead) {
  EXPECT_EQ(Canonical("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(Canonical("::"), "::");
  EXPECT_EQ(Canonical("1::"), "1::");
  EXPECT_EQ(Canonical("::8"), "::8");
  EXPECT_EQ(Canonical("1::8"), "1::8");
  EXPECT_EQ(Canonical("1:2:3::8"), "1:2:3::8");
  EXPECT_EQ(Canonical("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
  EXPECT_EQ(Canonical("1::1.2.3.4"), "1::102:304");
  EXPECT_EQ(Canonical("1::5:1.2.3.4"), "1::5:102:304");
  EXPECT_EQ(Canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
}

TEST(SocketAddressTest, Ipv6IsWrittenInCanonicalForm) {
  // RFC 5952 §4.1, §4.3: no leading zeros, lower case.
  EXPECT_EQ(Canonical("2001:0DB8:0:0:aAaA:0:0:0001"), "2001:db8::aaaa:0:0:1");
  // RFC 5952 §4.2.1: shortened as far as possible.
  EXPECT_EQ(Canonical("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");
  EXPECT_EQ(Canonical("2001:db8::0:1"), "2001:db8::1");
  // RFC 5952 §4.2.2: one zero group alone stays.
  EXPECT_EQ(Canonical("2001:db8::1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(Canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(Canonical("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
  // RFC 5952 §4.2.3: the longest run, of equal ones the first.
  EXPECT_EQ(Canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(Canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  // RFC 5952 §5: dotted decimal where an IPv4 address is known to be embedded.
  EXPECT_EQ(Canonical("::ffff:c000:201"), "::ffff:192.0.2.1");
  EXPECT_EQ(Canonical("::ffff:0:0"), "::ffff:0.0.0.0");
  EXPECT_EQ(Canonical("::c000:201"), "::192.0.2.1");
  EXPECT_EQ(Canonical("::1"), "::1");
}

TEST(SocketAddressTest, ScopeAndPortAreWritten) {
  EXPECT_EQ(SocketAddress::FromIpv4(kIpv4, 0).ToString(), "192.0.2.1:0");
  EXPECT_EQ(SocketAddress::FromIpv6(kIpv6, 65535).ToString(), "[2001:db8::1]:65535");
  EXPECT_EQ(SocketAddress::FromIpv6(kLinkLocal, 443, 3).ToString(), "[fe80::1%3]:443");
}

TEST(SocketAddressTest, LongestTextHasMaxFormattedSize) {
  const std::string_view longest = "[fe80:1111:1111:1111:1111:1111:1111:1111%4294967295]:65535";

  const std::string text = SocketAddress::Parse(longest).value().ToString();

  EXPECT_EQ(text, longest);
  EXPECT_EQ(text.size(), SocketAddress::kMaxFormattedSize);
}

TEST(SocketAddressTest, FormatWritesOnlyWhatFits) {
  const SocketAddress address = SocketAddress::FromIpv4(kIpv4, 443);  // 13 characters.
  std::array<char, 14> buffer;
  buffer.fill('#');

  EXPECT_EQ(address.Format(std::span(buffer).first(12)), "");
  EXPECT_EQ(buffer[0], '#');
  EXPECT_EQ(address.Format({}), "");

  const std::string_view text = address.Format(std::span(buffer).first(13));
  EXPECT_EQ(text, "192.0.2.1:443");
  EXPECT_EQ(text.data(), buffer.data());
  EXPECT_EQ(buffer[13], '#');
}

TEST(SocketAddressTest, MappedAddressStandsForIpv4) {
  const SocketAddress mapped = Ip("::ffff:192.0.2.1");

  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_TRUE(mapped.is_ipv6());
  EXPECT_EQ(mapped.Unmapped(), SocketAddress::FromIpv4(kIpv4, 443));
  EXPECT_NE(mapped, mapped.Unmapped());
  EXPECT_FALSE(mapped.SameIp(mapped.Unmapped()));
}

TEST(SocketAddressTest, OtherAddressesAreNotMapped) {
  for (const std::string_view text : {"192.0.2.1", "::192.0.2.1", "::fffe:192.0.2.1",
                                      "::ff:192.0.2.1", "1::ffff:192.0.2.1", "::", "fe80::1%3"}) {
    EXPECT_FALSE(Ip(text).is_v4_mapped()) << text;
    EXPECT_EQ(Ip(text).Unmapped(), Ip(text)) << text;
  }
}

TEST(SocketAddressTest, LoopbackIsKnown) {
  for (const std::string_view text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(Ip(text).is_loopback()) << text;
  }
  for (const std::string_view text :
       {"128.0.0.1", "126.255.255.255", "0.0.0.0", "::", "::2", "1::1", "::127.0.0.1",
        "7f00::", "7f00::1", "::ffff:128.0.0.1", "::ffff:0.0.0.1"}) {
    EXPECT_FALSE(Ip(text).is_loopback()) << text;
  }
}

TEST(SocketAddressTest, AnyIsKnown) {
  for (const std::string_view text : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(Ip(text).is_any()) << text;
  }
  for (const std::string_view text : {"0.0.0.1", "1.0.0.0", "::1", "1::", "::ffff:0.0.0.1"}) {
    EXPECT_FALSE(Ip(text).is_any()) << text;
  }
}

TEST(SocketAddressTest, SameIpIgnoresThePortAlone) {
  EXPECT_TRUE(SocketAddress::FromIpv4(kIpv4, 1).SameIp(SocketAddress::FromIpv4(kIpv4, 2)));
  EXPECT_TRUE(Ip("fe80::1%3").SameIp(SocketAddress::FromIpv6(kLinkLocal, 1, 3)));
  EXPECT_FALSE(Ip("fe80::1%3").SameIp(Ip("fe80::1%4")));
  EXPECT_FALSE(Ip("192.0.2.1").SameIp(Ip("192.0.2.2")));
  EXPECT_FALSE(Ip("1::").SameIp(Ip("2::")));
  EXPECT_FALSE(Ip("::1").SameIp(Ip("::2")));
  // The same 16 bytes inside, of different families.
  EXPECT_FALSE(Ip("0.0.0.0").SameIp(Ip("::")));
}

TEST(SocketAddressTest, EveryPartCountsForEqualityOrderAndHash) {
  const std::array<SocketAddress, 8> ascending = {
      SocketAddress::Parse("0.0.0.0:443").value(),
      SocketAddress::Parse("192.0.2.1:442").value(),
      SocketAddress::Parse("192.0.2.1:443").value(),
      SocketAddress::Parse("192.0.2.2:443").value(),
      SocketAddress::Parse("[::]:443").value(),
      SocketAddress::Parse("[2001:db8::1]:443").value(),
      SocketAddress::Parse("[fe80::1]:443").value(),
      SocketAddress::Parse("[fe80::1%1]:443").value(),
  };
  const absl::flat_hash_set<SocketAddress> set(ascending.begin(), ascending.end());

  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] == ascending[j], i == j) << i << " " << j;
      EXPECT_EQ(ascending[i] < ascending[j], i < j) << i << " " << j;
      EXPECT_EQ(absl::HashOf(ascending[i]) == absl::HashOf(ascending[j]), i == j) << i << " " << j;
    }
    EXPECT_TRUE(set.contains(ascending[i]));
  }
  EXPECT_EQ(set.size(), ascending.size());
}

}  // namespace
}  // namespace godwit
