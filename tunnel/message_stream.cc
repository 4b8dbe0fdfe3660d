// SPDX-License-Identifier: Apache-2.0
#include "tunnel/message_stream.h"

#include <algorithm>
#include <array>
#include <span>

#include "absl/status/status.h"

namespace godwit::tunnel {

absl::StatusOr<std::optional<TunnelMessage>> MessageStream::Read() {
  const auto state = connection_.ReadState(id_);
  if (!state.ok()) return absl::OutOfRangeError("the stream is at its end");
  std::array<std::span<const uint8_t>, 64> views;
  const auto count = connection_.Peek(id_, views);
  if (!count.ok()) return absl::OutOfRangeError("the stream is at its end");
  // A message may lie in pieces.
  std::array<uint8_t, kMaxMessageBytes> bytes;
  size_t size = 0;
  for (const std::span<const uint8_t> view : std::span(views).first(*count)) {
    const size_t part = std::min(view.size(), bytes.size() - size);
    std::copy_n(view.begin(), part, bytes.begin() + static_cast<ptrdiff_t>(size));
    size += part;
  }
  auto read = ParseMessage(std::span(bytes).first(size));
  if (!read.ok()) return read.status();
  if (!read->has_value()) {
    if (state->has_all_data && size == state->readable_bytes) {
      return absl::OutOfRangeError("the stream ends in the middle of a message");
    }
    return std::nullopt;
  }
  const absl::Status consumed = connection_.Consume(id_, (*read)->size);
  if (!consumed.ok()) return consumed;
  return std::move((*read)->message);
}

bool MessageStream::Write(std::string_view bytes) {
  if (!Flush()) {
    unsent_.append(bytes);
    return false;
  }
  // Nothing is kept, nor copied here, of what the stream takes: that is nearly always all.
  bytes.remove_prefix(TakenOf(bytes));
  unsent_ = bytes;
  return unsent_.empty();
}

bool MessageStream::Flush() {
  if (unsent_.empty()) return true;
  unsent_.erase(0, TakenOf(unsent_));
  if (!unsent_.empty()) return false;
  // A flow that has nothing to say for now has no memory for it.
  unsent_.shrink_to_fit();
  return true;
}

size_t MessageStream::TakenOf(std::string_view bytes) {
  const auto written = connection_.Write(id_, bytes);
  // Who cannot be written to any more is told so by an event.
  return written.ok() ? static_cast<size_t>(*written) : bytes.size();
}

void MessageStream::Finish() {
  has_finished_ = true;
  static_cast<void>(connection_.Finish(id_));
}

void MessageStream::StopReading(StreamErrorCode code) {
  static_cast<void>(connection_.StopSending(id_, static_cast<uint64_t>(code)));
}

void MessageStream::Abort(StreamErrorCode code) {
  // Either fails where that direction is over: nothing is left to give up.
  if (!has_finished_) static_cast<void>(connection_.Reset(id_, static_cast<uint64_t>(code)));
  StopReading(code);
}

}  // namespace godwit::tunnel
