// SPDX-License-Identifier: Apache-2.0
//
// SystemRandom: the kernel's cryptographically secure generator (getrandom(2)), through a buffer,
// as a system call for each connection id would be dear. Not thread-safe: one for each thread.
//
// Invariants:
//  1. No byte is given out twice, and none stays in the buffer once it is given out: who reads the
//     memory later learns nothing about ids that were drawn before.
//  2. A child of fork() starts with an empty buffer: the kernel wipes the page (MADV_WIPEONFORK,
//     Linux 4.14). Where it cannot, there is no buffer and every call goes to the kernel.
#ifndef GODWIT_PLATFORM_SYSTEM_RANDOM_H_
#define GODWIT_PLATFORM_SYSTEM_RANDOM_H_

#include <cstdint>
#include <span>

#include "godwit/random.h"

namespace godwit {

class SystemRandom final : public Random {
 public:
  SystemRandom();
  ~SystemRandom() override;
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;

  // Ends the process if the kernel gives no randomness: nothing safe can be done without. Waits, in
  // the first seconds of a machine's life, until the kernel has gathered enough.
  void Fill(std::span<uint8_t> bytes) override;

 private:
  struct Page;

  Page* page_;  // Null: no buffer.
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_SYSTEM_RANDOM_H_
