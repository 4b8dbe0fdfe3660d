// SPDX-License-Identifier: Apache-2.0
//
// Configurations of a server on 127.0.0.1, port 0, and of a client that believes it.
#ifndef GODWIT_TESTS_RUNTIME_DOORS_LOOPBACK_CONFIGS_H_
#define GODWIT_TESTS_RUNTIME_DOORS_LOOPBACK_CONFIGS_H_

#include "godwit/client.h"
#include "godwit/server.h"

namespace godwit {

ServerConfig LoopbackServerConfig();
ClientConfig LoopbackClientConfig();

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_DOORS_LOOPBACK_CONFIGS_H_
