// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <type_traits>

#include "gtest/gtest.h"

#include "base/transport_error_code.h"

namespace godwit {
namespace {

constexpr ProtocolError kFirst{TransportErrorCode::kProtocolViolation, "RFC 9000 §1", "did this"};
constexpr ProtocolError kSecond{TransportErrorCode::kProtocolViolation, "RFC 9000 §1", "did this"};

static_assert(sizeof(Result) == sizeof(void*));
static_assert(std::is_trivially_copyable_v<Result>);
static_assert(std::is_convertible_v<const ProtocolError&, Result>);
// What may not outlive the Result does not bind.
static_assert(!std::is_constructible_v<Result, ProtocolError>);
static_assert(!std::is_constructible_v<Result, const ProtocolError>);
static_assert(!std::is_constructible_v<Result, ProtocolError&>);
// Success is always spelled out.
static_assert(!std::is_default_constructible_v<Result>);
static_assert(!std::is_constructible_v<bool, Result>);

static_assert(Result::Ok().ok());
static_assert(!Result(kFirst).ok());

struct Calls {
  int before = 0;
  int after = 0;
};

Result CallBoth(Result first, Calls& calls) {
  GODWIT_RETURN_IF_ERROR((++calls.before, first));
  ++calls.after;
  return Result::Ok();
}

TEST(ResultTest, OkHasNoError) {
  EXPECT_TRUE(Result::Ok().ok());
  EXPECT_DEATH(static_cast<void>(Result::Ok().error()), "GODWIT_CHECK failed: !ok\\(\\)");
}

TEST(ResultTest, ErrorIsTheCatalogueEntryItself) {
  const Result result = kFirst;

  EXPECT_FALSE(result.ok());
  EXPECT_EQ(&result.error(), &kFirst);
}

TEST(ResultTest, EntriesAreEqualByIdentity) {
  EXPECT_EQ(Result(kFirst), kFirst);
  EXPECT_NE(Result(kFirst), kSecond);
  EXPECT_NE(Result(kFirst), Result::Ok());
  EXPECT_EQ(Result::Ok(), Result::Ok());
}

TEST(ResultTest, ReturnIfErrorReturnsTheSameErrorAtOnce) {
  Calls calls;

  const Result result = CallBoth(kSecond, calls);

  EXPECT_EQ(result, kSecond);
  EXPECT_EQ(calls.before, 1);
  EXPECT_EQ(calls.after, 0);
}

TEST(ResultTest, ReturnIfErrorGoesOnAfterOk) {
  Calls calls;

  const Result result = CallBoth(Result::Ok(), calls);

  EXPECT_TRUE(result.ok());
  EXPECT_EQ(calls.before, 1);
  EXPECT_EQ(calls.after, 1);
}

}  // namespace
}  // namespace godwit
