// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/program_run.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/check.h"

namespace godwit {
namespace {

class RunningProgram {
 public:
  explicit RunningProgram(const std::string& command)
      : pipe_(popen(("timeout 60 " + command + " 2>&1").c_str(), "re")) {
    GODWIT_CHECK(pipe_ != nullptr);
  }

  std::string ReadLine() {
    std::array<char, 4096> line;
    if (std::fgets(line.data(), line.size(), pipe_) == nullptr) return "";
    output_ += line.data();
    return line.data();
  }

  ProgramResult Finish() {
    while (!ReadLine().empty()) {
    }
    const int status = pclose(pipe_);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output_};
  }

 private:
  std::FILE* pipe_;
  std::string output_;
};

}  // namespace

ProgramResult RunProgram(const std::string& command) { return RunningProgram(command).Finish(); }

ProgramPairResult RunProgramPair(const std::string& program,
                                 const ProgramPairArguments& arguments) {
  constexpr std::string_view kAnnouncement = "listening on ";
  RunningProgram server(program + " server --listen 127.0.0.1:0 --once " + arguments.server);
  std::string address = server.ReadLine();
  if (address.rfind(kAnnouncement, 0) != 0) return {server.Finish(), {}};
  address = address.substr(kAnnouncement.size());
  address.resize(address.find('\n'));
  const ProgramResult client = RunProgram(program + " client " + address + " " + arguments.client);
  return {server.Finish(), client};
}

}  // namespace godwit
