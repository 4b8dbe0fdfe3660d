// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/initial_close.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "godwit/perspective.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

std::vector<uint8_t> Bytes(size_t count, uint8_t first) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

// Opens it as the client does that sent its first packet to `dcid`.
std::optional<ConnectionCloseFrame> OpenAsClient(std::span<uint8_t> datagram,
                                                 std::span<const uint8_t> dcid) {
  DatagramSplitter splitter(datagram, PacketRules(0));
  DatagramPart part;
  if (!splitter.Next(&part) || part.kind() != DatagramPart::Kind::kPacket) return std::nullopt;
  ProtectedPacket packet = part.packet();
  const TrafficSecret secret = DeriveInitialSecrets(dcid).server;
  HeaderProtector(DeriveHeaderKey(secret))
      .Unprotect(HeaderPosition{packet.bytes(), packet.packet_number_offset()});
  const EncryptedPacket encrypted = std::move(packet).HeaderProtectionRemoved(std::nullopt);
  ForgeryCount forgeries;
  const OpenOutcome outcome = PacketOpener(DerivePacketKey(secret))
                                  .Open({.header = encrypted.header(),
                                         .protected_payload = encrypted.protected_payload(),
                                         .packet_number = encrypted.packet_number()},
                                        forgeries);
  if (!outcome.opened || splitter.Next(&part)) return std::nullopt;
  FrameDecoder decoder(outcome.payload, EncryptionLevel::kInitial, Perspective::kClient);
  Frame frame;
  if (!decoder.Next(&frame).ok() || frame.kind() != FrameKind::kConnectionClose) {
    return std::nullopt;
  }
  return frame.As<ConnectionCloseFrame>();
}

TEST(InitialCloseTest, ClientReadsTheError) {
  const std::vector<uint8_t> dcid = Bytes(8, 0x10);
  const std::vector<uint8_t> scid = Bytes(5, 0x40);
  std::array<uint8_t, kMaxInitialCloseBytes> buffer = {};

  const size_t size = WriteInitialClose({.dcid = dcid, .scid = scid},
                                        TransportErrorCode::kConnectionRefused, buffer);
  const auto close = OpenAsClient(std::span(buffer).first(size), dcid);

  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->error_space, ErrorSpace::kTransport);
  EXPECT_EQ(close->error_code, static_cast<uint64_t>(TransportErrorCode::kConnectionRefused));
}

TEST(InitialCloseTest, ItIsSentToTheClientsOwnId) {
  const std::vector<uint8_t> dcid = Bytes(8, 0x10);
  const std::vector<uint8_t> scid = Bytes(5, 0x40);
  std::array<uint8_t, kMaxInitialCloseBytes> buffer = {};

  const size_t size = WriteInitialClose({.dcid = dcid, .scid = scid},
                                        TransportErrorCode::kConnectionRefused, buffer);

  InvariantHeader header;
  ASSERT_TRUE(ParseInvariantHeader(std::span(buffer).first(size), 0, &header));
  EXPECT_TRUE(std::ranges::equal(header.dcid, scid));
  EXPECT_TRUE(std::ranges::equal(header.scid, dcid));
}

TEST(InitialCloseTest, AllSizesOfIdsFit) {
  for (const size_t dcid_size : {8, 20}) {
    for (const size_t scid_size : {0, 20}) {
      const std::vector<uint8_t> dcid = Bytes(dcid_size, 0x10);
      const std::vector<uint8_t> scid = Bytes(scid_size, 0x40);
      std::array<uint8_t, kMaxInitialCloseBytes> buffer = {};

      const size_t size = WriteInitialClose({.dcid = dcid, .scid = scid},
                                            TransportErrorCode::kConnectionRefused, buffer);

      EXPECT_LE(size, kMaxInitialCloseBytes);
      EXPECT_TRUE(OpenAsClient(std::span(buffer).first(size), dcid).has_value());
    }
  }
}

}  // namespace
}  // namespace godwit
