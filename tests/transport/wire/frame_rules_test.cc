// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/frame_rules.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "base/transport_error_code.h"
#include "godwit/perspective.h"
#include "transport/wire/frame_type.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt,
                                       EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt};

// As RFC 9000 §12.4 prints its table 3; the extensions below in the same letters.
struct PrintedRow {
  uint64_t first;
  uint64_t last;
  std::string_view pkts;
  std::string_view spec;
};
constexpr PrintedRow kPrintedRows[] = {
    {0x00, 0x00, "IH01", "NP"},  // PADDING
    {0x01, 0x01, "IH01", ""},    // PING
    {0x02, 0x03, "IH_1", "NC"},  // ACK
    {0x04, 0x04, "__01", ""},    // RESET_STREAM
    {0x05, 0x05, "__01", ""},    // STOP_SENDING
    {0x06, 0x06, "IH_1", ""},    // CRYPTO
    {0x07, 0x07, "___1", ""},    // NEW_TOKEN
    {0x08, 0x0f, "__01", "F"},   // STREAM
    {0x10, 0x10, "__01", ""},    // MAX_DATA
    {0x11, 0x11, "__01", ""},    // MAX_STREAM_DATA
    {0x12, 0x13, "__01", ""},    // MAX_STREAMS
    {0x14, 0x14, "__01", ""},    // DATA_BLOCKED
    {0x15, 0x15, "__01", ""},    // STREAM_DATA_BLOCKED
    {0x16, 0x17, "__01", ""},    // STREAMS_BLOCKED
    {0x18, 0x18, "__01", "P"},   // NEW_CONNECTION_ID
    {0x19, 0x19, "__01", ""},    // RETIRE_CONNECTION_ID
    {0x1a, 0x1a, "__01", "P"},   // PATH_CHALLENGE
    {0x1b, 0x1b, "___1", "P"},   // PATH_RESPONSE
    {0x1c, 0x1c, "IH01", "N"},   // CONNECTION_CLOSE, "ih01"
    {0x1d, 0x1d, "__01", "N"},   // CONNECTION_CLOSE, "ih01"
    {0x1e, 0x1e, "___1", ""},    // HANDSHAKE_DONE
    {0x1f, 0x1f, "___1", ""},    // IMMEDIATE_ACK: draft-ietf-quic-ack-frequency §3, §5
    {0x30, 0x31, "__01", ""},    // DATAGRAM: RFC 9221 §4
    {0xaf, 0xaf, "___1", ""},    // ACK_FREQUENCY: draft-ietf-quic-ack-frequency §3, §4
};

std::optional<PrintedRow> PrintedRowOf(uint64_t type) {
  for (const PrintedRow& row : kPrintedRows) {
    if (row.first <= type && type <= row.last) return row;
  }
  return std::nullopt;
}

bool Has(std::string_view letters, char letter) {
  return letters.find(letter) != std::string_view::npos;
}

bool IsPrintedAsPermitted(const PrintedRow& row, EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::kInitial:
      return Has(row.pkts, 'I');
    case EncryptionLevel::kZeroRtt:
      return Has(row.pkts, '0');
    case EncryptionLevel::kHandshake:
      return Has(row.pkts, 'H');
    case EncryptionLevel::kOneRtt:
      return Has(row.pkts, '1');
  }
  return false;
}

// RFC 9000 §12.5 overrules table 3.
bool IsForbiddenByText(uint64_t type, EncryptionLevel level) {
  return type == 0x19 && level == EncryptionLevel::kZeroRtt;
}

// RFC 9002 §3: packets with other frames than ACK and CONNECTION_CLOSE are in flight.
bool IsInFlight(uint64_t type) {
  return type != 0x02 && type != 0x03 && type != 0x1c && type != 0x1d;
}

// RFC 9000 §19.7, §19.20.
bool IsServerOnly(uint64_t type) { return type == 0x07 || type == 0x1e; }

