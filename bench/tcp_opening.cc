// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_opening.h"

#include <utility>

#include "absl/status/status.h"

#include "bench/tcp_socket.h"

namespace godwit {

void TcpOpening::Advance(ByteStream& stream) {
  if (state_ == State::kConnecting) {
    const absl::Status status = TcpConnectError(stream.fd());
    if (!status.ok()) return Fail(std::string(status.message()));
    state_ = State::kHandshake;
  }
  if (state_ != State::kHandshake) return;
  const IoOutcome outcome = stream.Handshake();
  wants_to_write_ = stream.needs_flush();
  if (outcome.state == IoOutcome::State::kBlocked) return;
  if (outcome.state != IoOutcome::State::kProgress) return Fail(stream.failure());
  state_ = State::kReady;
}

void TcpOpening::Fail(std::string failure) {
  failure_ = std::move(failure);
  state_ = State::kFailed;
}

}  // namespace godwit
