// SPDX-License-Identifier: Apache-2.0
#include "runtime/coroutine_handler.h"

#include <utility>

namespace godwit {

CoroutineHandler::CoroutineHandler(Loop* loop, Accepts accepts)
    : accepts_(accepts), scheduler_(std::make_shared<CoroutineScheduler>(loop)) {}

CoroutineHandler::~CoroutineHandler() {
  // Tasks first: what they give up may still be told to the peers.
  scheduler_->End();
  unaccepted_.clear();
  for (const auto& [handle, channel] : std::exchange(channels_, {})) channel->EndWithLoop();
}

CoroutineConnection CoroutineHandler::Adopt(const ConnectionRef& connection) {
  auto channel = std::make_shared<CoroutineConnectionChannel>(connection, scheduler_);
  channels_[connection.handle()] = channel;
  return CoroutineConnection(std::make_shared<CoroutineConnectionGrip>(std::move(channel)));
}

std::optional<CoroutineConnection> CoroutineHandler::TakeAccepted() {
  if (unaccepted_.empty()) return std::nullopt;
  CoroutineConnection connection = std::move(unaccepted_.front());
  unaccepted_.pop_front();
  return connection;
}

CoroutineHandler::Channel CoroutineHandler::Find(const ConnectionRef& connection) const {
  const auto found = channels_.find(connection.handle());
  return found != channels_.end() ? found->second : nullptr;
}

CoroutineConnectionChannel::Stream CoroutineHandler::Find(const ConnectionRef& connection,
                                                          StreamId stream) const {
  const Channel channel = Find(connection);
  return channel != nullptr ? channel->FindStream(stream) : nullptr;
}

void CoroutineHandler::OnConnected(ConnectionRef connection) {
  if (accepts_ == Accepts::kNone) return;
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (unaccepted_.size() >= kMaxUnaccepted) {
    std::erase_if(unaccepted_,
                  [](const auto& waiting) { return waiting.close_reason().has_value(); });
  }
  // One that is too much is closed, as nobody has it.
  CoroutineConnection accepted = Adopt(connection);
  if (unaccepted_.size() < kMaxUnaccepted) unaccepted_.push_back(std::move(accepted));
  scheduler_->Wake(acceptable_);
}

void CoroutineHandler::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  const Channel channel = Find(connection);
  if (channel == nullptr) return;
  channels_.erase(connection.handle());
  channel->End(reason);
}

void CoroutineHandler::OnStreamOpened(ConnectionRef connection, StreamId stream) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const Channel channel = Find(connection)) channel->OnStreamOpened(stream);
}

void CoroutineHandler::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const auto channel = Find(connection, stream)) channel->OnReadable();
}

void CoroutineHandler::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  OnStreamReadable(connection, stream);
}

void CoroutineHandler::OnStreamReset(ConnectionRef connection, StreamId stream,
                                     uint64_t error_code) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const auto channel = Find(connection, stream)) channel->OnReset(error_code);
}

void CoroutineHandler::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const auto channel = Find(connection, stream)) channel->OnWritable();
}

void CoroutineHandler::OnStreamStopped(ConnectionRef connection, StreamId stream,
                                       uint64_t error_code) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const auto channel = Find(connection, stream)) channel->OnStopped(error_code);
}

void CoroutineHandler::OnStreamSent(ConnectionRef connection, StreamId stream) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const auto channel = Find(connection, stream)) channel->OnDelivered();
}

void CoroutineHandler::OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const Channel channel = Find(connection)) channel->OnStreamsAvailable(direction);
}

void CoroutineHandler::OnDatagram(ConnectionRef connection) {
  const CoroutineScheduler::Turn turn(scheduler_.get());
  if (const Channel channel = Find(connection)) channel->OnDatagram();
}

}  // namespace godwit
