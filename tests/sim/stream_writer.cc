// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/stream_writer.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "tests/sim/stream_content.h"

namespace godwit {

void StreamWriter::Pump(Connection& connection, Timestamp now) {
  if (is_over_) return;
  const uint64_t end = std::min(plan_.bytes, plan_.reset_at);
  const bool is_paced = !plan_.write_interval.is_zero();
  if (is_paced && next_write_ != Timestamp::Infinite() && now < next_write_) return;

  while (written_bytes_ < end) {
    const uint64_t wanted = std::min(plan_.write_bytes, end - written_bytes_);
    const uint64_t taken = WriteOnce(connection, wanted);
    if (is_paced) {
      next_write_ = now + plan_.write_interval;
      if (written_bytes_ < end) return;
    }
    if (taken < wanted) return;
  }
  next_write_ = Timestamp::Infinite();
  if (plan_.reset_at <= plan_.bytes) {
    if (!connection.ResetStream(id_, kResetCode).ok()) return;
    is_over_ = true;
    is_given_up_ = true;
    ledger_.OnReset(key_, kResetCode);
  } else if (!is_held_) {
    if (!connection.FinishStream(id_).ok()) return;
    is_over_ = true;
    ledger_.OnFinished(key_);
  }
}

uint64_t StreamWriter::WriteOnce(Connection& connection, uint64_t bytes) {
  buffer_.resize(bytes);
  ContentSource{key_.stream, key_.sender}.Fill(written_bytes_, buffer_);
  absl::StatusOr<uint64_t> taken = uint64_t{0};
  if (plan_.writes_cords) {
    const absl::string_view text(reinterpret_cast<const char*>(buffer_.data()), buffer_.size());
    taken = connection.WriteStream(id_, absl::Cord(text));
  } else {
    taken = connection.WriteStream(id_, buffer_);
  }
  // The peer has asked us to stop, and the event that says so waits behind this one.
  if (!taken.ok()) return 0;
  GODWIT_CHECK_LE(*taken, bytes);
  written_bytes_ += *taken;
  ledger_.OnWritten(key_, *taken);
  return *taken;
}

void StreamWriter::OnStopped(uint64_t code) {
  ledger_.OnStopRead(key_, code);
  is_over_ = true;
  is_given_up_ = true;
  next_write_ = Timestamp::Infinite();
}

}  // namespace godwit
