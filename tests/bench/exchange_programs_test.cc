// SPDX-License-Identifier: Apache-2.0
//
// latency and handshakes as programs, over loopback.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/bench/program_run.h"

namespace godwit {
namespace {

ProgramPairResult RunPair(const std::string& program, const std::string& protocol,
                          const std::string& client_arguments,
                          const std::string& server_arguments = "") {
  const std::string both = absl::StrCat(" --json - --over ", protocol);
  return RunProgramPair(program, {.server = absl::StrCat(server_arguments, both),
                                  .client = absl::StrCat(client_arguments, both)});
}

void ExpectSuccess(const ProgramPairResult& result) {
  EXPECT_EQ(result.client.exit_code, 0) << result.client.output;
  EXPECT_EQ(result.server.exit_code, 0) << result.server.output;
}

// Both sides have counted so many.
void ExpectCount(const ProgramPairResult& result, int count) {
  for (const std::string& output : {result.client.output, result.server.output}) {
    EXPECT_TRUE(absl::StrContains(output, absl::StrCat("\"count\": ", count, ","))) << output;
  }
}

class LatencyTest : public testing::TestWithParam<const char*> {};

TEST_P(LatencyTest, EveryRequestIsAnswered) {
  const ProgramPairResult result = RunPair("bench/latency", GetParam(), "--requests 50");

  ExpectSuccess(result);
  ExpectCount(result, 50);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"kind\": \"request\""));
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"p99.9_us\": "));
}

TEST_P(LatencyTest, ManyAreOutstandingAtOnce) {
  // More than the peer's first window takes.
  const ProgramPairResult result =
      RunPair("bench/latency", GetParam(), "--requests 2500 --outstanding 700");

  ExpectSuccess(result);
  ExpectCount(result, 2500);
}

TEST_P(LatencyTest, TimeEndsIt) {
  ExpectSuccess(RunPair("bench/latency", GetParam(), "--seconds 0.1 --outstanding 5"));
}

INSTANTIATE_TEST_SUITE_P(Protocols, LatencyTest, testing::Values("quic", "tcp+tls", "tcp"));

class HandshakesTest : public testing::TestWithParam<const char*> {};

TEST_P(HandshakesTest, BothSidesCountThemAll) {
  const ProgramPairResult result = RunPair("bench/handshakes", GetParam(), "--handshakes 30");

  ExpectSuccess(result);
  ExpectCount(result, 30);
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"kind\": \"handshake\""));
  EXPECT_TRUE(absl::StrContains(result.client.output, "\"cipher\": \"TLS_"));
}

TEST_P(HandshakesTest, ManyHappenAtOnceWithEcdsa) {
  const ProgramPairResult result = RunPair(
      "bench/handshakes", GetParam(), "--handshakes 200 --outstanding 50", "--certificate p256");

  ExpectSuccess(result);
  ExpectCount(result, 200);
}

TEST_P(HandshakesTest, TimeEndsThem) {
  ExpectSuccess(RunPair("bench/handshakes", GetParam(), "--seconds 0.1"));
}

INSTANTIATE_TEST_SUITE_P(Protocols, HandshakesTest, testing::Values("quic", "tcp+tls"));

TEST(ExchangeErrorTest, ServerThatCannotListenEnds) {
  for (const char* const protocol : {"quic", "tcp"}) {
    // An address for documentation, which no machine has; and no --once.
    const ProgramResult result =
        RunProgram(absl::StrCat("bench/latency server --listen 192.0.2.1:0 --over ", protocol));

    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_TRUE(absl::StrContains(result.output, "Cannot assign requested address"))
        << result.output;
  }
}

TEST(ExchangeErrorTest, FileThatCannotBeWrittenIsToldBeforeTheMeasurement) {
  const ProgramResult result =
      RunProgram("bench/latency client 127.0.0.1:1 --json /nowhere/latency.json");

  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output,
            "latency: --json: cannot write /nowhere/latency.json: No such file or directory\n");
}

TEST(ExchangeErrorTest, SidesThatSpeakOverDifferentProtocolsBothEnd) {
  for (const char* const server_protocol : {"tcp", "tcp+tls"}) {
    const std::string client_protocol = std::string(server_protocol) == "tcp" ? "tcp+tls" : "tcp";
    const ProgramPairResult result =
        RunProgramPair("bench/latency", {.server = absl::StrCat("--over ", server_protocol),
                                         .client = absl::StrCat("--over ", client_protocol)});

    EXPECT_EQ(result.client.exit_code, 1) << result.client.output;
    EXPECT_EQ(result.server.exit_code, 1) << result.server.output;
  }
}

TEST(ExchangeErrorTest, MissingServerIsToldOverTcp) {
  const ProgramResult result =
      RunProgram("bench/handshakes client 127.0.0.1:1 --over tcp+tls --handshakes 1");

  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.output, "cannot connect: Connection refused"))
      << result.output;
}

}  // namespace
}  // namespace godwit
