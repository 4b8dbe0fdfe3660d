// SPDX-License-Identifier: Apache-2.0
//
// MessageStream: messages from and to one stream, before bytes follow. It remembers what the
// stream did not take yet.
#ifndef GODWIT_TUNNEL_MESSAGE_STREAM_H_
#define GODWIT_TUNNEL_MESSAGE_STREAM_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"
#include "tunnel/tunnel_message.h"

namespace godwit::tunnel {

class MessageStream {
 public:
  MessageStream(ConnectionRef connection, StreamId id)
      : connection_(std::move(connection)), id_(id) {}

  [[nodiscard]] StreamId id() const { return id_; }
  ConnectionRef& connection() { return connection_; }

  // The next message, if all of it is there. OutOfRange at the end of the stream, other errors if
  // it is none.
  absl::StatusOr<std::optional<TunnelMessage>> Read();

  // True if the stream has taken all of it; else Flush() at the next OnWritable().
  bool Write(std::string_view bytes);
  bool Flush();
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }

  void Finish();
  // Gives up both directions, but for what was finished: that is whole, and still arrives.
  void Abort(StreamErrorCode code);
  void StopReading(StreamErrorCode code);

 private:
  // How many of them the stream has taken, or are in vain.
  size_t TakenOf(std::string_view bytes);

  ConnectionRef connection_;
  StreamId id_;
  std::string unsent_;
  bool has_finished_ = false;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_MESSAGE_STREAM_H_
