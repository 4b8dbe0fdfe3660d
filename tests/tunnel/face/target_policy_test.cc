// SPDX-License-Identifier: Apache-2.0
#include "tunnel/target_policy.h"

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

SocketAddress At(std::string_view text) { return SocketAddress::Parse(text).value(); }

TargetPolicy PolicyOf(const std::vector<TargetPattern>& patterns) {
  absl::StatusOr<TargetPolicy> policy = TargetPolicy::Parse(patterns);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : TargetPolicy();
}

bool Allows(std::string_view pattern, std::string_view asked, std::string_view resolved) {
  return PolicyOf({std::string(pattern)}).AllowsAddress(asked, At(resolved));
}

TEST(TargetPolicyTest, WithoutPatternsNothingIsAllowed) {
  const TargetPolicy policy;

  EXPECT_TRUE(policy.is_empty());
  EXPECT_FALSE(policy.AllowsAddress("192.0.2.1", At("192.0.2.1:80")));
  EXPECT_FALSE(policy.AllowsBind(At("127.0.0.1:80")));
}

TEST(TargetPolicyTest, AnAddressAllowsItselfAtItsPort) {
  EXPECT_TRUE(Allows("192.0.2.1:80", "192.0.2.1", "192.0.2.1:80"));
  EXPECT_TRUE(Allows("192.0.2.1:80", "any.name", "192.0.2.1:80"));
  EXPECT_FALSE(Allows("192.0.2.1:80", "192.0.2.1", "192.0.2.1:81"));
  EXPECT_FALSE(Allows("192.0.2.1:80", "192.0.2.2", "192.0.2.2:80"));
  EXPECT_TRUE(Allows("[2001:db8::1]:80", "x", "[2001:db8::1]:80"));
  EXPECT_FALSE(Allows("[2001:db8::1]:80", "x", "[2001:db8::2]:80"));
}

TEST(TargetPolicyTest, ACidrAllowsTheAddressesWithItsPrefix) {
  EXPECT_TRUE(Allows("10.16.0.0/12:22", "x", "10.31.255.255:22"));
  EXPECT_FALSE(Allows("10.16.0.0/12:22", "x", "10.32.0.0:22"));
  EXPECT_FALSE(Allows("10.16.0.0/12:22", "x", "[2001:db8::1]:22"));
  EXPECT_TRUE(Allows("[2001:db8::/33]:22", "x", "[2001:db8:7fff::1]:22"));
  EXPECT_FALSE(Allows("[2001:db8::/33]:22", "x", "[2001:db8:8000::1]:22"));
  EXPECT_TRUE(Allows("0.0.0.0/0:22", "x", "8.8.8.8:22"));
}

TEST(TargetPolicyTest, PortsAreOneOrARangeOrAll) {
  EXPECT_TRUE(Allows("*:8000-8999", "x", "192.0.2.1:8000"));
  EXPECT_TRUE(Allows("*:8000-8999", "x", "192.0.2.1:8999"));
  EXPECT_FALSE(Allows("*:8000-8999", "x", "192.0.2.1:7999"));
  EXPECT_FALSE(Allows("*:8000-8999", "x", "192.0.2.1:9000"));
  EXPECT_TRUE(Allows("*:*", "x", "192.0.2.1:65535"));
}

TEST(TargetPolicyTest, ANameAllowsWhatWasAskedForByThatName) {
  EXPECT_TRUE(Allows("db.example.org:5432", "db.example.org", "10.0.0.7:5432"));
  EXPECT_TRUE(Allows("db.Example.org:5432", "DB.example.ORG.", "10.0.0.7:5432"));
  EXPECT_FALSE(Allows("db.example.org:5432", "other.example.org", "10.0.0.7:5432"));
  EXPECT_FALSE(Allows("db.example.org:5432", "10.0.0.7", "10.0.0.7:5432"));
}

