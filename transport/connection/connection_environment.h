// SPDX-License-Identifier: Apache-2.0
//
// ConnectionEnvironment: what connections of one endpoint share, beside their configuration, which
// was checked where the endpoint was configured.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_ENVIRONMENT_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_ENVIRONMENT_H_

#include "base/environment.h"
#include "godwit/congestion_controller.h"
#include "godwit/connection_config.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

struct ConnectionScratch;

// All of it outlives the connection, and belongs to the same thread.
struct ConnectionEnvironment {
  Random* random = nullptr;
  EventSink* events = nullptr;
  StreamPools* pools = nullptr;
  ConnectionScratch* scratch = nullptr;
  const CongestionControllerFactory* controller = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_ENVIRONMENT_H_
