// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/command_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

// What shells say when a command could not be started.
constexpr int kCannotStart = 126;

std::vector<pid_t> Children() {
  std::ifstream file(absl::StrCat("/proc/self/task/", getpid(), "/children"));
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

// Of a subreaper, this ends all descendants: the children of who dies here become ours.
void EndAllChildren() {
  for (std::vector<pid_t> pids = Children(); !pids.empty(); pids = Children()) {
    for (const pid_t pid : pids) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
}

int ExitCodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Until `command` has ended, which gives its exit code, or `parent` has.
int WaitForEnd(pid_t command, pid_t parent, const sigset_t& signals) {
  while (getppid() == parent) {
    siginfo_t info = {};
    sigwaitinfo(&signals, &info);
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      if (pid == command) return ExitCodeOf(status);
    }
  }
  return kCannotStart;  // For nobody.
}

}  // namespace

CommandRunner::CommandRunner(const NamespaceLab* lab) : lab_(*lab) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

absl::StatusOr<CommandRunner::Index> CommandRunner::Start(LabPlace place,
                                                          const std::string& command) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "cannot start a process");
  if (pid == 0) KeepCommand(place, command, parent);
  // Parent and child both do it, so that the group is there whoever comes first.
  setpgid(pid, pid);
  commands_.push_back({.keeper = pid});
  return commands_.size() - 1;
}

void CommandRunner::KeepCommand(LabPlace place, const std::string& command, pid_t parent) const {
  // All are blocked, so that those to the group do not end the keeper; it waits for two of them.
  sigset_t all_signals;
  sigfillset(&all_signals);
  sigprocmask(SIG_SETMASK, &all_signals, nullptr);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (!lab_.Enter(place).ok()) _exit(kCannotStart);
  // Neither keeper nor command holds on to sockets of the emulator.
  close_range(STDERR_FILENO + 1, ~0U, 0);

  const pid_t pid = fork();
  if (pid == 0) ExecuteCommand(command);
  if (pid < 0) _exit(kCannotStart);
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGUSR1);
  const int exit_code = WaitForEnd(pid, parent, awaited);
  EndAllChildren();
  _exit(exit_code);
}

void CommandRunner::ExecuteCommand(const std::string& command) const {
  sigset_t no_signals;
  sigemptyset(&no_signals);
  sigprocmask(SIG_SETMASK, &no_signals, nullptr);
  const int no_input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dup2(no_input, STDIN_FILENO) < 0) _exit(kCannotStart);
  setenv("CLIENT_IPV4", lab_.ipv4(LabPlace::kClient).c_str(), 1);
  setenv("CLIENT_IPV6", lab_.ipv6(LabPlace::kClient).c_str(), 1);
  setenv("SERVER_IPV4", lab_.ipv4(LabPlace::kServer).c_str(), 1);
  setenv("SERVER_IPV6", lab_.ipv6(LabPlace::kServer).c_str(), 1);
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(kCannotStart);
}

bool CommandRunner::has_ended(Index index) {
  Command& command = commands_[index];
  int status = 0;
  if (!command.has_ended && waitpid(command.keeper, &status, WNOHANG) == command.keeper) {
    command.has_ended = true;
    command.exit_code = ExitCodeOf(status);
  }
  return command.has_ended;
}

void CommandRunner::Signal(Index index, int signal) {
  if (!has_ended(index)) kill(-commands_[index].keeper, signal);
}

void CommandRunner::StopAll() {
  if (commands_.empty()) return;
  for (Index i = 0; i < commands_.size(); ++i) Signal(i, SIGKILL);
  EndAllChildren();
  commands_.clear();
}

}  // namespace godwit
