// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/stream_reader.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/check.h"

namespace godwit {

uint64_t StreamReader::Pump(Connection& connection, Timestamp now) {
  if (is_over_ || plan_.speed == ReadPlan::Speed::kNever) return 0;
  uint64_t allowed = plan_.stop_at - read_bytes_;
  if (plan_.speed == ReadPlan::Speed::kSlow) {
    if (next_read_ != Timestamp::Infinite() && now < next_read_) return 0;
    allowed = std::min(allowed, plan_.bytes);
    next_read_ = now + plan_.interval;
  }
  const uint64_t taken = ReadUpTo(connection, now, allowed);
  LookForEnd(connection);
  if (!is_over_ && read_bytes_ >= plan_.stop_at) {
    // Not if it was reset, which an event that waits will tell.
    is_over_ = connection.StopSending(id_, kStopCode).ok();
    if (is_over_) ledger_.OnStop(key_, kStopCode);
  }
  // With nothing to read, the next event wakes it.
  if (is_over_ || taken == 0) next_read_ = Timestamp::Infinite();
  return taken;
}

uint64_t StreamReader::ReadUpTo(Connection& connection, Timestamp now, uint64_t bytes) {
  uint64_t total = 0;
  while (total < bytes) {
    std::array<std::span<const uint8_t>, 8> views;
    const absl::StatusOr<size_t> count = connection.PeekStream(id_, views);
    if (!count.ok() || *count == 0) break;
    uint64_t taken = 0;
    for (const std::span<const uint8_t> view : std::span(views).first(*count)) {
      const uint64_t part = std::min<uint64_t>(view.size(), bytes - total - taken);
      ledger_.OnRead(key_, view.first(part));
      taken += part;
    }
    GODWIT_CHECK_GT(taken, 0u);
    GODWIT_CHECK(connection.ConsumeStream(id_, taken, now).ok());
    total += taken;
  }
  read_bytes_ += total;
  return total;
}

void StreamReader::LookForEnd(Connection& connection) {
  const absl::StatusOr<StreamMap::ReadState> state = connection.StreamReadState(id_);
  // A stream that is gone had told that it is finished.
  const bool is_at_end = state.ok() ? state->is_finished : is_end_known_;
  if (!is_at_end) return;
  if (state.ok()) GODWIT_CHECK_EQ(state->final_size.value_or(read_bytes_), read_bytes_);
  is_over_ = true;
  ledger_.OnEndRead(key_);
}

void StreamReader::OnReset(uint64_t code) {
  if (is_over_) return;
  is_over_ = true;
  next_read_ = Timestamp::Infinite();
  ledger_.OnResetRead(key_, code);
}

}  // namespace godwit
