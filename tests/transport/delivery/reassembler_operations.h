// SPDX-License-Identifier: Apache-2.0
//
// Random operations on a Reassembler, compared with a model that has one entry for each byte.
#ifndef GODWIT_TESTS_TRANSPORT_DELIVERY_REASSEMBLER_OPERATIONS_H_
#define GODWIT_TESTS_TRANSPORT_DELIVERY_REASSEMBLER_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit {

// Does what `input` says until it ends or the peer breaks a rule; says how many operations that
// were. Dies in GODWIT_CHECK if reassembler and model differ.
size_t RunReassemblerOperations(std::span<const uint8_t> input);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_DELIVERY_REASSEMBLER_OPERATIONS_H_
