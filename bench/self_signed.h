// SPDX-License-Identifier: Apache-2.0
//
// NewSelfSigned(): a certificate for a program that only measures, made at its start, the same for
// QUIC and for TLS over TCP. No client should believe it.
#ifndef GODWIT_BENCH_SELF_SIGNED_H_
#define GODWIT_BENCH_SELF_SIGNED_H_

#include "absl/status/statusor.h"

#include "bench/transfer_options.h"
#include "godwit/tls_config.h"

namespace godwit {

// Chain and key as PEM text.
absl::StatusOr<TlsCertificate> NewSelfSigned(CertificateKind kind);

}  // namespace godwit

#endif  // GODWIT_BENCH_SELF_SIGNED_H_
