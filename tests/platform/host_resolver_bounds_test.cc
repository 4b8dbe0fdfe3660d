// SPDX-License-Identifier: Apache-2.0
//
// The resolver when the system never answers. On its own: a process that has had threads is a bad
// parent for a child that starts some.

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "godwit/time.h"
#include "platform/event_loop.h"
#include "platform/host_resolver.h"
#include "tests/platform/child_process.h"

namespace godwit {
namespace {

// No look-up ends any more, as nobody writes into the file of hosts. False if the system refuses.
bool BlockLookUps() {
  const std::string fifo = absl::StrCat(testing::TempDir(), "/hosts.", getpid());
  if (!EnterNamespaces(CLONE_NEWNS) || mkfifo(fifo.c_str(), 0666) != 0) return false;
  return mount(fifo.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
}

size_t CountThreads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

ChildResult AskForMoreThanMayWait() {
  if (!BlockLookUps()) return ChildResult::kRefused;
  constexpr size_t kTooMany = 100;
  constexpr size_t kNames = HostResolver::kMaxWorkers + HostResolver::kMaxWaiting + kTooMany;
  std::unique_ptr<EventLoop> loop = *EventLoop::Create();
  auto resolver = std::make_unique<HostResolver>(loop.get());
  size_t refused = 0;
  size_t others = 0;

  for (size_t i = 0; i < kNames; ++i) {
    resolver->Resolve("localhost", 443, [&](const absl::StatusOr<HostResolver::Addresses>& answer) {
      ++(absl::IsResourceExhausted(answer.status()) ? refused : others);
    });
  }
  const size_t threads = CountThreads();
  loop->RunOnce(Timestamp::InfinitePast());
  resolver.reset();  // While workers wait.
  loop.reset();

  // What the workers will take waits too, until they have begun.
  const bool is_bounded = refused >= kTooMany && refused <= kTooMany + HostResolver::kMaxWorkers;
  return is_bounded && others == 0 && threads == HostResolver::kMaxWorkers + 1
             ? ChildResult::kHolds
             : ChildResult::kFails;
}

TEST(HostResolverBoundsTest, WorkersAndWaitingNamesAreBoundedAndTheEndWaitsForNeither) {
  const ChildResult result = RunInChild(AskForMoreThanMayWait);

  if (result == ChildResult::kRefused) GTEST_SKIP() << "mount namespaces are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

}  // namespace
}  // namespace godwit
