// SPDX-License-Identifier: Apache-2.0
//
// What tests of a connection ask of it again and again.
#ifndef GODWIT_TESTS_TRANSPORT_CONNECTION_STAGE_EXPECTATIONS_H_
#define GODWIT_TESTS_TRANSPORT_CONNECTION_STAGE_EXPECTATIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/result.h"
#include "tests/transport/connection/puppet_stage.h"
#include "transport/lifecycle/close_state.h"
#include "transport/wire/frame.h"

namespace godwit {

inline std::string TextOf(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
inline raw::Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

// The connection has closed for exactly this entry of the catalogue, and says so.
inline void ExpectClosedFor(PuppetStage& stage, const ProtocolError& error, uint64_t frame_type) {
  ASSERT_EQ(stage.subject().close_phase(), CloseState::Phase::kClosing);
  const CloseReason& reason = *stage.subject().close_reason();
  EXPECT_EQ(reason.cause, CloseReason::Cause::kProtocolError);
  EXPECT_EQ(reason.error_code, static_cast<uint64_t>(error.code));
  EXPECT_EQ(reason.frame_type, frame_type);
  EXPECT_EQ(reason.reason.substr(0, std::string_view(error.reason).size()), error.reason);
  const std::vector<SeenDatagram> sent = stage.Take();
  const ConnectionCloseFrame* const close = FindFrame<ConnectionCloseFrame>(sent);
  ASSERT_NE(close, nullptr);
  EXPECT_EQ(close->error_space, ErrorSpace::kTransport);
  EXPECT_EQ(close->error_code, static_cast<uint64_t>(error.code));
  EXPECT_EQ(close->frame_type, frame_type);
  EXPECT_EQ(TextOf(close->reason_phrase), error.reason);
  EXPECT_EQ(stage.CountEvents(ConnectionEvent::Kind::kClosed), 1u);
}

inline void ExpectOpen(PuppetStage& stage) {
  EXPECT_EQ(stage.subject().close_phase(), CloseState::Phase::kOpen)
      << (stage.subject().close_reason().has_value() ? stage.subject().close_reason()->reason : "");
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_CONNECTION_STAGE_EXPECTATIONS_H_
