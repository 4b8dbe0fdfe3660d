// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/engine/stream_echo.h"

#include <array>

namespace godwit {

void StreamEcho::Pump(ConnectionRef connection, StreamId stream) {
  const ConnectionHandle handle = connection.handle();
  const Key key = {handle.slot, handle.generation, stream.value()};
  bool is_over = false;
  while (Step(connection, stream, pending_[key], is_over)) {
  }
  if (is_over) pending_.erase(key);
}

bool StreamEcho::Step(ConnectionRef& connection, StreamId stream, Pending& pending, bool& is_over) {
  if (!pending.unsent.empty()) {
    const auto written = connection.Write(stream, pending.unsent);
    is_over = !written.ok();
    if (is_over) return false;
    pending.unsent.erase(0, *written);
    return pending.unsent.empty();
  }
  if (pending.has_end) {
    is_over = true;
    // Fails if the end was said before, as Read() says again where the stream has ended.
    static_cast<void>(connection.Finish(stream));
    return false;
  }
  std::array<uint8_t, 65'536> bytes;
  const auto read = connection.Read(stream, bytes);
  is_over = !read.ok();
  if (is_over) return false;
  pending.unsent.assign(reinterpret_cast<const char*>(bytes.data()), read->bytes);
  pending.has_end = read->is_end;
  return read->bytes > 0 || read->is_end;
}

}  // namespace godwit
