// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/version_authentication.h"

#include <array>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/result.h"
#include "transport/wire/version.h"
#include "transport/wire/version_information.h"

namespace godwit {
namespace {

constexpr std::array<uint32_t, 2> kOffered = {kVersion1, kVersion2};
constexpr uint32_t kNotOffered = 0x7f000001;

TransportParameters Chosen(uint32_t version) {
  TransportParameters parameters;
  parameters.version_information = VersionInformation{version, {kVersion1, kVersion2, version}};
  return parameters;
}

TEST(VersionAuthenticationTest, TheVersionInUseIsAuthentic) {
  EXPECT_TRUE(AuthenticateClientVersion(Chosen(kVersion1), kVersion1).ok());
  EXPECT_TRUE(AuthenticateServerVersion(Chosen(kVersion1), kOffered, kVersion1).ok());
  EXPECT_TRUE(AuthenticateServerVersion(Chosen(kVersion2), kOffered, kVersion2).ok());
}

TEST(VersionAuthenticationTest, APeerMayLeaveTheParameterOut) {
  EXPECT_TRUE(AuthenticateClientVersion({}, kVersion1).ok());
  EXPECT_TRUE(AuthenticateServerVersion({}, kOffered, kVersion1).ok());
}

// What an attacker who rewrote the version field would bring about.
TEST(VersionAuthenticationTest, AClientMustHaveChosenTheVersionInUse) {
  EXPECT_EQ(AuthenticateClientVersion(Chosen(kVersion2), kVersion1), kChosenVersionNotInUse);
  EXPECT_EQ(AuthenticateClientVersion(Chosen(kNotOffered), kVersion1), kChosenVersionNotInUse);
}

TEST(VersionAuthenticationTest, AServerMustHaveChosenTheVersionInUse) {
  EXPECT_EQ(AuthenticateServerVersion(Chosen(kVersion2), kOffered, kVersion1),
            kChosenVersionNotInUse);
}

TEST(VersionAuthenticationTest, AServerMustHaveChosenWhatItWasOffered) {
  EXPECT_EQ(AuthenticateServerVersion(Chosen(kNotOffered), kOffered, kVersion1),
            kChosenVersionNotOffered);
  EXPECT_EQ(AuthenticateServerVersion(Chosen(kNotOffered), kOffered, kNotOffered),
            kChosenVersionNotOffered);
  EXPECT_EQ(AuthenticateServerVersion(Chosen(kVersion1), {}, kVersion1), kChosenVersionNotOffered);
}

}  // namespace
}  // namespace godwit
