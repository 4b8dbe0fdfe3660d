// SPDX-License-Identifier: Apache-2.0
//
// RunTcpExchangeServer(): the server of latency and of handshakes over TCP, with TLS or without:
// answers every message, and reports what that came to from the first connection's handshake to its
// end. One thread.
#ifndef GODWIT_BENCH_TCP_EXCHANGE_SERVER_H_
#define GODWIT_BENCH_TCP_EXCHANGE_SERVER_H_

#include "absl/status/status.h"

#include "bench/exchange_report.h"
#include "bench/transfer_options.h"

namespace godwit {

// For one client after the other; with options.once, returns after the first.
absl::Status RunTcpExchangeServer(const TransferOptions& options, ExchangeKind kind);

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_EXCHANGE_SERVER_H_
