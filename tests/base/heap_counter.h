// SPDX-License-Identifier: Apache-2.0
//
// What a test binary takes from the heap through operator new, which linking this replaces. Memory
// that C code takes with malloc (BoringSSL's) is not counted.
#ifndef GODWIT_TESTS_BASE_HEAP_COUNTER_H_
#define GODWIT_TESTS_BASE_HEAP_COUNTER_H_

#include <cstdint>

namespace godwit {

struct HeapCount {
  uint64_t allocations = 0;  // Since the program began.
  uint64_t live_bytes = 0;   // As the allocator rounds them.
};

// Of all threads; meant for one.
HeapCount CountHeap();

}  // namespace godwit

#endif  // GODWIT_TESTS_BASE_HEAP_COUNTER_H_
