// SPDX-License-Identifier: Apache-2.0
//
// Random operations on a SendBuffer, compared with a model that has one state for each byte.
#ifndef GODWIT_TESTS_TRANSPORT_DELIVERY_SEND_BUFFER_OPERATIONS_H_
#define GODWIT_TESTS_TRANSPORT_DELIVERY_SEND_BUFFER_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit {

// Does what `input` says until it ends; says how many operations that were. Dies in GODWIT_CHECK if
// buffer and model differ.
size_t RunSendBufferOperations(std::span<const uint8_t> input);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_DELIVERY_SEND_BUFFER_OPERATIONS_H_
