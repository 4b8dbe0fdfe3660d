// SPDX-License-Identifier: Apache-2.0
//
// The event loop on machines that are not this one: an old kernel, one that has slept.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "godwit/time.h"
#include "platform/event_loop.h"
#include "platform/monotonic_clock.h"
#include "tests/platform/child_process.h"

namespace godwit {
namespace {

// From here on epoll_pwait2 fails with `error`. False if the system refuses to filter.
bool RefusePwait2(uint32_t error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {.len = std::size(program), .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) return false;
  epoll_event event = {};
  return epoll_pwait2(-1, &event, 1, nullptr, nullptr) < 0 && errno == static_cast<int>(error);
}

class OldKernelTest : public testing::TestWithParam<int> {};

TEST_P(OldKernelTest, TimersAndPostedCallsRunWithoutPwait2) {
  const ChildResult result = RunInChild([] {
    if (!RefusePwait2(static_cast<uint32_t>(GetParam()))) return ChildResult::kRefused;
    const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
    const Timestamp deadline = loop->now() + Duration::Microseconds(1'500);
    Timestamp ran_at = Timestamp::InfinitePast();
    int wake_ups = 0;
    loop->CallAt(deadline, [&] {
      ran_at = loop->now();
      loop->Post([&] { loop->Stop(); });
    });
    while (ran_at == Timestamp::InfinitePast()) {
      loop->RunOnce(Timestamp::Infinite());
      ++wake_ups;
    }
    loop->Run();
    // One: rounded up, so that it does not wake in vain before the deadline.
    return ran_at >= deadline && wake_ups == 1 ? ChildResult::kHolds : ChildResult::kFails;
  });

  if (result == ChildResult::kRefused) GTEST_SKIP() << "system call filters are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

// What a kernel without the call says, and what some sandboxes do.
INSTANTIATE_TEST_SUITE_P(Errors, OldKernelTest, testing::Values(ENOSYS, EPERM));

// The descriptor by which the loop learns of a resumption; -1 if there is none.
int FindTimerFd() {
  for (int fd = 0; fd < 256; ++fd) {
    std::array<char, 64> target = {};
    const std::string link = absl::StrCat("/proc/self/fd/", fd);
    if (readlink(link.c_str(), target.data(), target.size() - 1) < 0) continue;
    if (std::strcmp(target.data(), "anon_inode:[timerfd]") == 0) return fd;
  }
  return -1;
}

// As the kernel does at a resumption, but that it cancels the timer and does not let it expire.
bool SignalResumption() {
  constexpr int kLongMs = 60'000;
  const int fd = FindTimerFd();
  itimerspec at_once = {};
  at_once.it_value.tv_nsec = 1;
  if (timerfd_settime(fd, 0, &at_once, nullptr) != 0) return false;
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, kLongMs) == 1;
}

TEST(EventLoopResumeTest, SleepIsReportedBeforeTheTimersThatPassedMeanwhile) {
  const ChildResult result = RunInChild([] {
    const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
    std::string ran;
    Duration slept;
    loop->SetResumeCallback([&](Duration d) {
      slept = d;
      ran += 'r';
    });
    loop->CallAt(loop->now() + Duration::Seconds(1'800), [&] { ran += 't'; });
    if (!PretendSleep(3'600) || !SignalResumption()) return ChildResult::kRefused;
    loop->RunOnce(MonotonicClock::Now() + Duration::Seconds(60));
    const bool is_an_hour = slept > Duration::Seconds(3'599) && slept < Duration::Seconds(3'601);
    return is_an_hour && ran == "rt" ? ChildResult::kHolds : ChildResult::kFails;
  });

  if (result == ChildResult::kRefused) GTEST_SKIP() << "time namespaces are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

TEST(EventLoopResumeTest, ClockThatIsSetIsNoSleep) {
  const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
  int calls = 0;
  loop->SetResumeCallback([&](Duration) { ++calls; });
  ASSERT_TRUE(SignalResumption());

  loop->RunOnce(MonotonicClock::Now() + Duration::Seconds(60));  // Wakes for it, and

  EXPECT_EQ(calls, 0);  // finds that the machine was awake.
}

}  // namespace
}  // namespace godwit
