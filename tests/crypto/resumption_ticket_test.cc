// SPDX-License-Identifier: Apache-2.0
#include "crypto/resumption_ticket.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "crypto/boringssl.h"

namespace godwit {
namespace {

using ::testing::ElementsAreArray;
using Bytes = std::vector<uint8_t>;

const Bytes kHash(32, 7);
const Bytes kState = {1, 2, 3};
const Bytes kSession(70'000, 9);

ResumptionTicket Example() {
  return {.server_name = "server.example",
          .application_protocol = "echo",
          .own_certificate_hash = kHash,
          .transport_state = kState,
          .tls_session = kSession};
}

TEST(ResumptionTicketTest, WhatIsWrittenIsRead) {
  const std::optional<Bytes> bytes = Example().Write();
  ASSERT_TRUE(bytes.has_value());

  const std::optional<ResumptionTicket> read = ResumptionTicket::Read(*bytes);

  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->server_name, "server.example");
  EXPECT_EQ(read->application_protocol, "echo");
  EXPECT_THAT(read->own_certificate_hash, ElementsAreArray(kHash));
  EXPECT_THAT(read->transport_state, ElementsAreArray(kState));
  EXPECT_THAT(read->tls_session, ElementsAreArray(kSession));
}

TEST(ResumptionTicketTest, CutOrLongerBytesAreNotRead) {
  ResumptionTicket ticket = Example();
  ticket.tls_session = std::span(kSession).first(20);
  Bytes bytes = ticket.Write().value();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ResumptionTicket::Read(std::span(bytes).first(size)).has_value()) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(ResumptionTicket::Read(bytes).has_value());
}

TEST(ResumptionTicketTest, OtherLayoutsAreNotRead) {
  Bytes bytes = Example().Write().value();
  bytes[3] = 1;

  EXPECT_FALSE(ResumptionTicket::Read(bytes).has_value());
}

TEST(ResumptionTicketTest, PartsThatAreTooLongAreNotWritten) {
  ResumptionTicket ticket = Example();
  const Bytes too_long(65'536, 1);
  ticket.transport_state = too_long;

  EXPECT_FALSE(ticket.Write().has_value());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace godwit
