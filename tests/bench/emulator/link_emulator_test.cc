// SPDX-License-Identifier: Apache-2.0
//
// link_emulator as a program: what it says of its options. What it does with them is tested below
// it.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/bench/program_run.h"

namespace godwit {
namespace {

ProgramResult Emulate(const std::string& arguments) {
  return RunProgram(absl::StrCat("bench/link_emulator ", arguments));
}

TEST(LinkEmulatorTest, WrongOptionsAreOneLineAndAnExitCodeOfTheirOwn) {
  const struct {
    std::string arguments;
    std::string error;
  } kCases[] = {
      {"", "say what --client runs; see --help"},
      {"--clinet true", "unknown argument '--clinet'; see --help"},
      {"true", "unknown argument 'true'; see --help"},
      {"--client", "--client needs a value; see --help"},
      {"--client true --seed x", "--seed: 'x' is no value; see --help"},
      {"--client true --self-test=perhaps", "--self-test: 'perhaps' is no value; see --help"},
      {"--client true --client-after soon", "--client-after: 'soon' is no value; see --help"},
      {"--client true --client-after=-1s", "--client-after is no time such as 300ms"},
      {"--client true --interface-mtu 1279", "--interface-mtu is not between 1280 and 65535"},
      {"--client true --profile /nowhere", "cannot read the profile /nowhere"},
      {"--client true --link nonsense=1",
       "--link: line 1: 'nonsense=1': 'nonsense=1' is not a setting; there are: rate, queue, "
       "delay, "
       "jitter, reorder, loss, burst-loss, duplicate, corrupt, mtu, too-big; after 'at TIME' also: "
       "outage, client-address"},
      // A flag of a library is none of this program.
      {"--flagfile /nowhere", "unknown argument '--flagfile'; see --help"},
  };
  for (const auto& one : kCases) {
    const ProgramResult result = Emulate(one.arguments);

    EXPECT_EQ(result.exit_code, 2) << one.arguments;
    EXPECT_EQ(result.output, absl::StrCat("link_emulator: ", one.error, "\n"));
  }
}

TEST(LinkEmulatorTest, HelpNamesEveryOptionAndIsNoError) {
  const ProgramResult result = Emulate("--help");

  EXPECT_EQ(result.exit_code, 0);
  for (const char* const option :
       {"--client", "--client-after", "--counters", "--delivered-pcap", "--interface-mtu", "--link",
        "--pcap", "--profile", "--seed", "--self-test", "--server"}) {
    EXPECT_TRUE(absl::StrContains(result.output, absl::StrCat("  ", option, " "))) << option;
  }
}

}  // namespace
}  // namespace godwit
