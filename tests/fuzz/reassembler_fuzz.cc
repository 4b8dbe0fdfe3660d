// SPDX-License-Identifier: Apache-2.0
//
// The input is a list of operations on a Reassembler, which must do what its model does:
// tests/transport/delivery/reassembler_operations.cc says what the bytes mean.
// tests/fuzz/make_delivery_corpus.py makes the seed corpus.
#include <cstddef>
#include <cstdint>

#include "tests/transport/delivery/reassembler_operations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  godwit::RunReassemblerOperations({data, size});
  return 0;
}
