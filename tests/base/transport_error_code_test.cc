// SPDX-License-Identifier: Apache-2.0
#include "base/transport_error_code.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr uint64_t Number(TransportErrorCode code) { return static_cast<uint64_t>(code); }

TEST(TransportErrorCodeTest, NumbersAreThoseOfTheRegistry) {
  EXPECT_EQ(Number(TransportErrorCode::kNoError), 0x00u);
  EXPECT_EQ(Number(TransportErrorCode::kInternalError), 0x01u);
  EXPECT_EQ(Number(TransportErrorCode::kConnectionRefused), 0x02u);
  EXPECT_EQ(Number(TransportErrorCode::kFlowControlError), 0x03u);
  EXPECT_EQ(Number(TransportErrorCode::kStreamLimitError), 0x04u);
  EXPECT_EQ(Number(TransportErrorCode::kStreamStateError), 0x05u);
  EXPECT_EQ(Number(TransportErrorCode::kFinalSizeError), 0x06u);
  EXPECT_EQ(Number(TransportErrorCode::kFrameEncodingError), 0x07u);
  EXPECT_EQ(Number(TransportErrorCode::kTransportParameterError), 0x08u);
  EXPECT_EQ(Number(TransportErrorCode::kConnectionIdLimitError), 0x09u);
  EXPECT_EQ(Number(TransportErrorCode::kProtocolViolation), 0x0au);
  EXPECT_EQ(Number(TransportErrorCode::kInvalidToken), 0x0bu);
  EXPECT_EQ(Number(TransportErrorCode::kApplicationError), 0x0cu);
  EXPECT_EQ(Number(TransportErrorCode::kCryptoBufferExceeded), 0x0du);
  EXPECT_EQ(Number(TransportErrorCode::kKeyUpdateError), 0x0eu);
  EXPECT_EQ(Number(TransportErrorCode::kAeadLimitReached), 0x0fu);
  EXPECT_EQ(Number(TransportErrorCode::kNoViablePath), 0x10u);
}

TEST(TransportErrorCodeTest, CryptoErrorsFillTheirRangeWithAlerts) {
  EXPECT_EQ(Number(MakeCryptoError(0)), 0x0100u);
  EXPECT_EQ(Number(MakeCryptoError(40)), 0x0128u);
  EXPECT_EQ(Number(MakeCryptoError(255)), 0x01ffu);
}

}  // namespace
}  // namespace godwit
