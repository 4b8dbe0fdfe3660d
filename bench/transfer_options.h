// SPDX-License-Identifier: Apache-2.0
//
// TransferOptions: the command line that transfer, tcp_transfer and limit have in common, so that
// one line measures them all. It reads and checks; nothing is opened, resolved or pinned here.
//
// Invariant: options that do not fit together, or that the program does not have, are errors: what
// was measured is what was asked for.
#ifndef GODWIT_BENCH_TRANSFER_OPTIONS_H_
#define GODWIT_BENCH_TRANSFER_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "godwit/time.h"

namespace godwit {

inline constexpr int kUsageExitCode = 2;

enum class TransferProgram { kQuic, kTcp, kLimit };

enum class TransferRole { kServer, kClient };

enum class TransferDirection : uint8_t { kDownload, kUpload, kBidirectional };

std::string_view ToString(TransferRole role);
std::string_view ToString(TransferDirection direction);

struct TransferOptions {
  TransferRole role = TransferRole::kClient;
  SocketAddress address;  // A server's to listen on; for a client, the server's.

  // What a client asks for.
  TransferDirection direction = TransferDirection::kDownload;
  // In each direction, of all streams of all connections together. 0: `duration` decides.
  uint64_t bytes = 0;
  Duration duration = Duration::Seconds(10);
  uint32_t streams = 1;  // Of each connection, at once.
  uint32_t connections = 1;
  bool verifies = false;  // Receivers compare what arrives.

  // Of both.
  std::string congestion;  // As the transport names it; empty: its default.
  std::string json_path;   // "-": standard output. Empty: none is written.
  std::optional<uint32_t> cpu;
  bool uses_tls = false;  // kTcp only.

  bool once = false;  // Of a server: it ends with the last connection of its first client.

  bool wants_help = false;  // Nothing else is then meant.
};

// Errors are one line, without the program's name.
absl::StatusOr<TransferOptions> ParseTransferOptions(TransferProgram program, int argc,
                                                     const char* const* argv);

std::string TransferUsage(TransferProgram program);

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_OPTIONS_H_
