// SPDX-License-Identifier: Apache-2.0
#include "platform/system_random.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

using Draw = std::array<uint8_t, 20>;

TEST(SystemRandomTest, NoDrawComesTwice) {
  SystemRandom random;
  std::set<Draw> seen;

  for (int i = 0; i < 10'000; ++i) {
    Draw draw;
    random.Fill(draw);
    ASSERT_TRUE(seen.insert(draw).second);
  }
}

// Sizes about that of the buffer, after draws that leave it at every fill level in turn.
TEST(SystemRandomTest, EveryByteOfEverySizeIsFilled) {
  SystemRandom random;

  for (const size_t size : {0, 1, 7, 511, 512, 513, 1024, 5'000}) {
    // A byte is zero 64 times in a row once in 2^512 tries.
    std::vector<uint8_t> any(size, 0);
    for (int i = 0; i < 64; ++i) {
      std::vector<uint8_t> bytes(size, 0);
      random.Fill(bytes);
      for (size_t at = 0; at < size; ++at) any[at] |= bytes[at];
    }
    EXPECT_EQ(std::count(any.begin(), any.end(), 0), 0) << size;
  }
}

TEST(SystemRandomTest, BytesAroundTheSpanStayUntouched) {
  SystemRandom random;
  for (size_t size = 0; size <= 64; ++size) {
    std::array<uint8_t, 66> bytes = {};

    random.Fill(std::span(bytes).subspan(1, size));

    ASSERT_EQ(bytes[0], 0);
    ASSERT_EQ(bytes[size + 1], 0);
  }
}

TEST(SystemRandomTest, ChildOfForkDrawsOtherBytesThanItsParent) {
  SystemRandom random;
  Draw before;
  random.Fill(before);  // The buffer is full now, in both.
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  Draw draw;
  random.Fill(draw);
  if (child == 0) _exit(write(fds[1], draw.data(), draw.size()) == std::ssize(draw) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  Draw child_draw;
  ASSERT_EQ(read(fds[0], child_draw.data(), child_draw.size()), std::ssize(child_draw));

  EXPECT_EQ(status, 0);
  EXPECT_NE(draw, child_draw);
  close(fds[0]);
  close(fds[1]);
}

struct Region {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

// The memory that a child of fork() finds wiped, which is SystemRandom's buffers and no other.
std::vector<Region> WipedOnFork() {
  std::vector<Region> regions;
  std::ifstream smaps("/proc/self/smaps");
  Region region;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) region = {begin, end};
    if (line.starts_with("VmFlags:") && line.find(" wf") != std::string::npos) {
      regions.push_back(region);
    }
  }
  return regions;
}

TEST(SystemRandomTest, WhatWasGivenOutIsNotInTheBufferAnyMore) {
  SystemRandom random;
  Draw draw;

  random.Fill(draw);

  const std::vector<Region> regions = WipedOnFork();
  if (regions.empty()) GTEST_SKIP() << "the kernel cannot wipe on fork, so there is no buffer";
  for (const Region& region : regions) {
    EXPECT_EQ(memmem(reinterpret_cast<const void*>(region.begin), region.end - region.begin,
                     draw.data(), draw.size()),
              nullptr);
  }
}

}  // namespace
}  // namespace godwit
