// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/close_checker.h"

#include <cstdint>
#include <optional>
#include <string>

#include "gtest/gtest.h"

#include "transport/lifecycle/close_state.h"

namespace godwit {
namespace {

using Cause = CloseReason::Cause;

constexpr uint64_t kApplicationError = 0x0c;  // RFC 9000 §20.1

CloseReason OfApplication(Cause cause, uint64_t code) {
  return {.cause = cause, .error_space = ErrorSpace::kApplication, .error_code = code};
}
CloseReason OfTransport(Cause cause, uint64_t code) {
  return {.cause = cause, .error_space = ErrorSpace::kTransport, .error_code = code};
}

// Whoever of the two is the client.
void ExpectAgreement(const CloseReason& a, const CloseReason& b) {
  EXPECT_EQ(FindCloseDisagreement(a, b), "");
  EXPECT_EQ(FindCloseDisagreement(b, a), "");
}
void ExpectDisagreement(const std::optional<CloseReason>& a, const std::optional<CloseReason>& b) {
  EXPECT_NE(FindCloseDisagreement(a, b), "");
  EXPECT_NE(FindCloseDisagreement(b, a), "");
}

TEST(CloseCheckerTest, WhatOneSaysTheOtherHears) {
  ExpectAgreement(OfApplication(Cause::kApplication, 7), OfApplication(Cause::kPeerApplication, 7));
  ExpectAgreement(OfTransport(Cause::kProtocolError, 10),
                  OfTransport(Cause::kPeerTransportError, 10));
}

TEST(CloseCheckerTest, EachMayHaveClosedByItself) {
  ExpectAgreement(OfApplication(Cause::kApplication, 7), {.cause = Cause::kIdleTimeout});
  ExpectAgreement(OfApplication(Cause::kApplication, 7), OfApplication(Cause::kApplication, 8));
  ExpectAgreement({.cause = Cause::kStatelessReset}, OfTransport(Cause::kProtocolError, 10));
}

TEST(CloseCheckerTest, ApplicationsCodeIsHiddenInTheHandshake) {
  ExpectAgreement(OfApplication(Cause::kApplication, 7),
                  OfTransport(Cause::kPeerApplication, kApplicationError));
  ExpectDisagreement(OfApplication(Cause::kApplication, 7),
                     OfTransport(Cause::kPeerApplication, 7));
  ExpectDisagreement(OfApplication(Cause::kApplication, 7),
                     OfTransport(Cause::kPeerTransportError, 10));
}

TEST(CloseCheckerTest, AnotherCodeIsADisagreement) {
  ExpectDisagreement(OfApplication(Cause::kApplication, 7),
                     OfApplication(Cause::kPeerApplication, 8));
  ExpectDisagreement(OfTransport(Cause::kProtocolError, 10),
                     OfTransport(Cause::kPeerTransportError, 11));
}

TEST(CloseCheckerTest, AnotherKindIsADisagreement) {
  ExpectDisagreement(OfApplication(Cause::kApplication, 10),
                     OfTransport(Cause::kPeerTransportError, 10));
  ExpectDisagreement(OfTransport(Cause::kProtocolError, 10),
                     OfApplication(Cause::kPeerApplication, 10));
}

TEST(CloseCheckerTest, WhatNobodySaidCannotBeHeard) {
  ExpectDisagreement(OfApplication(Cause::kPeerApplication, 7), {{.cause = Cause::kIdleTimeout}});
  ExpectDisagreement(OfApplication(Cause::kPeerApplication, 7),
                     OfApplication(Cause::kPeerApplication, 7));
}

TEST(CloseCheckerTest, EndWithoutAReasonIsADisagreement) {
  ExpectDisagreement(std::nullopt, OfApplication(Cause::kApplication, 7));
  ExpectDisagreement(std::nullopt, std::nullopt);
}

}  // namespace
}  // namespace godwit