TEST(FrameRulesTest, TheTableIsThatOfTheRfcs) {
  for (uint64_t type = 0; type < 256; ++type) {
    SCOPED_TRACE(type);
    const std::optional<PrintedRow> printed = PrintedRowOf(type);
    if (!printed.has_value()) continue;

    const FrameRules rules = RulesOf(static_cast<FrameType>(type));

    for (const EncryptionLevel level : kLevels) {
      EXPECT_EQ(rules.IsPermittedIn(level),
                IsPrintedAsPermitted(*printed, level) && !IsForbiddenByText(type, level))
          << ToString(level);
    }
    EXPECT_EQ(rules.is_ack_eliciting(), !Has(printed->spec, 'N'));
    EXPECT_EQ(rules.is_probing(), Has(printed->spec, 'P'));
    EXPECT_EQ(rules.is_in_flight(), IsInFlight(type));
    EXPECT_EQ(rules.is_server_only(), IsServerOnly(type));
  }
}

TEST(FrameRulesTest, ATypeIsKnownIfAnRfcPrintsIt) {
  for (uint64_t type = 0; type < 70'000; ++type) {
    EXPECT_EQ(IsKnownFrameType(type), PrintedRowOf(type).has_value()) << type;
  }
  EXPECT_FALSE(IsKnownFrameType((uint64_t{1} << 62) - 1));
  EXPECT_FALSE(IsKnownFrameType((uint64_t{1} << 32) + 0x01));
}

TEST(FrameRulesTest, OnlyColumnCOfTable3DiffersInWhatIsInFlight) {
  for (uint64_t type = 0; type < 256; ++type) {
    const std::optional<PrintedRow> printed = PrintedRowOf(type);
    if (!printed.has_value()) continue;

    const bool differs =
        RulesOf(static_cast<FrameType>(type)).is_in_flight() == Has(printed->spec, 'C');

    EXPECT_EQ(differs, type == 0x1c || type == 0x1d) << type;
  }
}

TEST(FrameRulesTest, WhatIsAckElicitingIsInFlight) {
  for (uint64_t type = 0; type < 256; ++type) {
    const FrameRules rules = RulesOf(static_cast<FrameType>(type));

    EXPECT_TRUE(rules.is_in_flight() || !rules.is_ack_eliciting()) << type;
  }
}

TEST(FrameRulesTest, FramesAreRefusedWhereTheTableDoesNotPermitThem) {
  for (uint64_t type = 0; type < 256; ++type) {
    const std::optional<PrintedRow> printed = PrintedRowOf(type);
    if (!printed.has_value()) continue;
    for (const EncryptionLevel level : kLevels) {
      const bool is_permitted =
          IsPrintedAsPermitted(*printed, level) && !IsForbiddenByText(type, level);

      const Result result =
          CheckFrameAllowed(static_cast<FrameType>(type), level, Perspective::kServer);

      EXPECT_EQ(result, is_permitted ? Result::Ok() : Result(kFrameNotPermitted))
          << type << " " << ToString(level);
    }
  }
}

TEST(FrameRulesTest, ClientsDoNotSendWhatIsForServers) {
  for (uint64_t type = 0; type < 256; ++type) {
    if (!PrintedRowOf(type).has_value()) continue;

    const Result result = CheckFrameAllowed(static_cast<FrameType>(type), EncryptionLevel::kOneRtt,
                                            Perspective::kClient);

    const Result expected = type == 0x07   ? Result(kNewTokenFromClient)
                            : type == 0x1e ? Result(kHandshakeDoneFromClient)
                                           : Result::Ok();
    EXPECT_EQ(result, expected) << type;
  }
}

TEST(FrameRulesTest, AFrameThatIsNotPermittedIsAProtocolViolation) {
  EXPECT_EQ(kFrameNotPermitted.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kNewTokenFromClient.code, TransportErrorCode::kProtocolViolation);
  EXPECT_EQ(kHandshakeDoneFromClient.code, TransportErrorCode::kProtocolViolation);
}

}  // namespace
}  // namespace godwit
