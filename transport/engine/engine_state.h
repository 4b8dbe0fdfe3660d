// SPDX-License-Identifier: Apache-2.0
//
// What is behind Engine and ConnectionRef: an endpoint, the TLS contexts that it uses, and the time
// that it was told last.
#ifndef GODWIT_TRANSPORT_ENGINE_ENGINE_STATE_H_
#define GODWIT_TRANSPORT_ENGINE_ENGINE_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "crypto/tls_context.h"
#include "godwit/engine.h"
#include "godwit/time.h"
#include "transport/endpoint/endpoint.h"
#include "transport/engine/key_log_queue.h"

namespace godwit {

// What ConnectionRefs hold on to: the way to the engine, as long as there is one.
struct EngineLink {
  EngineState* engine = nullptr;
  // See EngineFactory::SetThreadCheck().
  bool (*is_right_thread)(const void* context) = nullptr;
  const void* thread_context = nullptr;
};

struct EngineState {
  // Before the endpoint, which uses them to its end.
  std::shared_ptr<const TlsClientContext> tls_client;
  std::unique_ptr<TlsServerSessions> tls_server;
  KeyLogQueue key_log;
  std::vector<std::string> warnings;

  CongestionControllerRegistry congestion_controllers;
  std::unique_ptr<Endpoint> endpoint;
  Timestamp now = Timestamp::InfinitePast();  // The latest that was told.
  std::shared_ptr<EngineLink> link = std::make_shared<EngineLink>();
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENGINE_ENGINE_STATE_H_
