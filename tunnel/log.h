// SPDX-License-Identifier: Apache-2.0
//
// Where the lines of a TunnelLog go: stderr, with time and level, or as systemd's journal wants
// them where stderr is the journal. A line stays one, whatever a peer has said in it.
#ifndef GODWIT_TUNNEL_LOG_H_
#define GODWIT_TUNNEL_LOG_H_

#include <string_view>

#include "tunnel/tunnel_log.h"

namespace godwit::tunnel {

// `level` is "debug", "info", "warning" or "error". `clears_line`: the terminal's last line is live
// and may be overwritten. Threads: any.
TunnelLog NewStderrLog(std::string_view level, bool clears_line);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_LOG_H_
