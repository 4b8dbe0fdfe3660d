// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

bool WriteFile(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t count = write(fd, text.data(), text.size());
  close(fd);
  return count == static_cast<ssize_t>(text.size());
}

}  // namespace

ChildResult RunInChild(const std::function<ChildResult()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(static_cast<int>(body()));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return ChildResult::kRefused;
  if (!WIFEXITED(status)) return ChildResult::kFails;
  switch (WEXITSTATUS(status)) {
    case static_cast<int>(ChildResult::kHolds):
      return ChildResult::kHolds;
    case static_cast<int>(ChildResult::kRefused):
      return ChildResult::kRefused;
    default:
      return ChildResult::kFails;
  }
}

bool EnterNamespaces(int kinds) {
  const uid_t user = geteuid();
  if (unshare(CLONE_NEWUSER | kinds) != 0) return false;
  return WriteFile("/proc/self/uid_map", absl::StrCat("0 ", user, " 1"));
}

bool PretendSleep(int seconds) {
  constexpr int kNewTime = 0x80;  // CLONE_NEWTIME, which the C library of Debian 12 does not name.
  if (!EnterNamespaces(kNewTime)) return false;
  if (!WriteFile("/proc/self/timens_offsets", absl::StrCat("boottime ", seconds, " 0"))) {
    return false;
  }
  const int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_inside = setns(fd, kNewTime) == 0;
  close(fd);
  return is_inside;
}

}  // namespace godwit
