// SPDX-License-Identifier: Apache-2.0
//
// EngineResources: what engines of one configuration can share, made once: contexts of TLS with
// their certificates, and a server's own keys. Immutable, so that the shards of a server, a thread
// each, make their engines from the same one. EngineFactory makes them.
#ifndef GODWIT_TRANSPORT_ENGINE_ENGINE_FACTORY_H_
#define GODWIT_TRANSPORT_ENGINE_ENGINE_FACTORY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "crypto/key_file.h"
#include "crypto/tls_context.h"
#include "godwit/engine.h"
#include "godwit/random.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {

struct EngineResources {
  // Reads the files that the configuration names.
  static absl::StatusOr<EngineResources> Create(const EngineConfig& config, Random& random,
                                                UnixTime wall);

  std::shared_ptr<const TlsClientContext> tls_client;
  std::optional<TlsServerContext> tls_server;
  ServerSecrets secrets;
  std::vector<std::string> warnings;
};

class EngineFactory {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> Make(const EngineConfig& config,
                                                      const EngineResources& resources,
                                                      const EngineEnvironment& environment,
                                                      Timestamp now, UnixTime wall);
  // As Engine::SetServerTls(), with a context that engines of several threads may share.
  static absl::Status UseTlsServer(Engine& engine, const TlsServerContext& context);
  // What says whether the calling thread may use the engine: every call on its connections asks,
  // unless NDEBUG. Without it nobody does. `context` outlives the engine.
  static void SetThreadCheck(Engine& engine, bool (*is_right_thread)(const void* context),
                             const void* context);
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENGINE_ENGINE_FACTORY_H_
