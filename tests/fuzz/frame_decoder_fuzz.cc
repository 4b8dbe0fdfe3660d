// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the payload of a packet: decodes all frames, writes each again, decodes what was
// written and demands the same meaning. The first byte chooses the packet: bits 0 and 1 its
// encryption level, bit 2 who sent it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
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

// A frame that was accepted keeps its meaning, and never grows.
void CheckFrame(const Frame& frame, size_t encoded_size, EncryptionLevel level,
                Perspective sender) {
  const std::string text = ToText(frame);
  const std::vector<uint8_t> encoded = EncodeFrame(frame);
  GODWIT_CHECK_LE(encoded.size(), encoded_size);

  FrameDecoder decoder(encoded, level, sender);
  Frame decoded;
  GODWIT_CHECK(decoder.Next(&decoded).ok());
  GODWIT_CHECK(decoder.is_done());
  GODWIT_CHECK(decoded.kind() == frame.kind());
  GODWIT_CHECK(ToText(decoded) == text);
}

void DecodePayload(std::span<const uint8_t> payload, EncryptionLevel level, Perspective sender) {
  FrameDecoder decoder(payload, level, sender);
  Frame frame;
  size_t decoded_bytes = 0;
  while (!decoder.is_done()) {
    const Result result = decoder.Next(&frame);
    if (!result.ok()) {
      GODWIT_CHECK(result.error().code == TransportErrorCode::kFrameEncodingError ||
                   result.error().code == TransportErrorCode::kProtocolViolation);
      return;
    }
    GODWIT_CHECK(RulesOf(frame.type()).IsPermittedIn(level));
    GODWIT_CHECK_EQ(decoder.frame_type(), static_cast<uint64_t>(frame.type()));
    CheckFrame(frame, decoder.frame_size_bytes(), level, sender);
    decoded_bytes += decoder.frame_size_bytes();
  }
  GODWIT_CHECK_EQ(decoded_bytes, payload.size());
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto level = static_cast<godwit::EncryptionLevel>(data[0] & 3);
  const auto sender = static_cast<godwit::Perspective>(data[0] >> 2 & 1);
  godwit::DecodePayload({data + 1, size - 1}, level, sender);
  return 0;
}
