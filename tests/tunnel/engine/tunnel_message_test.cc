// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/seeded_random.h"

namespace godwit::tunnel {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<TunnelMessage> Examples() {
  const SocketAddress ipv4 = *SocketAddress::Parse("192.0.2.1:22");
  const SocketAddress ipv6 = *SocketAddress::Parse("[2001:db8::1]:65535");
  return {
      Hello{.revision = 7},
      OpenTarget{.protocol = ForwardProtocol::kTcp, .target = {.host = "a.example", .port = 1}},
      OpenTarget{.protocol = ForwardProtocol::kUdp,
                 .target = {.host = std::string(255, 'x'), .port = 65'535}},
      OpenForward{.protocol = ForwardProtocol::kUdp, .forward_id = 0xfedcba98, .peer = ipv6},
      OpenReply{.status = ReplyStatus::kOk, .address = ipv4, .text = ""},
      OpenReply{.status = ReplyStatus::kTooMany, .address = ipv6, .text = "what to do"},
      BindRequest{.forward_id = 1, .protocol = ForwardProtocol::kTcp, .address = ipv4},
      BindReply{
          .forward_id = 2, .status = ReplyStatus::kAddressInUse, .address = ipv6, .text = "t"},
      Probe{},
  };
}

TEST(TunnelMessageTest, WhatIsWrittenIsReadAgain) {
  for (const TunnelMessage& message : Examples()) {
    const std::string bytes = EncodeMessage(message);

    const auto read = ParseMessage(Bytes(bytes + "more"));

    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(read->has_value());
    EXPECT_TRUE((*read)->message == message);
    EXPECT_EQ((*read)->size, bytes.size());
  }
}

TEST(TunnelMessageTest, EveryBeginningOfAMessageNeedsMore) {
  for (const TunnelMessage& message : Examples()) {
    const std::string bytes = EncodeMessage(message);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto read = ParseMessage(Bytes(bytes).first(size));

      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_FALSE(read->has_value()) << message.index() << " " << size;
    }
  }
}

TEST(TunnelMessageTest, BodyThatIsTooShortForItsKindIsMalformed) {
  for (const TunnelMessage& message : Examples()) {
    std::string bytes = EncodeMessage(message);
    if (bytes.size() == kMessageHeaderBytes) continue;  // Has no body.
    bytes.pop_back();
    bytes[2] = static_cast<char>(bytes.size() - kMessageHeaderBytes);
    bytes[1] = static_cast<char>((bytes.size() - kMessageHeaderBytes) >> 8);

    EXPECT_FALSE(ParseMessage(Bytes(bytes)).ok()) << message.index();
  }
}

TEST(TunnelMessageTest, FieldsOfLaterVersionsAreIgnored) {
  std::string bytes = EncodeMessage(Hello{.revision = 1}) + "new";
  bytes[2] = static_cast<char>(bytes[2] + 3);

  const auto read = ParseMessage(Bytes(bytes));

  ASSERT_TRUE(read.ok());
  EXPECT_TRUE((*read)->message == TunnelMessage(Hello{.revision = 1}));
  EXPECT_EQ((*read)->size, bytes.size());
}

struct Wrong {
  std::string bytes;
  std::string error;
};

TEST(TunnelMessageTest, ErrorsNameWhatIsWrong) {
  const std::vector<Wrong> table = {
      {std::string("\x2a\x00\x00", 3), "unknown message kind 42"},
      {std::string("\x00\x00\x00", 3), "unknown message kind 0"},
      {std::string("\x01\x04\x01", 3), "message of kind 1 has 1025 bytes; allowed: 1024"},
      // A host of no bytes, one with a space, one with a terminating zero.
      {std::string("\x02\x00\x04\x00\x00\x00\x16", 7), "malformed message of kind 2"},
      {std::string("\x02\x00\x05\x00\x01 \x00\x16", 8), "malformed message of kind 2"},
      {std::string("\x02\x00\x06\x00\x02"
                   "a\x00\x00\x16",
                   9),
       "malformed message of kind 2"},
      // A protocol, a family of addresses that are none.
      {std::string("\x02\x00\x05\x02\x01"
                   "a\x00\x16",
                   8),
       "malformed message of kind 2"},
      {std::string("\x05\x00\x0c\x00\x00\x00\x01\x00\x05\x7f\x00\x00\x01\x00\x16", 15),
       "malformed message of kind 5"},
  };
  for (const Wrong& wrong : table) {
    const auto read = ParseMessage(Bytes(wrong.bytes));

    ASSERT_FALSE(read.ok()) << wrong.error;
    EXPECT_EQ(read.status().message(), wrong.error);
  }
}

TEST(TunnelMessageTest, TextOfThePeerCannotMoveACursor) {
  const auto read = ParseMessage(Bytes(EncodeMessage(
      OpenReply{.status = ReplyStatus::kFailed, .address = {}, .text = "a\x1b[2J\nb c"})));

  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<OpenReply>((*read)->message).text, "a?[2J?b c");
}

TEST(TunnelMessageTest, StatusThatIsNotKnownIsAFailure) {
  std::string bytes = EncodeMessage(OpenReply{});
  bytes[kMessageHeaderBytes] = static_cast<char>(kReplyStatusCount);

  const auto read = ParseMessage(Bytes(bytes));

  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<OpenReply>((*read)->message).status, ReplyStatus::kFailed);
}

TEST(TunnelMessageTest, LongTextsAreCut) {
  const auto read = ParseMessage(Bytes(EncodeMessage(
      OpenReply{.status = ReplyStatus::kFailed, .address = {}, .text = std::string(400, 'x')})));

  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<OpenReply>((*read)->message).text, std::string(255, 'x'));
}

TEST(TunnelMessageTest, RandomBytesAreReadWithoutHarm) {
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<uint8_t> bytes(random.UniformBelow(40));
    random.Fill(bytes);
    if (bytes.size() >= 3) {
      bytes[0] = static_cast<uint8_t>(1 + bytes[0] % 7);
      bytes[1] = 0;
      bytes[2] = static_cast<uint8_t>(bytes[2] % 37);
    }

    const auto read = ParseMessage(bytes);

    if (!read.ok() || !read->has_value()) continue;
    // What was understood can be said again.
    const auto again = ParseMessage(Bytes(EncodeMessage((*read)->message)));
    ASSERT_TRUE(again.ok() && again->has_value());
    EXPECT_TRUE((*again)->message == (*read)->message);
  }
}

TEST(TunnelMessageTest, AddressesAreWrittenWithoutPortAndBrackets) {
  EXPECT_EQ(IpText(*SocketAddress::Parse("192.0.2.1:22")), "192.0.2.1");
  EXPECT_EQ(IpText(*SocketAddress::Parse("[2001:db8::1]:22")), "2001:db8::1");
}

}  // namespace
}  // namespace godwit::tunnel
