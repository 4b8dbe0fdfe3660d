// SPDX-License-Identifier: Apache-2.0
//
// tcp_transfer as a program, over loopback.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/bench/program_run.h"

namespace godwit {
namespace {

const std::string kProgram = "bench/tcp_transfer";

class TcpTransferTest : public testing::TestWithParam<const char*> {
 protected:
  // With and without --tls.
  ProgramPairResult Run(const std::string& client_arguments) {
    return RunProgramPair(kProgram,
                          {.server = absl::StrCat("--json - ", GetParam()),
                           .client = absl::StrCat(client_arguments, " --json - ", GetParam())});
  }

  static void ExpectSuccess(const ProgramPairResult& result) {
    EXPECT_EQ(result.client.exit_code, 0) << result.client.output;
    EXPECT_EQ(result.server.exit_code, 0) << result.server.output;
  }
};

TEST_P(TcpTransferTest, DownloadArrivesWhole) {
  const ProgramPairResult result = Run("--bytes 1m --verify");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"bytes_received\": 1000000,"));
  EXPECT_TRUE(absl::StrContains(result.server.output, "\"bytes_sent\": 1000000,"));
}

TEST_P(TcpTransferTest, UploadArrivesWhole) {
  const ProgramPairResult result = Run("--bytes 1m --verify --upload");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"bytes_sent\": 1000000,"));
  EXPECT_TRUE(absl::StrContains(result.server.output, "\"bytes_received\": 1000000,"));
}

TEST_P(TcpTransferTest, ManyConnectionsShareTheBytesOfBothDirections) {
  const ProgramPairResult result =
      Run("--bytes 1000003 --verify --bidirectional --streams 3 --connections 2");

  ExpectSuccess(result);
  for (const std::string& output : {result.client.output, result.server.output}) {
    EXPECT_TRUE(absl::StrContains(output, "\"bytes_sent\": 1000003,")) << output;
    EXPECT_TRUE(absl::StrContains(output, "\"bytes_received\": 1000003,")) << output;
    EXPECT_TRUE(absl::StrContains(output, "\"connections\": 6,")) << output;
  }
}

TEST_P(TcpTransferTest, TimeEndsATransfer) {
  const ProgramPairResult result = Run("--seconds 0.1 --verify --bidirectional");

  ExpectSuccess(result);
}

TEST_P(TcpTransferTest, ReportNamesCipherAndCongestionController) {
  const ProgramPairResult result = Run("--bytes 1k --congestion reno");

  ExpectSuccess(result);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"congestion\": \"reno\""))
      << result.client.output;
  const bool is_encrypted = GetParam()[0] != '\0';
  EXPECT_EQ(absl::StrContains(result.client.output, "\"cipher\": \"TLS_"), is_encrypted);
  EXPECT_EQ(absl::StrContains(result.client.output, "\"protocol\": \"tcp+tls\""), is_encrypted);
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, TcpTransferTest, testing::Values("", "--tls"));

TEST(TcpTransferErrorTest, WrongOptionIsOneLineAndExitCodeTwo) {
  const ProgramResult result = RunProgram(kProgram + " client 127.0.0.1:1 --nonsense");

  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "tcp_transfer: unknown option '--nonsense'; see --help\n");
}

TEST(TcpTransferErrorTest, UnknownCongestionControllerIsNamed) {
  const ProgramResult result =
      RunProgram(kProgram + " server --listen 127.0.0.1:0 --congestion nonsense");

  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(absl::StartsWith(result.output, "tcp_transfer: --congestion nonsense: "))
      << result.output;
}

TEST(TcpTransferErrorTest, MissingServerIsTold) {
  const ProgramResult result = RunProgram(kProgram + " client 127.0.0.1:1 --bytes 1k");

  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.output, "cannot connect: Connection refused"))
      << result.output;
}

TEST(TcpTransferErrorTest, CpuThatIsNotThereIsRefused) {
  const ProgramResult result = RunProgram(kProgram + " server --listen 127.0.0.1:0 --cpu 1000000");

  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(absl::StartsWith(result.output, "tcp_transfer: --cpu: cannot run on CPU 1000000: "))
      << result.output;
}

TEST(TcpTransferErrorTest, HelpIsNoError) {
  const ProgramResult result = RunProgram(kProgram + " --help");

  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(result.output, "--congestion NAME"));
}

}  // namespace
}  // namespace godwit
