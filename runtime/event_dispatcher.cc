// SPDX-License-Identifier: Apache-2.0
#include "runtime/event_dispatcher.h"

#include <utility>

namespace godwit {
namespace {

void DispatchStreamEvent(const StreamEvent& event, ConnectionRef connection,
                         EventHandler& handler) {
  switch (event.kind) {
    case StreamEvent::Kind::kOpened:
      return handler.OnStreamOpened(std::move(connection), event.id);
    case StreamEvent::Kind::kReadable:
      return handler.OnStreamReadable(std::move(connection), event.id);
    case StreamEvent::Kind::kWritable:
      return handler.OnStreamWritable(std::move(connection), event.id);
    case StreamEvent::Kind::kFinished:
      return handler.OnStreamFinished(std::move(connection), event.id);
    case StreamEvent::Kind::kReset:
      return handler.OnStreamReset(std::move(connection), event.id, event.error_code);
    case StreamEvent::Kind::kStopped:
      return handler.OnStreamStopped(std::move(connection), event.id, event.error_code);
    case StreamEvent::Kind::kSendComplete:
      return handler.OnStreamSent(std::move(connection), event.id);
    case StreamEvent::Kind::kStreamsAvailable:
      return handler.OnStreamsAvailable(std::move(connection), event.direction);
  }
}

}  // namespace

void DispatchEvent(const EngineEvent& event, Engine& engine, EventHandler& handler) {
  ConnectionRef connection = engine.connection(event.connection);
  switch (event.event.kind) {
    case ConnectionEvent::Kind::kHandshakeComplete:
      return handler.OnConnected(connection);
    case ConnectionEvent::Kind::kHandshakeConfirmed:
      return;
    case ConnectionEvent::Kind::kStream:
      return DispatchStreamEvent(event.event.stream, std::move(connection), handler);
    case ConnectionEvent::Kind::kDatagramReceived:
      return handler.OnDatagram(connection);
    case ConnectionEvent::Kind::kDatagramFeedback:
      return handler.OnDatagramFeedback(connection, event.event.datagram);
    case ConnectionEvent::Kind::kMaxDatagramPayloadChanged:
      return handler.OnMaxDatagramPayloadChanged(connection);
    case ConnectionEvent::Kind::kPathChanged:
      return handler.OnPathChanged(connection);
    case ConnectionEvent::Kind::kClosed:
      return handler.OnClosed(connection, connection.close_reason().value_or(
                                              CloseReason{.cause = CloseReason::Cause::kAborted}));
  }
}

}  // namespace godwit
