// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/wire/frame_text.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace godwit {
namespace {

class Text {
 public:
  explicit Text(std::string_view name) : text_(name) {}

  Text& Number(std::string_view name, uint64_t value) { return Word(name, std::to_string(value)); }
  Text& Bytes(std::string_view name, std::span<const uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const uint8_t byte : bytes) {
      hex += kDigits[byte >> 4];
      hex += kDigits[byte & 15];
    }
    return Word(name, hex);
  }
  Text& Direction(StreamDirection direction) {
    return Word("direction", direction == StreamDirection::kBidirectional ? "bidi" : "uni");
  }
  Text& Word(std::string_view name, std::string_view value) {
    text_.append(" ").append(name).append("=").append(value);
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

std::string AckText(uint64_t delay, const std::optional<EcnCounts>& ecn_counts,
                    std::span<const AckRange> ranges) {
  std::string ranges_text;
  for (const AckRange& range : ranges) {
    ranges_text += "[" + std::to_string(range.smallest.value()) + "," +
                   std::to_string(range.largest.value()) + "]";
  }
  Text text("ACK");
  text.Number("delay", delay).Word("ranges", ranges_text);
  if (ecn_counts.has_value()) {
    text.Number("ect0", ecn_counts->ect0_count)
        .Number("ect1", ecn_counts->ect1_count)
        .Number("ce", ecn_counts->ce_count);
  }
  return text.str();
}

struct TextOf {
  std::string operator()(const PaddingFrame& f) const {
    return Text("PADDING").Number("length", f.length_bytes).str();
  }
  std::string operator()(const PingFrame&) const { return "PING"; }
  std::string operator()(const AckFrame& f) const {
    std::vector<AckRange> ranges;
    for (const AckRange range : f.ranges) ranges.push_back(range);
    return AckText(f.encoded_ack_delay, f.ecn_counts, ranges);
  }
  std::string operator()(const ResetStreamFrame& f) const {
    return Text("RESET_STREAM")
        .Number("id", f.stream_id.value())
        .Number("error", f.application_error_code)
        .Number("final_size", f.final_size_bytes)
        .str();
  }
  std::string operator()(const StopSendingFrame& f) const {
    return Text("STOP_SENDING")
        .Number("id", f.stream_id.value())
        .Number("error", f.application_error_code)
        .str();
  }
  std::string operator()(const CryptoFrame& f) const {
    return Text("CRYPTO").Number("offset", f.offset_bytes).Bytes("data", f.data).str();
  }
  std::string operator()(const NewTokenFrame& f) const {
    return Text("NEW_TOKEN").Bytes("token", f.token).str();
  }
  std::string operator()(const StreamFrame& f) const {
    return Text("STREAM")
        .Number("id", f.stream_id.value())
        .Number("offset", f.offset_bytes)
        .Number("fin", f.is_fin ? 1 : 0)
        .Bytes("data", f.data)
        .str();
  }
  std::string operator()(const MaxDataFrame& f) const {
    return Text("MAX_DATA").Number("maximum", f.maximum_bytes).str();
  }
  std::string operator()(const MaxStreamDataFrame& f) const {
    return Text("MAX_STREAM_DATA")
        .Number("id", f.stream_id.value())
        .Number("maximum", f.maximum_bytes)
        .str();
  }
  std::string operator()(const MaxStreamsFrame& f) const {
    return Text("MAX_STREAMS").Direction(f.direction).Number("maximum", f.maximum_count).str();
  }
  std::string operator()(const DataBlockedFrame& f) const {
    return Text("DATA_BLOCKED").Number("limit", f.limit_bytes).str();
  }
  std::string operator()(const StreamDataBlockedFrame& f) const {
    return Text("STREAM_DATA_BLOCKED")
        .Number("id", f.stream_id.value())
        .Number("limit", f.limit_bytes)
        .str();
  }
  std::string operator()(const StreamsBlockedFrame& f) const {
    return Text("STREAMS_BLOCKED").Direction(f.direction).Number("limit", f.limit_count).str();
  }
  std::string operator()(const NewConnectionIdFrame& f) const {
    return Text("NEW_CONNECTION_ID")
        .Number("sequence", f.sequence_number)
        .Number("retire_prior_to", f.retire_prior_to)
        .Bytes("id", f.connection_id.bytes())
        .Bytes("token", f.stateless_reset_token.bytes())
        .str();
  }
  std::string operator()(const RetireConnectionIdFrame& f) const {
    return Text("RETIRE_CONNECTION_ID").Number("sequence", f.sequence_number).str();
  }
  std::string operator()(const PathChallengeFrame& f) const {
    return Text("PATH_CHALLENGE").Bytes("data", f.data).str();
  }
  std::string operator()(const PathResponseFrame& f) const {
    return Text("PATH_RESPONSE").Bytes("data", f.data).str();
  }
  std::string operator()(const ConnectionCloseFrame& f) const {
    return Text("CONNECTION_CLOSE")
        .Word("space", f.error_space == ErrorSpace::kTransport ? "transport" : "application")
        .Number("error", f.error_code)
        .Number("frame_type", f.frame_type)
        .Bytes("reason", f.reason_phrase)
        .str();
  }
  std::string operator()(const HandshakeDoneFrame&) const { return "HANDSHAKE_DONE"; }
  std::string operator()(const DatagramFrame& f) const {
    return Text("DATAGRAM").Bytes("data", f.data).str();
  }
  std::string operator()(const AckFrequencyFrame& f) const {
    return Text("ACK_FREQUENCY")
        .Number("sequence", f.sequence_number)
        .Number("threshold", f.ack_eliciting_threshold)
        .Number("max_ack_delay", f.requested_max_ack_delay_us)
        .Number("reordering", f.reordering_threshold)
        .str();
  }
  std::string operator()(const ImmediateAckFrame&) const { return "IMMEDIATE_ACK"; }
};

}  // namespace

std::string ToText(const Frame& frame) { return frame.Visit(TextOf{}); }

std::string ToText(const AckFrameFields& fields, std::span<const AckRange> ranges) {
  return AckText(fields.encoded_ack_delay, fields.ecn_counts, ranges);
}

}  // namespace godwit
