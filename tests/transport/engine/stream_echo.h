// SPDX-License-Identifier: Apache-2.0
//
// StreamEcho: sends back what comes on a stream, and its end, as fast as the peer takes it. What
// the peer does not take is not read either.
#ifndef GODWIT_TESTS_TRANSPORT_ENGINE_STREAM_ECHO_H_
#define GODWIT_TESTS_TRANSPORT_ENGINE_STREAM_ECHO_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"

namespace godwit {

class StreamEcho {
 public:
  // Whenever there may be something to read, or room to write.
  void Pump(ConnectionRef connection, StreamId stream);

 private:
  struct Pending {
    std::string unsent = {};
    bool has_end = false;
  };
  using Key = std::tuple<uint32_t, uint32_t, uint64_t>;

  // False if there is nothing to do for now, or ever.
  static bool Step(ConnectionRef& connection, StreamId stream, Pending& pending, bool& is_over);

  std::map<Key, Pending> pending_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_ENGINE_STREAM_ECHO_H_
