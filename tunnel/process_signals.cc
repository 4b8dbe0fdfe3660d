// SPDX-License-Identifier: Apache-2.0
#include "tunnel/process_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace godwit::tunnel {
namespace {

sigset_t Watched() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void ProcessSignals::Block() {
  const sigset_t signals = Watched();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

ProcessSignals::~ProcessSignals() {
  if (fd_.is_open()) loop_.UnwatchFd(fd_.get());
}

absl::Status ProcessSignals::Watch(std::function<void(int signal)> callback) {
  const sigset_t signals = Watched();
  UniqueFd fd(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.is_open()) return absl::ErrnoToStatus(errno, "cannot watch signals");
  const int number = fd.get();
  const absl::Status status =
      loop_.WatchFd(number, {.readable = true}, [number, callback = std::move(callback)](FdEvents) {
        signalfd_siginfo info = {};
        while (read(number, &info, sizeof(info)) == sizeof(info)) {
          callback(static_cast<int>(info.ssi_signo));
        }
      });
  if (status.ok()) fd_ = std::move(fd);
  return status;
}

}  // namespace godwit::tunnel
