// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/emulation_run.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "bench/emulator/command_runner.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/emulator/link_router.h"
#include "bench/emulator/namespace_lab.h"
#include "bench/emulator/pcap_writer.h"
#include "bench/emulator/prompt_wait.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr Duration kTimeToStop = Duration::Seconds(5);

// Signals as input of a descriptor, while it lives.
class SignalInput {
 public:
  SignalInput() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, &before_);
    fd_ = FileDescriptor(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  }
  ~SignalInput() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalInput(const SignalInput&) = delete;
  SignalInput& operator=(const SignalInput&) = delete;

  int fd() const { return fd_.get(); }

  // The next of SIGINT and SIGTERM; of SIGCHLD only that it came.
  std::optional<int> Read() {
    signalfd_siginfo info = {};
    if (read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t before_;
  FileDescriptor fd_;
};

class EmulationRun {
 public:
  EmulationRun(const EmulationOptions& options, NamespaceLab lab)
      : options_(options), lab_(std::move(lab)), commands_(&lab_) {}

  absl::StatusOr<EmulationResult> Run();

 private:
  absl::Status OpenFiles();
  absl::Status Start();
  absl::Status Route();
  absl::Status StartClientWhenDue(Timestamp now);
  void ReadSignals(Timestamp now);
  void StopServerAfterClient(Timestamp now);
  bool IsOver(Timestamp now);
  absl::StatusOr<EmulationResult> Finish();

  const EmulationOptions& options_;
  NamespaceLab lab_;
  CommandRunner commands_;
  SignalInput signals_;

  std::optional<PcapWriter> sent_pcap_;
  std::optional<PcapWriter> delivered_pcap_;
  std::optional<LinkRouter> router_;
  absl::Status address_change_;

  Timestamp client_start_;
  std::optional<CommandRunner::Index> client_;
  std::optional<CommandRunner::Index> server_;
  Timestamp stop_deadline_ = Timestamp::Infinite();
  int interrupted_by_ = 0;
};

absl::StatusOr<EmulationResult> EmulationRun::Run() {
  absl::Status status = OpenFiles();
  if (status.ok()) status = Start();
  if (status.ok()) status = Route();
  if (!status.ok()) return status;
  return Finish();
}

absl::Status EmulationRun::OpenFiles() {
  for (const auto& [path, writer] : {std::pair(&options_.sent_pcap_path, &sent_pcap_),
                                     std::pair(&options_.delivered_pcap_path, &delivered_pcap_)}) {
    if (path->empty()) continue;
    absl::StatusOr<PcapWriter> created = PcapWriter::Create(*path);
    if (!created.ok()) return created.status();
    *writer = *std::move(created);
  }
  return absl::OkStatus();
}

absl::Status EmulationRun::Start() {
  absl::StatusOr<LinkEnd> client_end = lab_.OpenLinkEnd(LabPlace::kClient);
  if (!client_end.ok()) return client_end.status();
  absl::StatusOr<LinkEnd> server_end = lab_.OpenLinkEnd(LabPlace::kServer);
  if (!server_end.ok()) return server_end.status();

  client_start_ = MonotonicClock::Now();
  if (!options_.server_command.empty()) {
    const auto server = commands_.Start(LabPlace::kServer, options_.server_command);
    if (!server.ok()) return server.status();
    server_ = *server;
    client_start_ += options_.client_after;
  }
  LinkRouterConfig config = {
      .plan = options_.plan,
      .seed = options_.seed,
      .sent_capture = sent_pcap_.has_value() ? &*sent_pcap_ : nullptr,
      .delivered_capture = delivered_pcap_.has_value() ? &*delivered_pcap_ : nullptr,
      .next_client_address = [this] { address_change_.Update(lab_.StartNextClientAddress()); }};
  router_.emplace(std::move(config), *std::move(client_end), *std::move(server_end), client_start_);
  return absl::OkStatus();
}

absl::Status EmulationRun::Route() {
  while (true) {
    router_->RunOnce();
    address_change_.Update(lab_.FinishNextClientAddress());
    absl::Status status = address_change_;
    const Timestamp now = MonotonicClock::Now();
    if (status.ok()) status = StartClientWhenDue(now);
    if (!status.ok()) return status;
    ReadSignals(now);
    StopServerAfterClient(now);
    if (IsOver(now)) return absl::OkStatus();
    const Timestamp client_start = client_.has_value() ? Timestamp::Infinite() : client_start_;
    WaitForInput({router_->client_fd(), router_->server_fd(), signals_.fd()},
                 std::min({router_->next_deadline(), client_start, stop_deadline_}));
  }
}

absl::Status EmulationRun::StartClientWhenDue(Timestamp now) {
  if (client_.has_value() || now < client_start_ || interrupted_by_ != 0) return absl::OkStatus();
  const auto client = commands_.Start(LabPlace::kClient, options_.client_command);
  if (!client.ok()) return client.status();
  client_ = *client;
  return absl::OkStatus();
}

void EmulationRun::ReadSignals(Timestamp now) {
  while (const std::optional<int> signal = signals_.Read()) {
    if (*signal == SIGCHLD) continue;
    stop_deadline_ = interrupted_by_ != 0 ? now : std::min(stop_deadline_, now + kTimeToStop);
    interrupted_by_ = *signal;
    for (const auto& command : {client_, server_}) {
      if (command.has_value()) commands_.Signal(*command, *signal);
    }
  }
}

void EmulationRun::StopServerAfterClient(Timestamp now) {
  if (!client_.has_value() || !commands_.has_ended(*client_)) return;
  if (!server_.has_value() || !stop_deadline_.is_infinite()) return;
  commands_.Signal(*server_, SIGTERM);
  stop_deadline_ = now + kTimeToStop;
}

bool EmulationRun::IsOver(Timestamp now) {
  if (now >= stop_deadline_) return true;
  const bool client_is_over =
      client_.has_value() ? commands_.has_ended(*client_) : interrupted_by_ != 0;
  return client_is_over && (!server_.has_value() || commands_.has_ended(*server_));
}

absl::StatusOr<EmulationResult> EmulationRun::Finish() {
  EmulationResult result;
  const bool server_ended = server_.has_value() && commands_.has_ended(*server_);
  const int server_code = server_ended ? commands_.exit_code(*server_) : 0;
  const bool client_ended = client_.has_value() && commands_.has_ended(*client_);
  result.exit_code = client_ended ? commands_.exit_code(*client_) : 128 + interrupted_by_;
  commands_.StopAll();

  RunReport report = {.seed = options_.seed, .directions = {}};
  for (const LinkDirection direction : kLinkDirections) {
    report.directions[IndexOf(direction)] = router_->ReadReport(direction);
  }
  result.report = ToText(report);
  if (server_code != 0 && server_code != 128 + SIGTERM) {
    absl::StrAppend(&result.report, "the server's command ended with exit code ", server_code,
                    "\n");
  }
  absl::Status status;
  for (std::optional<PcapWriter>* writer : {&sent_pcap_, &delivered_pcap_}) {
    if (writer->has_value()) status.Update((*writer)->Close());
  }
  if (!options_.counters_path.empty()) {
    std::ofstream file(options_.counters_path);
    file << ToJson(report) << std::flush;
    if (!file) status.Update(absl::DataLossError("cannot write " + options_.counters_path));
  }
  if (!status.ok()) return status;
  return result;
}

}  // namespace

absl::StatusOr<EmulationResult> RunEmulation(const EmulationOptions& options) {
  AskForPromptWakeups();
  absl::StatusOr<NamespaceLab> lab =
      NamespaceLab::Create({.interface_mtu_bytes = options.interface_mtu_bytes});
  if (!lab.ok()) return lab.status();
  return EmulationRun(options, *std::move(lab)).Run();
}

}  // namespace godwit
