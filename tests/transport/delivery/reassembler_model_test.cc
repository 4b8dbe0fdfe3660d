// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "tests/transport/delivery/reassembler_operations.h"

namespace godwit {
namespace {

constexpr size_t kOperations = 200'000;

TEST(ReassemblerModelTest, RandomOperationsFollowTheModel) {
  SeededRandom random(20'050);
  std::vector<uint8_t> input;
  size_t operation_count = 0;
  size_t longest_run = 0;

  while (operation_count < kOperations) {
    input.resize(random.UniformBelow(3000));
    random.Fill(input);
    const size_t count = RunReassemblerOperations(input);
    operation_count += count;
    longest_run = std::max(longest_run, count);
  }

  // A list that ends early shows little.
  EXPECT_GT(longest_run, 800u);
}

}  // namespace
}  // namespace godwit
