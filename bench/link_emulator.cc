// SPDX-License-Identifier: Apache-2.0
//
// A lossy link between two commands: see docs/link-emulator.md.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/emulation_run.h"
#include "bench/emulator/self_test.h"
#include "godwit/time.h"

ABSL_FLAG(std::string, profile, "", "file with the link's settings and script");
ABSL_FLAG(std::string, link, "",
          "more of them, after those of the file, e.g. 'rate 20mbit; delay 30ms; at 5s outage 1s'");
ABSL_FLAG(uint64_t, seed, 1, "of all that happens at random");
ABSL_FLAG(std::string, client, "", "shell command that runs at the client's end");
ABSL_FLAG(std::string, server, "", "shell command that runs at the server's end");
ABSL_FLAG(absl::Duration, client_after, absl::Milliseconds(300),
          "how long after the server's command the client's starts");
ABSL_FLAG(uint64_t, interface_mtu, 1500, "MTU of the interfaces of client and server");
ABSL_FLAG(std::string, pcap, "", "file for the packets that client and server sent");
ABSL_FLAG(std::string, delivered_pcap, "", "file for the packets that the link delivered");
ABSL_FLAG(std::string, counters, "", "file for what happened, as JSON");
ABSL_FLAG(bool, self_test, false, "measure how exact the emulator is on this machine");

namespace godwit {
namespace {

constexpr int kUsageError = 2;
constexpr int kEmulatorFailed = 125;  // As "env" and "timeout" say it.

// --self-test is --self_test: both are habits.
std::vector<std::string> WithUnderscores(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::string& argument : arguments) {
    if (argument.rfind("--", 0) != 0) continue;
    for (size_t i = 2; i < argument.size() && argument[i] != '='; ++i) {
      if (argument[i] == '-') argument[i] = '_';
    }
  }
  return arguments;
}

absl::StatusOr<EmulationPlan> ReadPlan() {
  std::string text;
  const std::string path = absl::GetFlag(FLAGS_profile);
  if (!path.empty()) {
    std::ifstream file(path);
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read the profile ", path));
    text = content.str();
  }
  const absl::StatusOr<EmulationPlan> plan = ParseEmulationPlan(text);
  if (!plan.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", plan.status().message()));
  }
  const std::string link = absl::GetFlag(FLAGS_link);
  // First alone, so that a mistake in it is not said to be in a line of the file.
  const absl::StatusOr<EmulationPlan> alone = ParseEmulationPlan(link);
  if (!alone.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--link: ", alone.status().message()));
  }
  return ParseEmulationPlan(absl::StrCat(text, "\n", link));
}

int Fail(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "link_emulator: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int SelfTest() {
  const absl::Status status = RunSelfTest(absl::GetFlag(FLAGS_seed), [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  });
  return status.ok() ? 0 : Fail(status, kEmulatorFailed);
}

int Main() {
  if (absl::GetFlag(FLAGS_self_test)) return SelfTest();
  const absl::StatusOr<EmulationPlan> plan = ReadPlan();
  if (!plan.ok()) return Fail(plan.status(), kUsageError);
  EmulationOptions options;
  options.plan = *plan;
  options.seed = absl::GetFlag(FLAGS_seed);
  options.interface_mtu_bytes = absl::GetFlag(FLAGS_interface_mtu);
  options.client_command = absl::GetFlag(FLAGS_client);
  options.server_command = absl::GetFlag(FLAGS_server);
  options.client_after =
      Duration::Nanoseconds(absl::ToInt64Nanoseconds(absl::GetFlag(FLAGS_client_after)));
  options.sent_pcap_path = absl::GetFlag(FLAGS_pcap);
  options.delivered_pcap_path = absl::GetFlag(FLAGS_delivered_pcap);
  options.counters_path = absl::GetFlag(FLAGS_counters);
  if (options.client_command.empty()) {
    return Fail(absl::InvalidArgumentError("say what --client runs; see --help"), kUsageError);
  }
  const absl::StatusOr<EmulationResult> result = RunEmulation(options);
  if (!result.ok()) return Fail(result.status(), kEmulatorFailed);
  std::fprintf(stderr, "%s", result->report.c_str());
  return result->exit_code;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "runs two commands in network namespaces with a lossy link between them\n"
      "link_emulator --link 'delay 30ms; loss 1%' --server 'iperf3 -s -1' "
      "--client 'iperf3 -c $SERVER_IPV4'");
  std::vector<std::string> arguments = godwit::WithUnderscores(argc, argv);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, pointers.data());
  if (rest.size() > 1) {
    std::fprintf(stderr, "link_emulator: unknown argument '%s'; see --help\n", rest[1]);
    return godwit::kUsageError;
  }
  return godwit::Main();
}
