// SPDX-License-Identifier: Apache-2.0
#include "godwit/connection_handle.h"

#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"

namespace godwit {
namespace {

const std::vector<ConnectionHandle>& SomeHandles() {
  static const auto* const handles = new std::vector<ConnectionHandle>{
      {}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 1}, {0xffffffff, 1}, {1, 0xffffffff}};
  return *handles;
}

TEST(ConnectionHandleTest, IsAKeyOfEveryKindOfMap) {
  std::unordered_map<ConnectionHandle, size_t> hashed;
  std::set<ConnectionHandle> ordered;

  for (const ConnectionHandle handle : SomeHandles()) {
    hashed[handle] = hashed.size();
    ordered.insert(handle);
  }

  EXPECT_EQ(hashed.size(), SomeHandles().size());
  EXPECT_EQ(ordered.size(), SomeHandles().size());
  EXPECT_EQ(
      absl::flat_hash_set<ConnectionHandle>(SomeHandles().begin(), SomeHandles().end()).size(),
      SomeHandles().size());
}

TEST(ConnectionHandleTest, EveryPartCountsInTheHash) {
  std::set<size_t> hashes;

  for (const ConnectionHandle handle : SomeHandles()) {
    hashes.insert(std::hash<ConnectionHandle>()(handle));
  }

  EXPECT_EQ(hashes.size(), SomeHandles().size());
}

}  // namespace
}  // namespace godwit
