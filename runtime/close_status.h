// SPDX-License-Identifier: Apache-2.0
//
// ToStatus(): the end of a connection as the error of those who wait for something of it.
#ifndef GODWIT_RUNTIME_CLOSE_STATUS_H_
#define GODWIT_RUNTIME_CLOSE_STATUS_H_

#include "absl/status/status.h"

#include "godwit/close_reason.h"

namespace godwit {

absl::Status ToStatus(const CloseReason& reason);

}  // namespace godwit

#endif  // GODWIT_RUNTIME_CLOSE_STATUS_H_
