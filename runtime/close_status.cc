// SPDX-License-Identifier: Apache-2.0
#include "runtime/close_status.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace godwit {

absl::Status ToStatus(const CloseReason& reason) {
  const std::string_view cause = ToString(reason.cause);
  std::string text =
      absl::StrCat("the connection is closed: ", absl::string_view(cause.data(), cause.size()));
  if (reason.error_code != 0) absl::StrAppend(&text, ", error ", reason.error_code);
  if (!reason.reason.empty()) absl::StrAppend(&text, ": ", reason.reason);
  return absl::CancelledError(text);
}

}  // namespace godwit
