// SPDX-License-Identifier: Apache-2.0
#include "tunnel/socks5_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace godwit::tunnel {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

const std::string kIpv4Request("\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x16", 10);
const std::string kNameRequest(
    "\x05\x01\x00\x03\x09"
    "a.example"
    "\x01\xbb",
    16);
const std::string kIpv6Request("\x05\x03\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x35",
                               22);

TEST(Socks5CodecTest, GreetingSaysWhetherNoAuthenticationWillDo) {
  const Socks5Greeting with = ReadSocks5Greeting(Bytes(std::string("\x05\x02\x02\x00", 4)));
  const Socks5Greeting without = ReadSocks5Greeting(Bytes("\x05\x01\x02"));

  EXPECT_EQ(with.progress, Socks5Progress::kDone);
  EXPECT_EQ(with.size, 4);
  EXPECT_TRUE(with.offers_no_authentication);
  EXPECT_EQ(without.progress, Socks5Progress::kDone);
  EXPECT_FALSE(without.offers_no_authentication);
}

TEST(Socks5CodecTest, GreetingOfAnotherVersionFails) {
  EXPECT_EQ(ReadSocks5Greeting(Bytes("\x04\x01")).progress, Socks5Progress::kFailed);
  EXPECT_EQ(ReadSocks5Greeting(Bytes("GET / HTTP/1.1")).progress, Socks5Progress::kFailed);
}

TEST(Socks5CodecTest, EveryBeginningNeedsMore) {
  for (const std::string& request : {kIpv4Request, kNameRequest, kIpv6Request}) {
    for (size_t size = 0; size < request.size(); ++size) {
      EXPECT_EQ(ReadSocks5Request(Bytes(request).first(size)).progress, Socks5Progress::kNeedsMore)
          << size;
    }
  }
}

TEST(Socks5CodecTest, RequestsHaveTheirTarget) {
  const Socks5Request ipv4 = ReadSocks5Request(Bytes(kIpv4Request + "more"));
  const Socks5Request name = ReadSocks5Request(Bytes(kNameRequest));
  const Socks5Request ipv6 = ReadSocks5Request(Bytes(kIpv6Request));

  EXPECT_EQ(ipv4.size, 10);
  EXPECT_EQ(ipv4.command, Socks5Request::Command::kConnect);
  EXPECT_EQ(ipv4.target, (HostPort{.host = "192.0.2.1", .port = 22}));
  EXPECT_EQ(name.target, (HostPort{.host = "a.example", .port = 443}));
  EXPECT_EQ(ipv6.command, Socks5Request::Command::kUdpAssociate);
  EXPECT_EQ(ipv6.target, (HostPort{.host = "2001:db8::1", .port = 53}));
}

TEST(Socks5CodecTest, WhatIsNotSupportedHasItsReply) {
  std::string bind = kIpv4Request;
  bind[1] = 2;
  std::string type = kIpv4Request;
  type[3] = 2;

  EXPECT_EQ(ReadSocks5Request(Bytes(bind)).refusal, Socks5Reply::kCommandNotSupported);
  EXPECT_EQ(ReadSocks5Request(Bytes(type)).refusal, Socks5Reply::kAddressTypeNotSupported);
}

TEST(Socks5CodecTest, NamesThatAreNoneFail) {
  EXPECT_EQ(ReadSocks5Request(Bytes(std::string("\x05\x01\x00\x03\x00\x00\x16", 7))).progress,
            Socks5Progress::kFailed);
  EXPECT_EQ(ReadSocks5Request(Bytes(std::string("\x05\x01\x00\x03\x01\n\x00\x16", 8))).progress,
            Socks5Progress::kFailed);
}

TEST(Socks5CodecTest, RepliesHaveTheAddress) {
  EXPECT_EQ(
      EncodeSocks5Reply(Socks5Reply::kConnectionRefused, *SocketAddress::Parse("192.0.2.1:22")),
      std::string("\x05\x05\x00\x01\xc0\x00\x02\x01\x00\x16", 10));
  EXPECT_EQ(EncodeSocks5Reply(Socks5Reply::kSucceeded, *SocketAddress::Parse("[::1]:22")).size(),
            22);
}

TEST(Socks5CodecTest, EveryStatusHasItsReply) {
  const std::vector<std::pair<ReplyStatus, Socks5Reply>> table = {
      {ReplyStatus::kOk, Socks5Reply::kSucceeded},
      {ReplyStatus::kFailed, Socks5Reply::kGeneralFailure},
      {ReplyStatus::kNotAllowed, Socks5Reply::kNotAllowed},
      {ReplyStatus::kNameNotFound, Socks5Reply::kHostUnreachable},
      {ReplyStatus::kUnreachable, Socks5Reply::kNetworkUnreachable},
      {ReplyStatus::kRefused, Socks5Reply::kConnectionRefused},
      {ReplyStatus::kTimedOut, Socks5Reply::kTtlExpired},
      {ReplyStatus::kAddressInUse, Socks5Reply::kGeneralFailure},
      {ReplyStatus::kTooMany, Socks5Reply::kGeneralFailure},
      {ReplyStatus::kNameUnresolved, Socks5Reply::kHostUnreachable}};
  ASSERT_EQ(table.size(), kReplyStatusCount);
  for (const auto& [status, reply] : table) EXPECT_EQ(ToSocks5(status), reply);
}

TEST(Socks5CodecTest, UdpHeaderIsReadAsItIsWritten) {
  for (const HostPort& target :
       {HostPort{.host = "192.0.2.1", .port = 53}, HostPort{.host = "2001:db8::1", .port = 53},
        HostPort{.host = "a.example", .port = 65'535}}) {
    const std::string header = EncodeSocks5UdpHeader(target);

    const Socks5UdpHeader read = ReadSocks5UdpHeader(Bytes(header + "data"));

    EXPECT_EQ(read.progress, Socks5Progress::kDone);
    EXPECT_EQ(read.size, header.size());
    EXPECT_EQ(read.target, target);
    for (size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(ReadSocks5UdpHeader(Bytes(header).first(size)).progress, Socks5Progress::kFailed);
    }
  }
}

TEST(Socks5CodecTest, FragmentsOfUdpAreRefused) {
  std::string header = EncodeSocks5UdpHeader({.host = "192.0.2.1", .port = 53});
  header[2] = 1;

  EXPECT_EQ(ReadSocks5UdpHeader(Bytes(header)).progress, Socks5Progress::kFailed);
}

}  // namespace
}  // namespace godwit::tunnel
