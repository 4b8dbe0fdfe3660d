// SPDX-License-Identifier: Apache-2.0
//
// CommandRunner: runs shell commands in places of a NamespaceLab and leaves none behind. Between
// this process and a command stands a keeper, a process that does nothing but wait: it becomes the
// parent of whatever the command's own processes leave as orphans ("subreaper"), and ends them all
// when the command has ended, or when this process has, in whatever way.
//
// It never waits on its own but in StopAll(); the caller learns of changes by SIGCHLD. Single
// threaded: to a keeper, the end of the thread that started it is the end of the process.
#ifndef GODWIT_BENCH_EMULATOR_COMMAND_RUNNER_H_
#define GODWIT_BENCH_EMULATOR_COMMAND_RUNNER_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/namespace_lab.h"

namespace godwit {

class CommandRunner {
 public:
  // `lab` outlives the runner.
  explicit CommandRunner(const NamespaceLab* lab);
  ~CommandRunner() { StopAll(); }
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // Which of the commands, in the order of Start().
  using Index = size_t;

  // `command` is for /bin/sh. It finds the addresses of both ends in its environment, CLIENT_IPV4,
  // CLIENT_IPV6, SERVER_IPV4 and SERVER_IPV6, and no terminal as its input.
  absl::StatusOr<Index> Start(LabPlace place, const std::string& command);

  bool has_ended(Index index);
  // Of one that has ended, with all its processes: as a shell tells it, 128 + signal if it was
  // killed.
  int exit_code(Index index) const { return commands_[index].exit_code; }

  // To the command's process group, if it runs. Keepers survive all but SIGKILL.
  void Signal(Index index, int signal);

  // Kills and collects all that is left of all commands.
  void StopAll();

 private:
  struct Command {
    pid_t keeper = 0;  // Leads the process group.
    bool has_ended = false;
    int exit_code = 0;
  };

  // The lives of the two children.
  [[noreturn]] void KeepCommand(LabPlace place, const std::string& command, pid_t parent) const;
  [[noreturn]] void ExecuteCommand(const std::string& command) const;

  const NamespaceLab& lab_;
  std::vector<Command> commands_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_COMMAND_RUNNER_H_
