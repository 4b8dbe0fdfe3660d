// SPDX-License-Identifier: Apache-2.0
//
// A lossy link between two commands: see docs/link-emulator.md.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "bench/emulator/emulation_plan.h"
#include "bench/emulator/emulation_run.h"
#include "bench/emulator/namespace_lab.h"
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

constexpr char kUsage[] =
    "runs two commands in network namespaces with a lossy link between them\n"
    "link_emulator --link 'delay 30ms; loss 1%' --server 'iperf3 -s -1' "
    "--client 'iperf3 -c $SERVER_IPV4'\n";

bool IsOwnFlag(const absl::CommandLineFlag& flag) {
  return absl::EndsWith(flag.Filename(), "bench/link_emulator.cc");
}

std::string Usage() {
  std::map<std::string, std::string> lines;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!IsOwnFlag(*flag)) continue;
    const std::string dashed = absl::StrReplaceAll(name, {{"_", "-"}});
    const std::string otherwise = flag->IsOfType<bool>() || flag->DefaultValue().empty()
                                      ? ""
                                      : absl::StrCat(" (", flag->DefaultValue(), ")");
    lines[dashed] = absl::StrCat("  --", dashed, std::string(18 - dashed.size(), ' '), flag->Help(),
                                 otherwise, "\n");
  }
  std::string text = kUsage;
  for (const auto& [name, line] : lines) text += line;
  return text;
}

// Abseil's own parser would end the process, with a code that commands may have too. --self-test
// is --self_test: both are habits.
absl::Status ParseFlags(std::span<const char* const> arguments) {
  const auto wrong = [](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(parts..., "; see --help"));
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const absl::string_view argument = arguments[i];
    const absl::string_view written = argument.substr(0, argument.find('='));
    absl::CommandLineFlag* const flag =
        absl::StartsWith(written, "--")
            ? absl::FindCommandLineFlag(absl::StrReplaceAll(written.substr(2), {{"-", "_"}}))
            : nullptr;
    if (flag == nullptr || !IsOwnFlag(*flag)) return wrong("unknown argument '", written, "'");
    absl::string_view value = "true";
    if (written.size() < argument.size()) {
      value = argument.substr(written.size() + 1);
    } else if (!flag->IsOfType<bool>()) {
      if (++i == arguments.size()) return wrong(written, " needs a value");
      value = arguments[i];
    }
    std::string problem;
    if (!flag->ParseFrom(value, &problem)) return wrong(written, ": '", value, "' is no value");
  }
  return absl::OkStatus();
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
  if (options.client_after < Duration::Zero() || options.client_after.is_infinite()) {
    return Fail(absl::InvalidArgumentError("--client-after is no time such as 300ms"), kUsageError);
  }
  if (options.interface_mtu_bytes < NamespaceLab::kMinMtuBytes ||
      options.interface_mtu_bytes > NamespaceLab::kMaxMtuBytes) {
    return Fail(absl::InvalidArgumentError(absl::StrCat("--interface-mtu is not between ",
                                                        NamespaceLab::kMinMtuBytes, " and ",
                                                        NamespaceLab::kMaxMtuBytes)),
                kUsageError);
  }
  const absl::StatusOr<EmulationResult> result = RunEmulation(options);
  if (!result.ok()) return Fail(result.status(), kEmulatorFailed);
  std::fprintf(stderr, "%s", result->report.c_str());
  return result->exit_code;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, static_cast<size_t>(argc - 1));
  for (const absl::string_view argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    std::fputs(godwit::Usage().c_str(), stdout);
    return 0;
  }
  if (const absl::Status status = godwit::ParseFlags(arguments); !status.ok()) {
    return godwit::Fail(status, godwit::kUsageError);
  }
  return godwit::Main();
}