TEST(TargetPolicyTest, AWildcardAllowsNamesBelowItAndNotItself) {
  EXPECT_TRUE(Allows("*.example.org:443", "a.example.org", "10.0.0.7:443"));
  EXPECT_TRUE(Allows("*.example.org:443", "b.a.example.org", "10.0.0.7:443"));
  EXPECT_FALSE(Allows("*.example.org:443", "example.org", "10.0.0.7:443"));
  EXPECT_FALSE(Allows("*.example.org:443", "badexample.org", "10.0.0.7:443"));
  EXPECT_FALSE(Allows("*.example.org:443", "a.example.org.evil", "10.0.0.7:443"));
}

// A name that a stranger controls may resolve to anything, and 0.0.0.0 connects to this machine.
TEST(TargetPolicyTest, OnlyAPatternThatSpeaksOfSpecialAddressesAllowsThem) {
  const std::string_view special[] = {
      "127.0.0.1:80",
      "127.9.9.9:80",
      "[::1]:80",
      "0.0.0.0:80",
      "[::]:80",
      "169.254.169.254:80",
      "[fe80::1%2]:80",
      "224.0.0.1:80",
      "255.255.255.255:80",
      "[ff02::1]:80",
      "[::ffff:127.0.0.1]:80",
      "[::ffff:169.254.1.1]:80",
      "[fd00:ec2::254]:80",
      "[fd20:ce::254]:80",
  };

  for (const std::string_view address : special) {
    for (const std::string_view pattern :
         {"*:*", "0.0.0.0/0:*", "[::/0]:*", "evil.example:*", "*.example:*", "[::/1]:80",
          "0.0.0.0/1:80", "[fd00::/8]:80"}) {
      EXPECT_FALSE(Allows(pattern, "evil.example", address)) << pattern << " " << address;
    }
  }
}

TEST(TargetPolicyTest, APatternWithinASpecialRangeOpensIt) {
  EXPECT_TRUE(Allows("127.0.0.1:80", "127.0.0.1", "127.0.0.1:80"));
  EXPECT_TRUE(Allows("127.0.0.0/8:80", "x", "127.9.9.9:80"));
  EXPECT_TRUE(Allows("[::1]:80", "x", "[::1]:80"));
  EXPECT_TRUE(Allows("169.254.169.254:80", "x", "169.254.169.254:80"));
  EXPECT_TRUE(Allows("[fe80::/10]:80", "x", "[fe80::1%2]:80"));
  EXPECT_TRUE(Allows("[fd00:ec2::254]:80", "x", "[fd00:ec2::254]:80"));
  EXPECT_FALSE(Allows("127.0.0.1:80", "localhost", "[::1]:80"));
}

TEST(TargetPolicyTest, TheNameLocalhostOpensTheLoopbackAlone) {
  EXPECT_TRUE(Allows("localhost:80", "localhost", "127.0.0.1:80"));
  EXPECT_TRUE(Allows("localhost:80", "LOCALHOST", "[::1]:80"));
  EXPECT_FALSE(Allows("localhost:80", "localhost", "169.254.169.254:80"));
  EXPECT_FALSE(Allows("localhost:80", "127.0.0.1", "127.0.0.1:80"));
}

TEST(TargetPolicyTest, MappedAddressesCountAsWhatTheyStandFor) {
  EXPECT_TRUE(Allows("10.0.0.0/8:80", "x", "[::ffff:10.1.2.3]:80"));
  EXPECT_TRUE(Allows("[::ffff:10.0.0.0/104]:80", "x", "10.1.2.3:80"));
  EXPECT_FALSE(Allows("[::ffff:10.0.0.0/104]:80", "x", "11.1.2.3:80"));
}

