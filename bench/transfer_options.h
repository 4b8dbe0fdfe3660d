// SPDX-License-Identifier: Apache-2.0
//
// TransferOptions: the command line that transfer, tcp_transfer, limit, latency and handshakes have
// in common, so that one line measures them all. It reads and checks; nothing is opened, resolved
// or pinned here.
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

enum class TransferProgram { kQuic, kTcp, kLimit, kLatency, kHandshakes };

enum class TransferRole { kServer, kClient };

enum class TransferDirection : uint8_t { kDownload, kUpload, kBidirectional };

// What carries the bytes.
enum class TransferProtocol : uint8_t { kQuic, kTcpTls, kTcp };

// Of a server, self-signed.
enum class CertificateKind : uint8_t { kEd25519, kEcdsaP256 };

std::string_view ToString(TransferRole role);
std::string_view ToString(TransferDirection direction);
std::string_view ToString(TransferProtocol protocol);

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
  // kLatency: requests; kHandshakes: handshakes. 0: `duration` decides.
  uint64_t count = 0;
  uint32_t outstanding = 1;  // Of these, at once.

  // Of both.
  std::string congestion;  // As the transport names it; empty: its default.
  std::string json_path;   // "-": standard output. Empty: none is written.
  std::optional<uint32_t> cpu;
  TransferProtocol protocol = TransferProtocol::kQuic;

  // What a server does.
  bool once = false;  // It ends with the last connection of its first client.
  CertificateKind certificate = CertificateKind::kEd25519;

  bool wants_help = false;  // Nothing else is then meant.
};

// Errors are one line, without the program's name.
absl::StatusOr<TransferOptions> ParseTransferOptions(TransferProgram program, int argc,
                                                     const char* const* argv);

std::string TransferUsage(TransferProgram program);

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_OPTIONS_H_
