// SPDX-License-Identifier: Apache-2.0
//
// limit as a program, over loopback.
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "tests/bench/program_run.h"

namespace godwit {
namespace {

TEST(LimitTest, ClientLearnsWhatArrived) {
  const ProgramPairResult result =
      RunProgramPair("bench/limit", {.server = "--json -", .client = "--seconds 0.05 --json -"});

  EXPECT_EQ(result.client.exit_code, 0) << result.client.output;
  EXPECT_EQ(result.server.exit_code, 0) << result.server.output;
  EXPECT_FALSE(absl::StrContains(result.client.output, "\"packets_sent\": 0,"));
  EXPECT_FALSE(absl::StrContains(result.client.output, "\"packets_lost\": null"));
  EXPECT_FALSE(absl::StrContains(result.server.output, "\"bytes_received\": 0,"));
}

TEST(LimitTest, OptionsOfTransfersAreRefused) {
  const ProgramResult result = RunProgram("bench/limit client 127.0.0.1:1 --streams 2");

  EXPECT_EQ(result.exit_code, 2);
}

}  // namespace
}  // namespace godwit
