// SPDX-License-Identifier: Apache-2.0
//
// StreamPools: the blocks in which stream data waits, shared by all connections of an endpoint,
// which owns them. StreamContext: what the streams of a connection are told together with a frame
// or a read.
//
// Nobody below the endpoint keeps a pointer to either: they come with each call that may need them.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_POOLS_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_POOLS_H_

#include "godwit/time.h"
#include "transport/delivery/reassembler.h"
#include "transport/delivery/send_buffer.h"

namespace godwit {

struct StreamPools {
  SendBlockPool send_blocks;
  ReceiveBlockPool receive_blocks;
};

struct StreamContext {
  Timestamp now;
  Duration smoothed_rtt;
  // Whether the endpoint's memory budget permits that receive windows become larger.
  bool may_grow_windows = true;
  StreamPools* pools = nullptr;  // Never null in a call.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_POOLS_H_
