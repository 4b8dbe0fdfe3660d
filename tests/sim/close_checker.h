// SPDX-License-Identifier: Apache-2.0
//
// CloseChecker: whether the two ends of a connection tell the same story of its end. RFC 9000 §10.
#ifndef GODWIT_TESTS_SIM_CLOSE_CHECKER_H_
#define GODWIT_TESTS_SIM_CLOSE_CHECKER_H_

#include <optional>
#include <string>

#include "transport/lifecycle/close_state.h"

namespace godwit {

// Empty if they agree. An end that was told nothing, because packets were lost, may have seen an
// idle timeout, or a stateless reset; both may have closed at once.
std::string FindCloseDisagreement(const std::optional<CloseReason>& client,
                                  const std::optional<CloseReason>& server);

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_CLOSE_CHECKER_H_
