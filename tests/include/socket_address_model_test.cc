// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress against inet_pton and inet_ntop: what is accepted, which address it is and
// how it is written must agree. godwit is nowhere stricter on an address alone; it accepts
// more in one place, the scope of a link-local address, which inet_pton does not know.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

#include "godwit/socket_address.h"

namespace godwit {
namespace {

constexpr uint64_t kSeed = 20'000;
constexpr int kAddressCount = 30'000;
constexpr int kMutatedTextCount = 300'000;

class Generator {
 public:
  // Less than `bound`.
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  std::array<uint8_t, 4> Ipv4() {
    std::array<uint8_t, 4> ip;
    for (uint8_t& byte : ip) {
      byte = static_cast<uint8_t>(random_() >> Below(8) & 0xff);
    }
    return ip;
  }

  // Often zero groups, one-digit groups and the prefixes that embed IPv4 addresses.
  std::array<uint8_t, 16> Ipv6() {
    std::array<uint8_t, 16> ip = {};
    const size_t zero_percent = Below(100);
    for (size_t i = 0; i < ip.size(); i += 2) {
      if (Below(100) >= zero_percent) {
        const uint16_t group = static_cast<uint16_t>((random_() & 0xffff) >> Below(16));
        ip[i] = static_cast<uint8_t>(group >> 8);
        ip[i + 1] = static_cast<uint8_t>(group);
      }
    }
    if (Below(8) == 0) {
      std::fill(ip.begin(), ip.begin() + 10, 0);
      ip[10] = ip[11] = Below(2) == 0 ? 0xff : 0;
    }
    return ip;
  }

  // `text` after one to four edits that keep it looking like an address.
  std::string Mutated(std::string text) {
    constexpr std::string_view kAlphabet = "0123456789abcdefABCDEF::::....gx-+ []/";
    for (size_t edits = 1 + Below(4); edits > 0; --edits) {
      const size_t at = Below(text.size() + 1);
      const char letter = kAlphabet[Below(kAlphabet.size())];
      switch (Below(5)) {
        case 0:
          text.insert(at, 1, letter);
          break;
        case 1:
          text.replace(at, at < text.size() ? 1 : 0, 1, letter);
          break;
        case 2:
          text.erase(at, 1 + Below(3));
          break;
        case 3:
          text.insert(at, text.substr(Below(text.size() + 1), 1 + Below(6)));
          break;
        default:
          text.insert(at, Below(2) == 0 ? "::" : "1.2.3.4");
          break;
      }
    }
    return text;
  }

 private:
  std::mt19937_64 random_{kSeed};
};

std::string Ntop(int family, const void* ip) {
  std::array<char, INET6_ADDRSTRLEN> buffer;
  return inet_ntop(family, ip, buffer.data(), buffer.size());
}

// The model of ParseIp() for text without a scope.
std::optional<SocketAddress> Pton(const std::string& text, uint16_t port) {
  std::array<uint8_t, 16> ip;
  if (inet_pton(AF_INET6, text.c_str(), ip.data()) == 1) {
    return SocketAddress::FromIpv6(ip, port);
  }
  if (inet_pton(AF_INET, text.c_str(), ip.data()) == 1) {
    return SocketAddress::FromIpv4(std::span(ip).first<4>(), port);
  }
  return std::nullopt;
}

TEST(SocketAddressModelTest, Ipv4TextAgrees) {
  Generator generator;
  for (int i = 0; i < kAddressCount; ++i) {
    const std::array<uint8_t, 4> ip = generator.Ipv4();
    const uint16_t port = static_cast<uint16_t>(generator.Below(65'536));
    const SocketAddress address = SocketAddress::FromIpv4(ip, port);

    const std::string text = Ntop(AF_INET, ip.data());

    ASSERT_EQ(address.ToString(), text + ":" + std::to_string(port));
    ASSERT_EQ(SocketAddress::Parse(address.ToString()), address);
    ASSERT_EQ(SocketAddress::ParseIp(text, port), address);
  }
}

TEST(SocketAddressModelTest, Ipv6TextAgrees) {
  Generator generator;
  for (int i = 0; i < kAddressCount; ++i) {
    const std::array<uint8_t, 16> ip = generator.Ipv6();
    const uint16_t port = static_cast<uint16_t>(generator.Below(65'536));
    const SocketAddress address = SocketAddress::FromIpv6(ip, port);

    const std::string text = Ntop(AF_INET6, ip.data());

    ASSERT_EQ(address.ToString(), "[" + text + "]:" + std::to_string(port));
    ASSERT_EQ(SocketAddress::Parse(address.ToString()), address);
    ASSERT_EQ(SocketAddress::ParseIp(text, port), address);
  }
}

TEST(SocketAddressModelTest, AcceptanceOfMutatedTextAgrees) {
  Generator generator;
  int accepted_count = 0;
  for (int i = 0; i < kMutatedTextCount; ++i) {
    const std::string original = generator.Below(3) == 0 ? Ntop(AF_INET, generator.Ipv4().data())
                                                         : Ntop(AF_INET6, generator.Ipv6().data());
    const std::string text = generator.Mutated(original);

    const std::optional<SocketAddress> expected = Pton(text, 443);

    ASSERT_EQ(SocketAddress::ParseIp(text, 443), expected) << text;
    const bool is_ipv6 = expected.has_value() && expected->is_ipv6();
    const bool is_ipv4 = expected.has_value() && expected->is_ipv4();
    ASSERT_EQ(SocketAddress::Parse("[" + text + "]:443"), is_ipv6 ? expected : std::nullopt)
        << text;
    ASSERT_EQ(SocketAddress::Parse(text + ":443"), is_ipv4 ? expected : std::nullopt) << text;
    accepted_count += expected.has_value() ? 1 : 0;
  }
  // Both answers must be common, or the agreement says little.
  EXPECT_GT(accepted_count, kMutatedTextCount / 20);
  EXPECT_LT(accepted_count, kMutatedTextCount / 2);
}

TEST(SocketAddressModelTest, ScopeIsAcceptedAfterLinkLocalAddressesOnly) {
  Generator generator;
  for (int i = 0; i < kAddressCount; ++i) {
    std::array<uint8_t, 16> ip = generator.Ipv6();
    if (generator.Below(2) == 0) {
      ip[0] = 0xfe;
    }
    const bool is_link_local = ip[0] == 0xfe && ip[1] >> 6 == 0b10;
    const uint32_t scope_id = static_cast<uint32_t>(1 + generator.Below(0xffff'ffff));
    const std::string text = Ntop(AF_INET6, ip.data()) + "%" + std::to_string(scope_id);

    const std::optional<SocketAddress> address = SocketAddress::ParseIp(text, 443);

    ASSERT_EQ(address, is_link_local ? std::optional(SocketAddress::FromIpv6(ip, 443, scope_id))
                                     : std::nullopt)
        << text;
    if (is_link_local) {
      ASSERT_EQ(address->ToString(), "[" + text + "]:443");
    }
  }
}

}  // namespace
}  // namespace godwit
