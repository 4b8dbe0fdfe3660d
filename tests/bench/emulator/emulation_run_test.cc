// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/emulation_run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"

namespace godwit {
namespace {

std::string ContentOf(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

class EmulationRunTest : public testing::Test {
 protected:
  // Skips the test where the system permits no namespaces.
  EmulationResult Run(const EmulationOptions& options) {
    const absl::StatusOr<EmulationResult> result = RunEmulation(options);
    is_refused_ = absl::IsPermissionDenied(result.status());
    EXPECT_TRUE(result.ok() || is_refused_) << result.status();
    return result.value_or(EmulationResult());
  }

  std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

  bool is_refused_ = false;
};

#define SKIP_IF_REFUSED() \
  if (is_refused_) GTEST_SKIP() << "the system permits no network namespaces"

TEST_F(EmulationRunTest, ExitCodeIsTheClients) {
  EmulationOptions options;
  options.client_command = "exit 7";

  const EmulationResult result = Run(options);

  SKIP_IF_REFUSED();
  EXPECT_EQ(result.exit_code, 7);
}

TEST_F(EmulationRunTest, CommandsFindTheAddressesInTheirEnvironment) {
  EmulationOptions options;
  options.client_command =
      "echo $CLIENT_IPV4 $CLIENT_IPV6 $SERVER_IPV4 $SERVER_IPV6 > " + Path("addresses");

  Run(options);

  SKIP_IF_REFUSED();
  EXPECT_EQ(ContentOf(Path("addresses")), "10.0.1.2 fd00:0:0:1::2 10.0.2.2 fd00:0:0:2::2\n");
}

TEST_F(EmulationRunTest, ServerIsAskedToStopWhenTheClientHasEnded) {
  EmulationOptions options;
  options.server_command =
      "trap 'echo stopped > " + Path("server") + "; exit' TERM; while :; do sleep 0.05; done";
  options.client_command = "true";

  Run(options);

  SKIP_IF_REFUSED();
  EXPECT_EQ(ContentOf(Path("server")), "stopped\n");
}

TEST_F(EmulationRunTest, NothingIsLeftBehind) {
  EmulationOptions options;
  // One in the client's process group, one that left it.
  options.client_command =
      "sleep 1000 & echo $! > " + Path("pids") + "; setsid sleep 1000 & echo $! >> " + Path("pids");

  Run(options);

  SKIP_IF_REFUSED();
  std::ifstream pids(Path("pids"));
  int count = 0;
  for (pid_t pid = 0; pids >> pid; ++count) {
    EXPECT_EQ(kill(pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
  EXPECT_EQ(count, 2);
}

TEST_F(EmulationRunTest, NothingIsLeftBehindOfAnEmulatorThatWasKilled) {
  EmulationOptions options;
  options.client_command = "(setsid sleep 1000 & echo $! > " + Path("pid") + "); kill -9 $EMULATOR";
  const pid_t emulator = fork();
  if (emulator == 0) {
    setenv("EMULATOR", std::to_string(getpid()).c_str(), 1);
    const bool is_refused = absl::IsPermissionDenied(RunEmulation(options).status());
    _exit(is_refused ? 3 : 4);
  }

  int status = 0;
  ASSERT_EQ(waitpid(emulator, &status, 0), emulator);

  if (WIFEXITED(status) && WEXITSTATUS(status) == 3) GTEST_SKIP() << "no network namespaces here";
  ASSERT_TRUE(WIFSIGNALED(status));
  pid_t pid = 0;
  std::ifstream(Path("pid")) >> pid;
  ASSERT_GT(pid, 0);
  // The keeper needs a moment; if it never ends it, neither does this test.
  while (kill(pid, 0) == 0) usleep(1'000);
}

TEST_F(EmulationRunTest, ClientGetsItsNextAddress) {
  EmulationOptions options;
  options.plan = *ParseEmulationPlan("at 0s client-address next");
  options.client_command =
      "until /sbin/ip -4 addr show link0 | grep -q 10.0.1.3/24; do sleep 0.05; done; "
      "! /sbin/ip -4 addr show link0 | grep -q 10.0.1.2/24";

  const EmulationResult result = Run(options);

  SKIP_IF_REFUSED();
  EXPECT_EQ(result.exit_code, 0);
}

TEST_F(EmulationRunTest, FilesAreWritten) {
  EmulationOptions options;
  options.seed = 12;
  options.client_command = "true";
  options.counters_path = Path("counters.json");
  options.sent_pcap_path = Path("sent.pcap");
  options.delivered_pcap_path = Path("delivered.pcap");

  const EmulationResult result = Run(options);

  SKIP_IF_REFUSED();
  EXPECT_TRUE(absl::StrContains(result.report, "up: 0 packets in, 0 out"));
  const std::string json = ContentOf(options.counters_path);
  EXPECT_TRUE(absl::StartsWith(json, "{\n  \"seed\": 12,\n  \"up\": {\n")) << json;
  EXPECT_TRUE(absl::StrContains(json, "\n    \"delivered_packets\": 0,\n")) << json;
  EXPECT_EQ(ContentOf(options.sent_pcap_path).size(), 24u);
  EXPECT_EQ(ContentOf(options.delivered_pcap_path).size(), 24u);
}

TEST_F(EmulationRunTest, InterfaceMtuHasToCarryIpv6) {
  EmulationOptions options;
  options.client_command = "true";
  options.interface_mtu_bytes = 1'279;

  const absl::StatusOr<EmulationResult> result = RunEmulation(options);

  EXPECT_TRUE(absl::IsInvalidArgument(result.status())) << result.status();
}

TEST_F(EmulationRunTest, FileThatCannotBeWrittenIsNamed) {
  EmulationOptions options;
  options.client_command = "true";
  options.counters_path = "/nowhere/counters.json";

  const absl::StatusOr<EmulationResult> result = RunEmulation(options);

  if (absl::IsPermissionDenied(result.status())) GTEST_SKIP() << result.status();
  EXPECT_TRUE(absl::StrContains(result.status().message(), "/nowhere/counters.json"));
}

}  // namespace
}  // namespace godwit
