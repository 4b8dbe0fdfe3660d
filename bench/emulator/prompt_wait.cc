// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/prompt_wait.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

void AskForPromptWakeups() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  const sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
  sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

void WaitForInput(std::initializer_list<int> fds, Timestamp deadline) {
  std::array<pollfd, 8> polled = {};
  GODWIT_CHECK(fds.size() <= polled.size());
  std::transform(fds.begin(), fds.end(), polled.begin(),
                 [](int fd) { return pollfd{.fd = fd, .events = POLLIN, .revents = 0}; });
  // An endless wait is a long one: there is nothing to lose by waking up once an hour.
  const Duration wait =
      std::clamp(deadline - MonotonicClock::Now(), Duration::Zero(), Duration::Seconds(3'600));
  const timespec timeout = {.tv_sec = wait.ToNanoseconds() / kSecond,
                            .tv_nsec = wait.ToNanoseconds() % kSecond};
  ppoll(polled.data(), fds.size(), &timeout, nullptr);
}

}  // namespace godwit
