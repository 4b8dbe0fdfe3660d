// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the payload of a packet: decodes all frames, writes each again, decodes what was
// written and demands the same meaning. The first byte chooses the packet: bits 0 and 1 its
// encryption level, bit 2 who sent it; bit 3 takes ACK_FREQUENCY from what was offered, bits 4 and
// 5 choose how long DATAGRAM frames may be.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/transport_error_code.h"
#include "godwit/perspective.h"
#include "tests/transport/wire/encode_frame.h"
#include "tests/transport/wire/frame_text.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_rules.h"

namespace godwit {
namespace {

constexpr uint64_t kDatagramLimits[] = {kMaxVarint, 0, 4, 64};

struct Packet {
  std::span<const uint8_t> payload;
  EncryptionLevel level;
  Perspective sender;
  OfferedExtensions offered;
};

FrameDecoder DecoderOf(const Packet& packet) {
  return FrameDecoder(packet.payload, packet.level, packet.sender, packet.offered);
}

// A frame that was accepted keeps its meaning, and never grows.
void CheckFrame(const Frame& frame, size_t encoded_size, Packet packet) {
  const std::string text = ToText(frame);
  const std::vector<uint8_t> encoded = EncodeFrame(frame);
  GODWIT_CHECK_LE(encoded.size(), encoded_size);

  packet.payload = encoded;
  FrameDecoder decoder = DecoderOf(packet);
  Frame decoded;
  GODWIT_CHECK(decoder.Next(&decoded).ok());
  GODWIT_CHECK(decoder.is_done());
  GODWIT_CHECK(decoded.kind() == frame.kind());
  GODWIT_CHECK(ToText(decoded) == text);
}

void DecodePayload(const Packet& packet) {
  FrameDecoder decoder = DecoderOf(packet);
  Frame frame;
  size_t decoded_bytes = 0;
  while (!decoder.is_done()) {
    const Result result = decoder.Next(&frame);
    if (!result.ok()) {
      GODWIT_CHECK(result.error().code == TransportErrorCode::kFrameEncodingError ||
                   result.error().code == TransportErrorCode::kProtocolViolation);
      return;
    }
    GODWIT_CHECK(RulesOf(frame.type()).IsPermittedIn(packet.level));
    GODWIT_CHECK_EQ(decoder.frame_type(), static_cast<uint64_t>(frame.type()));
    CheckFrame(frame, decoder.frame_size_bytes(), packet);
    decoded_bytes += decoder.frame_size_bytes();
  }
  GODWIT_CHECK_EQ(decoded_bytes, packet.payload.size());
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto level = static_cast<godwit::EncryptionLevel>(data[0] & 3);
  const auto sender = static_cast<godwit::Perspective>(data[0] >> 2 & 1);
  const godwit::OfferedExtensions offered{
      .max_datagram_frame_size = godwit::kDatagramLimits[data[0] >> 4 & 3],
      .accepts_ack_frequency = (data[0] & 8) == 0};
  godwit::DecodePayload({{data + 1, size - 1}, level, sender, offered});
  return 0;
}
