// SPDX-License-Identifier: Apache-2.0
//
// TunnelLog: where a tunnel says what happened, in single lines for people. Where they go is
// decided elsewhere.
#ifndef GODWIT_TUNNEL_TUNNEL_LOG_H_
#define GODWIT_TUNNEL_TUNNEL_LOG_H_

#include <cstdint>
#include <functional>
#include <string>

namespace godwit::tunnel {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// Called on the thread of the tunnel's loop. Null: silence.
using TunnelLog = std::function<void(LogLevel level, const std::string& line)>;

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_LOG_H_
