// SPDX-License-Identifier: Apache-2.0
#include "base/protocol_errors.h"

#include <cctype>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/result.h"
#include "base/transport_error_code.h"

namespace godwit {
namespace {

// The names that stand between `before` and `after` at the start of a line of the catalogue's text.
std::vector<std::string> NamesInSource(const std::string& before, char after) {
  std::ifstream file("base/protocol_errors.h");
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(before)) continue;
    names.push_back(line.substr(before.size(), line.find(after) - before.size()));
  }
  return names;
}

TEST(ProtocolErrorsTest, ListHasEveryEntryOnceInTheOrderOfDefinition) {
  const std::vector<std::string> defined = NamesInSource("inline constexpr ProtocolError ", '{');
  const std::vector<std::string> listed = NamesInSource("    &", ',');

  EXPECT_EQ(defined.size(), std::size(kAllProtocolErrors));
  EXPECT_EQ(listed, defined);
}

TEST(ProtocolErrorsTest, NoTwoEntriesHaveTheSameReason) {
  std::set<std::string> reasons;

  for (const ProtocolError* error : kAllProtocolErrors) {
    EXPECT_TRUE(reasons.insert(error->reason).second) << error->reason;
  }
}

TEST(ProtocolErrorsTest, EveryReasonIsAShortLowerCaseClause) {
  for (const ProtocolError* error : kAllProtocolErrors) {
    const std::string reason = error->reason;

    ASSERT_FALSE(reason.empty()) << error->rfc;
    EXPECT_TRUE(std::islower(static_cast<unsigned char>(reason.front()))) << reason;
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(reason.back()))) << reason;
    EXPECT_LE(reason.size(), 80u) << reason;
  }
}

TEST(ProtocolErrorsTest, EveryEntryCitesASection) {
  const testing::Matcher<std::string> is_section =
      testing::MatchesRegex("(RFC [0-9]{4}|draft-[a-z0-9-]+) §[0-9]+(\\.[0-9]+)*");

  for (const ProtocolError* error : kAllProtocolErrors) {
    EXPECT_TRUE(is_section.Matches(error->rfc)) << error->rfc << ": " << error->reason;
  }
}

// NO_ERROR, INTERNAL_ERROR, CONNECTION_REFUSED, APPLICATION_ERROR and NO_VIABLE_PATH say nothing
// about a peer.
TEST(ProtocolErrorsTest, EveryCodeBlamesThePeer) {
  const std::set<TransportErrorCode> blameless = {
      TransportErrorCode::kNoError, TransportErrorCode::kInternalError,
      TransportErrorCode::kConnectionRefused, TransportErrorCode::kApplicationError,
      TransportErrorCode::kNoViablePath};

  for (const ProtocolError* error : kAllProtocolErrors) {
    EXPECT_FALSE(blameless.contains(error->code)) << error->reason;
    EXPECT_LE(error->code, MakeCryptoError(255)) << error->reason;
  }
}

TEST(ProtocolErrorsTest, CodesAreThoseOfTheRfcWhereNeighboursDiffer) {
  // RFC 9000 §12.4.
  EXPECT_EQ(kFrameTypeUnknown.code, TransportErrorCode::kFrameEncodingError);
  EXPECT_EQ(kFrameTypeNotMinimal.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kFrameNotPermitted.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kPacketWithoutFrames.code, TransportErrorCode::kProtocolViolation);
  // RFC 9000 §4.6.
  EXPECT_EQ(kInitialMaxStreamsBidiTooLarge.code, TransportErrorCode::kTransportParameterError);
  EXPECT_EQ(kMaxStreamsTooLarge.code, TransportErrorCode::kFrameEncodingError);
  EXPECT_EQ(kStreamIdAboveLimit.code, TransportErrorCode::kStreamLimitError);
  // RFC 9000 §19.7, §19.15.
  EXPECT_EQ(kNewTokenEmpty.code, TransportErrorCode::kFrameEncodingError);
  EXPECT_EQ(kNewTokenFromClient.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kNewConnectionIdLengthInvalid.code, TransportErrorCode::kFrameEncodingError);
  EXPECT_EQ(kNewConnectionIdRepeated.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kConnectionIdsAboveLimit.code, TransportErrorCode::kConnectionIdLimitError);
  // RFC 9001 §8.1, §8.2.
  EXPECT_EQ(static_cast<uint64_t>(kApplicationProtocolMissing.code), 0x178u);
  EXPECT_EQ(static_cast<uint64_t>(kTransportParametersMissing.code), 0x16du);
}

TEST(ProtocolErrorsTest, TlsAlertIsTheLowByteOfItsError) {
  const Result handshake_failure = TlsAlertError(40);

  EXPECT_EQ(static_cast<uint64_t>(handshake_failure.error().code), 0x128u);
  EXPECT_EQ(TlsAlertError(0).code, MakeCryptoError(0));
  EXPECT_EQ(TlsAlertError(255).code, MakeCryptoError(255));
}

}  // namespace
}  // namespace godwit
