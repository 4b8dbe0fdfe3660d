// SPDX-License-Identifier: Apache-2.0
//
// `godwit-tunnel diag`: what this machine can do for a tunnel, and what stands in its way: offloads
// of kernel and interfaces, socket buffers, sizes of datagrams. It sends nothing.
#ifndef GODWIT_TUNNEL_DIAG_H_
#define GODWIT_TUNNEL_DIAG_H_

#include <string>

#include "absl/status/statusor.h"

#include "tunnel/options.h"

namespace godwit::tunnel {

// Lines of text. With a server: also the way to it, as far as the kernel knows it.
absl::StatusOr<std::string> Diagnose(const DiagOptions& options);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_DIAG_H_
