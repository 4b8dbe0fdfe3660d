// SPDX-License-Identifier: Apache-2.0
//
// ConnectionIdGenerator: makes the connection ids that an endpoint issues (RFC 9000 §5.1). An
// application brings its own where something in front of the endpoint routes by them: a byte that
// names the shard, an encrypted server id. Without one, ids are random.
//
// It does not remember ids and does not know connections.
#ifndef GODWIT_INCLUDE_CONNECTION_ID_GENERATOR_H_
#define GODWIT_INCLUDE_CONNECTION_ID_GENERATOR_H_

#include <cstddef>

#include "godwit/connection_id.h"

namespace godwit {

class ConnectionIdGenerator {
 public:
  virtual ~ConnectionIdGenerator() = default;

  // Bytes of every id, 0 to 20. Constant: a short header does not say how long its id is. A server
  // needs 4 at least, and 8 to make collisions unlikely; 0 is for clients that have a local
  // address for each connection.
  [[nodiscard]] virtual size_t size_bytes() const = 0;

  // A new id, which nobody can link to another one of the same connection (RFC 9000 §5.1). The
  // endpoint asks again if it is in use, a few times.
  [[nodiscard]] virtual ConnectionId Generate() = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_ID_GENERATOR_H_
