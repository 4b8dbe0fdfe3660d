// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_message_flow.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "bench/tcp_socket.h"

namespace godwit {
namespace {

// Far more than anybody sends. A ClientHello, from a client that wants TLS, begins with more.
constexpr size_t kMaxMessageBytes = size_t{1} << 20;

}  // namespace

TcpMessageFlow::TcpMessageFlow(std::unique_ptr<ByteStream> stream, TransferRole role,
                               Handler* handler)
    : stream_(std::move(stream)), role_(role), handler_(handler), opening_(role) {
  SendAtOnce(stream_->fd());
}

void TcpMessageFlow::Send(std::span<const uint8_t> message) {
  const auto size = static_cast<uint32_t>(message.size());
  const std::array<uint8_t, 4> length = {
      static_cast<uint8_t>(size >> 24), static_cast<uint8_t>(size >> 16),
      static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  output_.Append(length);
  output_.Append(message);
  wants_to_write_ = true;
}

void TcpMessageFlow::End() {
  wants_to_end_ = true;
  wants_to_write_ = true;
}

uint32_t TcpMessageFlow::interest() const {
  const bool wants_to_write = is_ready() ? wants_to_write_ : opening_.wants_to_write();
  return wants_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

void TcpMessageFlow::Advance(std::span<uint8_t> buffer) {
  if (!is_ready()) {
    opening_.Advance(*stream_);
    if (opening_.state() == TcpOpening::State::kFailed) return Fail(opening_.failure());
    if (!is_ready()) return;
    handler_->OnReady(*this);
  }
  Receive(buffer);
  if (!is_finished_) SendAll();
}

void TcpMessageFlow::Receive(std::span<uint8_t> buffer) {
  const IoOutcome outcome = stream_->Read(buffer);
  TakeMessages(buffer.first(outcome.bytes));
  if (is_finished_) return;
  if (outcome.state == IoOutcome::State::kEnded) return OnPeerEnded();
  if (outcome.state == IoOutcome::State::kFailed) Fail(stream_->failure());
}

void TcpMessageFlow::TakeMessages(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    if (length_bytes_ < length_.size()) {
      length_[length_bytes_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (length_bytes_ < length_.size()) continue;
      message_bytes_ = size_t{length_[0]} << 24 | size_t{length_[1]} << 16 |
                       size_t{length_[2]} << 8 | size_t{length_[3]};
      if (message_bytes_ > kMaxMessageBytes) return Fail("what came is no message");
      missing_bytes_ = message_bytes_;
    }
    const size_t count = std::min(missing_bytes_, bytes.size());
    missing_bytes_ -= count;
    bytes = bytes.subspan(count);
    if (missing_bytes_ != 0) return;
    length_bytes_ = 0;
    handler_->OnMessage(*this, message_bytes_);
  }
}

void TcpMessageFlow::SendAll() {
  while (true) {
    wants_to_write_ = true;
    IoOutcome outcome;
    if (stream_->needs_flush()) {
      outcome = stream_->Flush();
    } else if (!output_.is_empty()) {
      outcome = stream_->Write(output_.bytes());
      output_.RemoveFront(outcome.bytes);
    } else if (wants_to_end_ && !has_ended_) {
      outcome = stream_->End();
      has_ended_ = true;
    } else {
      wants_to_write_ = false;
      return;
    }
    if (outcome.state == IoOutcome::State::kFailed) return Fail(stream_->failure());
    if (outcome.state == IoOutcome::State::kBlocked) return;
  }
}

// A server then resets: neither side has to remember the connection (TIME_WAIT), of which there
// would soon be too many.
void TcpMessageFlow::OnPeerEnded() {
  if (role_ == TransferRole::kClient && !wants_to_end_) return Fail("the server has ended");
  ResetOnClose(stream_->fd());
  is_finished_ = true;
}

void TcpMessageFlow::Fail(std::string failure) {
  // A server answers the end with a reset.
  if (!has_ended_) failure_ = std::move(failure);
  ResetOnClose(stream_->fd());
  is_finished_ = true;
}

}  // namespace godwit
