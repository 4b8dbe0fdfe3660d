// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_flow.h"

#include <sys/epoll.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

// Reads, and writes, of one connection before others have their turn.
constexpr int kStepsAtOnce = 4;

}  // namespace

TcpFlow::TcpFlow(std::unique_ptr<ByteStream> stream, TransferRole role,
                 const TransferPattern& pattern)
    : stream_(std::move(stream)), role_(role), pattern_(&pattern), opening_(role) {}

void TcpFlow::Start(const TransferRequest& request, Timestamp now) {
  GODWIT_CHECK(state_ == State::kReady);
  transfer_.emplace(*pattern_, request, now);
  state_ = State::kTransfer;
  wants_to_write_ = true;
}

uint32_t TcpFlow::interest() const {
  uint32_t events = 0;
  if (!has_peer_ended_) events |= EPOLLIN;
  const bool is_opening = state_ == State::kOpening;
  if (is_opening ? opening_.wants_to_write() : wants_to_write_) events |= EPOLLOUT;
  return events;
}

void TcpFlow::Advance(std::span<uint8_t> buffer) {
  if (state_ == State::kOpening) Open();
  if (state_ != State::kTransfer) return;
  const bool had_request = transfer_->request().has_value();
  if (!has_peer_ended_) Receive(buffer);
  // A server answers a request with the next step, so that the owner can see it and read its
  // clocks.
  if (state_ == State::kTransfer && had_request) Send();
  if (state_ != State::kTransfer) return;
  if (!had_request && transfer_->request()) wants_to_write_ = true;
  if (transfer_->state() == TransferFlow::State::kFailed) return Fail(transfer_->failure());
  if (transfer_->state() == TransferFlow::State::kDone && !stream_->needs_flush()) {
    state_ = State::kDone;
  }
}

void TcpFlow::Open() {
  opening_.Advance(*stream_);
  if (opening_.state() == TcpOpening::State::kFailed) return Fail(opening_.failure());
  if (opening_.state() != TcpOpening::State::kReady) return;
  if (role_ == TransferRole::kClient) {
    state_ = State::kReady;
    return;
  }
  transfer_.emplace(*pattern_);
  state_ = State::kTransfer;
}

void TcpFlow::Receive(std::span<uint8_t> buffer) {
  for (int i = 0; i < kStepsAtOnce; ++i) {
    const IoOutcome outcome = stream_->Read(buffer);
    transfer_->OnReceived(buffer.first(outcome.bytes), MonotonicClock::Now());
    switch (outcome.state) {
      case IoOutcome::State::kProgress:
        break;
      case IoOutcome::State::kBlocked:
        return;
      case IoOutcome::State::kEnded:
        has_peer_ended_ = true;
        return transfer_->OnPeerEnded();
      case IoOutcome::State::kFailed:
        return Fail(stream_->failure());
    }
    if (transfer_->state() == TransferFlow::State::kFailed) return;
  }
}

void TcpFlow::Send() {
  for (int i = 0; i < kStepsAtOnce; ++i) {
    wants_to_write_ = true;
    IoOutcome outcome;
    if (stream_->needs_flush()) {
      outcome = stream_->Flush();
    } else if (const auto bytes = transfer_->PendingBytes(MonotonicClock::Now()); !bytes.empty()) {
      outcome = stream_->Write(bytes);
      transfer_->OnSent(outcome.bytes);
    } else if (transfer_->wants_to_end()) {
      outcome = stream_->End();
      transfer_->OnEndSent();
    } else {
      wants_to_write_ = false;
      return;
    }
    if (outcome.state == IoOutcome::State::kFailed) return Fail(stream_->failure());
    if (outcome.state == IoOutcome::State::kBlocked) return;
  }
}

void TcpFlow::Fail(std::string failure) {
  failure_ = std::move(failure);
  state_ = State::kFailed;
  ResetOnClose(stream_->fd());
}

}  // namespace godwit
