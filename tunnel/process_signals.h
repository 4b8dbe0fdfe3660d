// SPDX-License-Identifier: Apache-2.0
//
// ProcessSignals: SIGTERM, SIGINT and SIGHUP as calls on a loop. What follows from them is decided
// elsewhere.
#ifndef GODWIT_TUNNEL_PROCESS_SIGNALS_H_
#define GODWIT_TUNNEL_PROCESS_SIGNALS_H_

#include <functional>

#include "absl/status/status.h"

#include "godwit/loop.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class ProcessSignals {
 public:
  // Of the whole process, before it has a second thread: holds them back until they are watched,
  // and ignores SIGPIPE.
  static void Block();

  // `loop` outlives this.
  explicit ProcessSignals(Loop* loop) : loop_(*loop) {}
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  // Once; on the loop's thread, or while the loop does not run.
  absl::Status Watch(std::function<void(int signal)> callback);

 private:
  Loop& loop_;
  UniqueFd fd_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_PROCESS_SIGNALS_H_