TEST(TargetPolicyTest, AnyOfSeveralPatternsWillDo) {
  const TargetPolicy policy = PolicyOf({"10.0.0.1:1", "10.0.0.2:2"});

  EXPECT_TRUE(policy.AllowsAddress("x", At("10.0.0.1:1")));
  EXPECT_TRUE(policy.AllowsAddress("x", At("10.0.0.2:2")));
  EXPECT_FALSE(policy.AllowsAddress("x", At("10.0.0.1:2")));
}

TEST(TargetPolicyTest, BindsAreAllowedByAddressAndAStarIsTheWidest) {
  EXPECT_TRUE(PolicyOf({"127.0.0.1:8080"}).AllowsBind(At("127.0.0.1:8080")));
  EXPECT_FALSE(PolicyOf({"127.0.0.1:8080"}).AllowsBind(At("0.0.0.0:8080")));
  EXPECT_FALSE(PolicyOf({"10.0.0.0/8:8080"}).AllowsBind(At("0.0.0.0:8080")));
  EXPECT_TRUE(PolicyOf({"*:8080"}).AllowsBind(At("0.0.0.0:8080")));
  EXPECT_TRUE(PolicyOf({"*:8080"}).AllowsBind(At("127.0.0.1:8080")));
  EXPECT_FALSE(PolicyOf({"*:8080"}).AllowsBind(At("127.0.0.1:8081")));
}

TEST(TargetPolicyTest, NamesAreNoPatternsOfBinds) {
  const auto policy = TargetPolicy::ParseBinds({"*:80", "localhost:8080"});

  EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(policy.status().message()),
              AllOf(HasSubstr("\"localhost:8080\""), HasSubstr("127.0.0.1:8080")));
  EXPECT_TRUE(TargetPolicy::ParseBinds({"*:80", "[::1]:8080"}).ok());
}

TEST(TargetPolicyTest, WrongPatternsAreNamedWithTheRightForm) {
  const std::string_view wrong[] = {
      "",           ":80",          "host",          "10.0.0.1",       "host:",
      "host:0",     "host:65536",   "host:9-8",      "host:1-",        "host:http",
      "host:1-2-3", "10.0.0.300:1", "10.0.0.0/33:1", "10.0.0.1/8:1",   "10.0.0.0/:1",
      "::1:80",     "[::1:80",      "[::1]",         "[10.0.0.1]:80",  "[::/129]:80",
      "a..b:80",    ".a:80",        "a b:80",        "*example.org:1", "a.*.b:80",
      "host/8:80",  "**:80",        "*.:80",         "*.*:80",         "[]:80",
  };

  for (const std::string_view pattern : wrong) {
    const auto policy = TargetPolicy::Parse({std::string(pattern)});
    EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument) << pattern;
    EXPECT_THAT(std::string(policy.status().message()),
                AllOf(HasSubstr("\"" + std::string(pattern) + "\""), HasSubstr("HOST:PORT")));
  }
}

TEST(TargetPolicyTest, TheFlagToAddAllowsWhatWasRefused) {
  EXPECT_EQ(AllowTargetFlag("Db.example.org", At("10.0.0.7:5432")),
            "--allow-target db.example.org:5432");
  EXPECT_EQ(AllowTargetFlag("10.0.0.7", At("10.0.0.7:5432")), "--allow-target 10.0.0.7:5432");
  EXPECT_EQ(AllowTargetFlag("::1", At("[::1]:22")), "--allow-target [::1]:22");
  EXPECT_EQ(AllowTargetFlag("localhost", At("127.0.0.1:22")), "--allow-target localhost:22");
  // The name alone would not open the loopback.
  EXPECT_EQ(AllowTargetFlag("db.example.org", At("127.0.0.1:22")), "--allow-target 127.0.0.1:22");
  EXPECT_EQ(AllowTargetFlag("a b\n--c", At("[::ffff:10.0.0.7]:22")), "--allow-target 10.0.0.7:22");
  EXPECT_EQ(AllowBindFlag(At("[::]:8080")), "--allow-bind [::]:8080");
}

}  // namespace
}  // namespace godwit::tunnel
