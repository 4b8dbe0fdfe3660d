// SPDX-License-Identifier: Apache-2.0
//
// DropCounter: the EventSink that an endpoint gives to its connections: it counts what was dropped
// and passes all on to the application's sink, if there is one.
#ifndef GODWIT_TRANSPORT_ENDPOINT_DROP_COUNTER_H_
#define GODWIT_TRANSPORT_ENDPOINT_DROP_COUNTER_H_

#include <cstddef>
#include <string_view>

#include "base/environment.h"
#include "godwit/drop_reason.h"
#include "godwit/endpoint_stats.h"
#include "godwit/time.h"

namespace godwit {

class DropCounter final : public EventSink {
 public:
  // `next` may be null.
  DropCounter(EventSink* next, EndpointStats& stats) : next_(next), stats_(stats) {}

  void OnPacketDropped(Timestamp now, DropReason reason, size_t bytes) override {
    ++stats_.drops[static_cast<size_t>(reason)];
    stats_.dropped_bytes += bytes;
    if (next_ != nullptr) next_->OnPacketDropped(now, reason, bytes);
  }
  void OnKeyLogLine(std::string_view line) override {
    if (next_ != nullptr) next_->OnKeyLogLine(line);
  }

 private:
  EventSink* next_;
  EndpointStats& stats_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_DROP_COUNTER_H_
