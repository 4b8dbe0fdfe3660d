// SPDX-License-Identifier: Apache-2.0
//
// What the handles of blocking.h share: a grip holds a channel, and gives it up with the last
// handle. A stream's grip holds its connection's, so that a connection lives as long as one of its
// streams is in use.
//
// Threads: any.
#ifndef GODWIT_RUNTIME_BLOCKING_GRIPS_H_
#define GODWIT_RUNTIME_BLOCKING_GRIPS_H_

#include <memory>
#include <utility>

#include "runtime/blocking_connection_channel.h"
#include "runtime/blocking_stream_channel.h"

namespace godwit {

struct BlockingConnectionGrip {
  explicit BlockingConnectionGrip(std::shared_ptr<BlockingConnectionChannel> held)
      : channel(std::move(held)) {}
  ~BlockingConnectionGrip() { channel->Abandon(); }
  BlockingConnectionGrip(const BlockingConnectionGrip&) = delete;
  BlockingConnectionGrip& operator=(const BlockingConnectionGrip&) = delete;

  const std::shared_ptr<BlockingConnectionChannel> channel;
};

struct BlockingStreamGrip {
  BlockingStreamGrip(std::shared_ptr<BlockingStreamChannel> held,
                     std::shared_ptr<const BlockingConnectionGrip> held_connection)
      : connection(std::move(held_connection)), channel(std::move(held)) {}
  // Before the connection's: what is given up of the stream comes first.
  ~BlockingStreamGrip() { channel->Abandon(); }
  BlockingStreamGrip(const BlockingStreamGrip&) = delete;
  BlockingStreamGrip& operator=(const BlockingStreamGrip&) = delete;

  const std::shared_ptr<const BlockingConnectionGrip> connection;
  const std::shared_ptr<BlockingStreamChannel> channel;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_GRIPS_H_
