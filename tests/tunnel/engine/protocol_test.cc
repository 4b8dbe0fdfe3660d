// SPDX-License-Identifier: Apache-2.0
//
// A server as a peer sees it that does not keep to the protocol, or is newer.
#include <gtest/gtest.h>

#include <string>

#include "tests/tunnel/engine/puppet.h"

namespace godwit::tunnel {
namespace {

const std::string kUnknown("\x2a\x00\x00", 3);

TEST(ProtocolTest, HelloIsAnsweredWithHello) {
  Puppet puppet;

  const auto answer = puppet.Hear(puppet.Say(EncodeMessage(Hello{.revision = 9})));

  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(std::holds_alternative<Hello>(*answer));
}

TEST(ProtocolTest, StreamThatBeginsWithAnUnknownKindIsToldSoAndEndsAlone) {
  Puppet puppet;

  const StreamId stream = puppet.Say(kUnknown);
  const auto answer = puppet.Hear(stream);

  ASSERT_TRUE(answer.has_value());
  const OpenReply* const reply = std::get_if<OpenReply>(&*answer);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, ReplyStatus::kFailed);
  EXPECT_EQ(reply->text, "unknown message kind 42");
  EXPECT_TRUE(puppet.HearEnd(stream));
  EXPECT_TRUE(puppet.connection().is_open());
}

TEST(ProtocolTest, UnknownKindOnTheControlStreamClosesAndIsNamed) {
  Puppet puppet;

  puppet.Say(EncodeMessage(Hello{}) + kUnknown);
  const CloseReason reason = puppet.WaitForClose();

  EXPECT_EQ(reason.cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(reason.error_code, static_cast<uint64_t>(TunnelErrorCode::kProtocolViolation));
  EXPECT_EQ(reason.reason, "unknown message kind 42");
}

TEST(ProtocolTest, SecondControlStreamCloses) {
  Puppet puppet;

  puppet.Say(EncodeMessage(Hello{}));
  puppet.Say(EncodeMessage(Hello{}));

  EXPECT_EQ(puppet.WaitForClose().reason, "a second control stream");
}

TEST(ProtocolTest, EndOfTheControlStreamCloses) {
  Puppet puppet;

  const StreamId control = puppet.Say(EncodeMessage(Hello{}));
  ASSERT_TRUE(puppet.Hear(control).has_value());
  ASSERT_TRUE(puppet.connection().Finish(control).ok());

  EXPECT_EQ(puppet.WaitForClose().error_code,
            static_cast<uint64_t>(TunnelErrorCode::kProtocolViolation));
}

TEST(ProtocolTest, ClientMayNotUseRemoteForwardsOfTheServer) {
  Puppet puppet;

  const auto answer = puppet.Hear(puppet.Say(EncodeMessage(OpenForward{})));

  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<OpenReply>(*answer).status, ReplyStatus::kNotAllowed);
}

TEST(ProtocolTest, RequestThatIsGivenUpBeforeItsAnswerHarmsNobody) {
  Puppet puppet;

  const StreamId given_up = puppet.Say(EncodeMessage(OpenTarget{
      .protocol = ForwardProtocol::kTcp, .target = {.host = "no-such-host.invalid", .port = 1}}));
  ASSERT_TRUE(puppet.connection().Reset(given_up, 1).ok());
  ASSERT_TRUE(puppet.connection().StopSending(given_up, 1).ok());

  EXPECT_TRUE(puppet.Hear(puppet.Say(EncodeMessage(Hello{}))).has_value());
}

}  // namespace
}  // namespace godwit::tunnel
