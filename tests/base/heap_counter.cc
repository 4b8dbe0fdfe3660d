// SPDX-License-Identifier: Apache-2.0
#include "tests/base/heap_counter.h"

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

godwit::HeapCount heap_count;

void* Allocate(size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  ++heap_count.allocations;
  heap_count.live_bytes += malloc_usable_size(memory);
  return memory;
}

void Free(void* memory) {
  if (memory == nullptr) return;
  heap_count.live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }

namespace godwit {

HeapCount CountHeap() { return heap_count; }

}  // namespace godwit
