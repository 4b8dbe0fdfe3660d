// SPDX-License-Identifier: Apache-2.0
//
// godwit-tunnel: docs/tunnel.md.
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "tunnel/commands.h"
#include "tunnel/options.h"
#include "tunnel/printable.h"

namespace godwit::tunnel {
namespace {

class Runner {
 public:
  explicit Runner(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  absl::StatusOr<int> operator()(const TextOptions& options) const {
    std::fputs(options.text.c_str(), stdout);
    return kExitOk;
  }
  absl::StatusOr<int> operator()(const KeygenOptions& options) const { return RunKeygen(options); }
  absl::StatusOr<int> operator()(const ServerOptions& options) const {
    return RunServer(options, arguments_);
  }
  absl::StatusOr<int> operator()(const ClientOptions& options) const { return RunClient(options); }
  absl::StatusOr<int> operator()(const StatusOptions& options) const { return RunStatus(options); }
  absl::StatusOr<int> operator()(const PingOptions& options) const { return RunPing(options); }
  absl::StatusOr<int> operator()(const DiagOptions& options) const { return RunDiag(options); }

 private:
  const std::vector<std::string>& arguments_;
};

// Each forwarded connection takes a descriptor; systems give 1,024 to programs that do not ask.
void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  // A wish: where it is forbidden, fewer connections go at a time.
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

int Main(const std::vector<std::string>& arguments) {
  RaiseDescriptorLimit();
  const absl::StatusOr<Options> options = ReadOptions(arguments);
  const absl::StatusOr<int> code =
      options.ok() ? std::visit(Runner(arguments), *options) : options.status();
  if (code.ok()) return *code;
  // It may hold what a server said of which nothing was proven.
  const std::string message = Printable(std::string(code.status().message()));
  std::fprintf(stderr, "godwit-tunnel: %s\n", message.c_str());
  return kExitWrongUse;
}

}  // namespace
}  // namespace godwit::tunnel

int main(int argc, char** argv) {
  return godwit::tunnel::Main(std::vector<std::string>(argv + 1, argv + argc));
}
