// SPDX-License-Identifier: Apache-2.0
//
// StreamHandler: who deals with one stream of a tunnel. TunnelSession has one for each open stream
// and gives it the stream's events, never inside of a call that it makes.
#ifndef GODWIT_TUNNEL_STREAM_HANDLER_H_
#define GODWIT_TUNNEL_STREAM_HANDLER_H_

#include <cstdint>

namespace godwit::tunnel {

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // More to read, or the end has come.
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;
  // The peer gave up sending.
  virtual void OnReset() = 0;
  // The peer gave up reading.
  virtual void OnStopped() = 0;
  // With the whole connection; the last call.
  virtual void OnConnectionLost() = 0;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_STREAM_HANDLER_H_
