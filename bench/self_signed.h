// SPDX-License-Identifier: Apache-2.0
//
// NewSelfSigned(): a certificate for a program that only measures, made at its start. No client
// should believe it.
#ifndef GODWIT_BENCH_SELF_SIGNED_H_
#define GODWIT_BENCH_SELF_SIGNED_H_

#include "absl/status/statusor.h"

#include "godwit/tls_config.h"

namespace godwit {

absl::StatusOr<TlsCertificate> NewSelfSigned();

}  // namespace godwit

#endif  // GODWIT_BENCH_SELF_SIGNED_H_
