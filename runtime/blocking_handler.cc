// SPDX-License-Identifier: Apache-2.0
#include "runtime/blocking_handler.h"

namespace godwit {
namespace {

uint64_t KeyOf(const ConnectionRef& connection) {
  return uint64_t{connection.handle().slot} << 32 | connection.handle().generation;
}

}  // namespace

void BlockingHandler::End() {
  door_->Close();
  for (const auto& [key, channel] : std::exchange(channels_, {})) channel->EndWithLoop();
}

BlockingHandler::Channel BlockingHandler::Adopt(const ConnectionRef& connection) {
  auto channel = std::make_shared<BlockingConnectionChannel>(connection, door_);
  channels_[KeyOf(connection)] = channel;
  return channel;
}

BlockingHandler::Channel BlockingHandler::Find(const ConnectionRef& connection) const {
  const auto found = channels_.find(KeyOf(connection));
  return found != channels_.end() ? found->second : nullptr;
}

BlockingConnectionChannel::Stream BlockingHandler::Find(const ConnectionRef& connection,
                                                        StreamId stream) const {
  const Channel channel = Find(connection);
  return channel != nullptr ? channel->FindStream(stream) : nullptr;
}

void BlockingHandler::OnConnected(ConnectionRef connection) {
  if (on_accepted_ != nullptr && Find(connection) == nullptr) on_accepted_(Adopt(connection));
}

void BlockingHandler::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  const Channel channel = Find(connection);
  if (channel == nullptr) return;
  channels_.erase(KeyOf(connection));
  channel->End(reason);
}

void BlockingHandler::OnStreamOpened(ConnectionRef connection, StreamId stream) {
  if (const Channel channel = Find(connection)) channel->OnStreamOpened(stream);
}

void BlockingHandler::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  if (const auto channel = Find(connection, stream)) channel->OnReadable();
}

void BlockingHandler::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  if (const auto channel = Find(connection, stream)) channel->OnReadable();
}

void BlockingHandler::OnStreamReset(ConnectionRef connection, StreamId stream,
                                    uint64_t error_code) {
  if (const auto channel = Find(connection, stream)) channel->OnReset(error_code);
}

void BlockingHandler::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  if (const auto channel = Find(connection, stream)) channel->OnWritable();
}

void BlockingHandler::OnStreamStopped(ConnectionRef connection, StreamId stream,
                                      uint64_t error_code) {
  if (const auto channel = Find(connection, stream)) channel->OnStopped(error_code);
}

void BlockingHandler::OnStreamSent(ConnectionRef connection, StreamId stream) {
  if (const auto channel = Find(connection, stream)) channel->OnDelivered();
}

void BlockingHandler::OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) {
  if (const Channel channel = Find(connection)) channel->OnStreamsAvailable(direction);
}

void BlockingHandler::OnDatagram(ConnectionRef connection) {
  if (const Channel channel = Find(connection)) channel->OnDatagram();
}

void BlockingHandler::OnMaxDatagramPayloadChanged(ConnectionRef connection) {
  if (const Channel channel = Find(connection)) channel->OnMaxDatagramPayloadChanged();
}

}  // namespace godwit
