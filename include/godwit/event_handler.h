// SPDX-License-Identifier: Apache-2.0
//
// EventHandler: what an application is told of its connections, by Client and Server. Override what
// is of interest.
//
// Calls come on the loop's thread, one at a time, after a batch of datagrams was processed: never
// inside of a call of the application, never after the end of what the handler was given to. In
// each of them every call on every ConnectionRef is permitted.
#ifndef GODWIT_INCLUDE_EVENT_HANDLER_H_
#define GODWIT_INCLUDE_EVENT_HANDLER_H_

#include <cstdint>
#include <string_view>

#include "godwit/close_reason.h"
#include "godwit/connection_event.h"
#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"

namespace godwit {

class EventHandler {
 public:
  virtual ~EventHandler() = default;

  // The handshake is complete: streams can be used, and the peer is who it says. A server hears of
  // a connection by this call.
  virtual void OnConnected(ConnectionRef connection) { static_cast<void>(connection); }
  // The last call for a connection, also for one that never got as far as OnConnected(). Its
  // streams are gone.
  virtual void OnClosed(ConnectionRef connection, const CloseReason& reason) {
    static_cast<void>(connection);
    static_cast<void>(reason);
  }

  // By the peer.
  virtual void OnStreamOpened(ConnectionRef connection, StreamId stream) {
    static_cast<void>(connection);
    static_cast<void>(stream);
  }
  // There is more to read than at the last call. What is not read now may be read at any time; no
  // further call comes for it.
  virtual void OnStreamReadable(ConnectionRef connection, StreamId stream) {
    static_cast<void>(connection);
    static_cast<void>(stream);
  }
  // All data up to the end of the stream is there; what was not read yet can be. Once for every
  // stream that the peer finishes, also where Read() has said is_end before: act on one of the two.
  virtual void OnStreamFinished(ConnectionRef connection, StreamId stream) {
    static_cast<void>(connection);
    static_cast<void>(stream);
  }
  // The peer gave up sending; what was not read is gone.
  virtual void OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t error_code) {
    static_cast<void>(connection);
    static_cast<void>(stream);
    static_cast<void>(error_code);
  }
  // There is room again, after a Write() that took less than it was given.
  virtual void OnStreamWritable(ConnectionRef connection, StreamId stream) {
    static_cast<void>(connection);
    static_cast<void>(stream);
  }
  // The peer gave up reading: what is written goes nowhere.
  virtual void OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t error_code) {
    static_cast<void>(connection);
    static_cast<void>(stream);
    static_cast<void>(error_code);
  }
  // The peer has received all that was written, and the end. That its application has read it, or
  // stored it, only the application can say.
  virtual void OnStreamSent(ConnectionRef connection, StreamId stream) {
    static_cast<void>(connection);
    static_cast<void>(stream);
  }
  // OpenStream() failed for the peer's limit, and would not now.
  virtual void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) {
    static_cast<void>(connection);
    static_cast<void>(direction);
  }

  // At least one datagram can be read.
  virtual void OnDatagram(ConnectionRef connection) { static_cast<void>(connection); }
  virtual void OnDatagramFeedback(ConnectionRef connection, const DatagramFeedback& feedback) {
    static_cast<void>(connection);
    static_cast<void>(feedback);
  }
  virtual void OnMaxDatagramPayloadChanged(ConnectionRef connection) {
    static_cast<void>(connection);
  }

  // The peer's address is another one now.
  virtual void OnPathChanged(ConnectionRef connection) { static_cast<void>(connection); }

  // A line for an SSLKEYLOGFILE, without its end of line: see export_session_secrets in
  // tls_config.h. Of any connection, before it is connected; the line says which it is about.
  virtual void OnKeyLogLine(std::string_view line) { static_cast<void>(line); }
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_EVENT_HANDLER_H_
