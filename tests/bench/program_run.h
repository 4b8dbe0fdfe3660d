// SPDX-License-Identifier: Apache-2.0
//
// Runs a transfer program as its users do: a server, then a client that is told where it listens.
// Both have the standard output and the standard error in one text. A run that hangs is ended, and
// then has the exit code 124.
#ifndef GODWIT_TESTS_BENCH_PROGRAM_RUN_H_
#define GODWIT_TESTS_BENCH_PROGRAM_RUN_H_

#include <string>

namespace godwit {

struct ProgramResult {
  int exit_code = -1;
  std::string output;
};

// `command`: a program of the runfiles and its arguments.
ProgramResult RunProgram(const std::string& command);

struct ProgramPairResult {
  ProgramResult server;
  ProgramResult client;
};

// "PROGRAM server --listen 127.0.0.1:0 --once SERVER_ARGUMENTS" and
// "PROGRAM client ADDR:PORT CLIENT_ARGUMENTS".
struct ProgramPairArguments {
  std::string server;
  std::string client;
};
ProgramPairResult RunProgramPair(const std::string& program, const ProgramPairArguments& arguments);

}  // namespace godwit

#endif  // GODWIT_TESTS_BENCH_PROGRAM_RUN_H_
