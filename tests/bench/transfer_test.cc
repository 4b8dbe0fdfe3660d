// SPDX-License-Identifier: Apache-2.0
//
// transfer as a program, over loopback: godwit from end to end, over real sockets.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/bench/program_run.h"

namespace godwit {
namespace {

const std::string kProgram = "bench/transfer";

ProgramPairResult RunPair(const std::string& client_arguments) {
  return RunProgramPair(
      kProgram, {.server = "--json -", .client = absl::StrCat(client_arguments, " --json -")});
}

void ExpectSuccess(const ProgramPairResult& result) {
  EXPECT_EQ(result.client.exit_code, 0) << result.client.output;
  EXPECT_EQ(result.server.exit_code, 0) << result.server.output;
}

TEST(TransferTest, DownloadArrivesWhole) {
  const ProgramPairResult result = RunPair("--bytes 20m --verify");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"bytes_received\": 20000000,"));
  EXPECT_TRUE(absl::StrContains(result.server.output, "\"bytes_sent\": 20000000,"));
}

TEST(TransferTest, UploadArrivesWhole) {
  const ProgramPairResult result = RunPair("--bytes 20m --verify --upload");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.server.output, "\"bytes_received\": 20000000,"));
}

TEST(TransferTest, ManyConnectionsShareTheBytesOfBothDirections) {
  const ProgramPairResult result =
      RunPair("--bytes 1000003 --verify --bidirectional --streams 3 --connections 2");

  ExpectSuccess(result);
  for (const std::string& output : {result.client.output, result.server.output}) {
    EXPECT_TRUE(absl::StrContains(output, "\"bytes_sent\": 1000003,")) << output;
    EXPECT_TRUE(absl::StrContains(output, "\"bytes_received\": 1000003,")) << output;
  }
}

TEST(TransferTest, AThousandStreamsAtOnceArriveWhole) {
  ExpectSuccess(RunPair("--bytes 5m --verify --streams 1000"));
}

TEST(TransferTest, TimeEndsATransfer) {
  ExpectSuccess(RunPair("--seconds 0.1 --verify --bidirectional"));
}

TEST(TransferTest, ReportNamesTheCongestionController) {
  const ProgramPairResult result = RunPair("--bytes 1k --congestion new_reno");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"congestion\": \"new_reno\""));
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"cipher\": \"TLS_"));
}

TEST(TransferTest, UnknownCongestionControllerIsNamed) {
  const ProgramResult result =
      RunProgram(kProgram + " server --listen 127.0.0.1:0 --congestion nonsense");

  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(absl::StrContains(result.output, "congestion_controller is \"nonsense\"; allowed:"))
      << result.output;
}

}  // namespace
}  // namespace godwit
