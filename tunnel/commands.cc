// SPDX-License-Identifier: Apache-2.0
#include "tunnel/commands.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "platform/event_loop.h"
#include "runtime/runtime_loop.h"
#include "tunnel/diag.h"
#include "tunnel/fingerprint.h"
#include "tunnel/forward_spec.h"
#include "tunnel/identity.h"
#include "tunnel/log.h"
#include "tunnel/ping.h"
#include "tunnel/process_signals.h"
#include "tunnel/status_report.h"
#include "tunnel/status_socket.h"
#include "tunnel/tunnel_client.h"
#include "tunnel/tunnel_server.h"
#include "tunnel/tunnel_services.h"

namespace godwit::tunnel {
namespace {

constexpr char kDraining[] =
    "ending; connections that are open have 30 s; another signal ends them at once";
constexpr char kEnding[] = "ending";
constexpr char kEndingAtOnce[] = "ending at once; connections that are open break off";
static_assert(kDrainPatience == Duration::Seconds(30));

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

TunnelFacts FactsOf(const std::string& role, const std::string& endpoint,
                    const TunnelCommonConfig& common) {
  return {.role = role, .endpoint = endpoint, .process_id = getpid(), .tun = common.tun};
}

void LogNotices(const std::vector<std::string>& notices, LogLevel level, const TunnelLog& log) {
  for (const std::string& notice : notices) log(level, notice);
}

void LogRules(const TunnelServerConfig& config, const TunnelLog& log) {
  log(LogLevel::kInfo, absl::StrCat("clients that may come in: ", config.allowed_clients.size(),
                                    ", patterns of targets: ", config.allowed_targets.size(),
                                    ", of binds: ", config.allowed_binds.size()));
  if (config.allowed_targets.empty()) {
    log(LogLevel::kWarning,
        "clients can reach nothing; add what they may, such as: --allow-target localhost:80");
  }
}

// `identity` is the one in use.
void ReloadKey(TunnelServer& server, const std::string& file, Identity& identity,
               const TunnelLog& log) {
  absl::StatusOr<Identity> read = LoadKeyFile(file);
  if (read.ok() && read->private_key_pem == identity.private_key_pem &&
      read->certificate_chain_pem == identity.certificate_chain_pem) {
    return;
  }
  const absl::Status status = read.ok() ? server.SetIdentity(*read) : read.status();
  if (!status.ok()) {
    return log(LogLevel::kError, absl::StrCat("our key stays as it was: ", status.message()));
  }
  identity = *std::move(read);
  log(LogLevel::kInfo, absl::StrCat("our key is another one for new connections; clients say "
                                    "--server-key ",
                                    FormatFingerprint(identity.fingerprint)));
}

// What SIGHUP does. What is neither a rule nor a key stays as it is until a restart. A key that
// cannot be had does not keep the rules from changing: they may take a client's rights away.
void Reload(TunnelServer& server, const std::vector<std::string>& arguments, Identity& identity,
            const TunnelLog& log) {
  const absl::StatusOr<Options> options = ReadOptions(arguments);
  absl::Status status = options.status();
  if (status.ok()) status = server.SetRules(std::get<ServerOptions>(*options).config);
  if (!status.ok()) {
    return log(LogLevel::kError,
               absl::StrCat("rules and keys stay as they were: ", status.message()));
  }
  log(LogLevel::kInfo, "rules and clients' keys were read again");
  const auto& server_options = std::get<ServerOptions>(*options);
  LogRules(server_options.config, log);
  ReloadKey(server, server_options.run.key_file, identity, log);
}

absl::Status Prepare(const RunOptions& run, TunnelCommonConfig& common) {
  absl::StatusOr<Identity> identity = LoadKeyFile(run.key_file);
  if (!identity.ok()) return identity.status();
  common.identity = *std::move(identity);
  return absl::OkStatus();
}

// Ends a server while its signals are still watched: the first SIGTERM gives its connections time,
// whatever comes then does not.
class ServerEnding {
 public:
  ServerEnding(TunnelServer* server, EventLoop* loop, TunnelLog log)
      : server_(*server), loop_(*loop), log_(std::move(log)) {}
  ~ServerEnding() {
    if (thread_.joinable()) thread_.join();
  }

  void OnSignal(int signal) {
    const bool has_begun = thread_.joinable();
    const bool waits = signal == SIGTERM && !has_begun;
    log_(LogLevel::kInfo, waits ? kDraining : has_begun ? kEndingAtOnce : kEnding);
    if (!waits) {
      loop_.Stop();
      return server_.Shutdown(Duration::Zero());
    }
    thread_ = std::thread([this] {
      server_.Shutdown(kDrainPatience);
      loop_.Stop();
    });
  }

 private:
  TunnelServer& server_;
  EventLoop& loop_;
  const TunnelLog log_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<int> RunKeygen(const KeygenOptions& options) {
  const absl::StatusOr<Identity> identity = NewIdentity(options.kind);
  if (!identity.ok()) return identity.status();
  const absl::Status status = WriteKeyFile(options.key_file, *identity, options.replaces);
  if (!status.ok()) {
    // People also look here for the fingerprint of the key they have.
    const absl::StatusOr<Identity> old = LoadKeyFile(options.key_file);
    if (!absl::IsAlreadyExists(status) || !old.ok()) return status;
    return absl::AlreadyExistsError(absl::StrCat(status.message(), " (its fingerprint is ",
                                                 FormatFingerprint(old->fingerprint), ")"));
  }
  const std::string fingerprint = FormatFingerprint(identity->fingerprint);
  Print(absl::StrCat("wrote ", options.key_file, "\nfingerprint ", fingerprint,
                     "\n\nThe other side needs it:\n"
                     "  if this is the client: godwit-tunnel server --allow-client ",
                     fingerprint,
                     " --allow-target HOST:PORT\n"
                     "  if this is the server: godwit-tunnel client SERVER --server-key ",
                     fingerprint, " -L 8080:localhost:80\n"));
  return kExitOk;
}

absl::StatusOr<int> RunStatus(const StatusOptions& options) {
  const bool is_named = !options.status_socket.empty();
  const std::vector<std::string> paths =
      is_named ? std::vector{options.status_socket} : FindStatusSockets();
  std::vector<std::string> answers;
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> answer = AskStatusSocket(path);
    if (answer.ok() && !options.is_json) answer = DescribeStatusJson(*answer);
    if (!answer.ok() && is_named) return answer.status();
    // Of those that were found: what a process left behind.
    if (answer.ok()) answers.push_back(*std::move(answer));
  }
  if (answers.empty() && !options.is_json) {
    std::fputs("godwit-tunnel: no tunnel of this user runs here\n", stderr);
  }
  if (options.is_json && !is_named) {
    // One text for programs, whatever their number.
    std::string list;
    for (const std::string& answer : answers)
      absl::StrAppend(&list, list.empty() ? "" : ",", answer);
    Print(absl::StrCat("[", list, "]\n"));
  } else {
    for (const std::string& answer : answers) Print(answer);
  }
  return answers.empty() ? kExitNothing : kExitOk;
}

absl::StatusOr<int> RunPing(const PingOptions& options) {
  const absl::StatusOr<Identity> identity = LoadKeyFile(options.key_file);
  if (!identity.ok()) return identity.status();
  const absl::StatusOr<PingResult> result =
      Ping(options, *identity, [](const std::string& line) { Print(line + "\n"); });
  if (!result.ok()) return result.status();
  if (result->answered == 0) return kExitNothing;
  const Duration mean = result->sum / static_cast<int64_t>(result->answered);
  Print(absl::StrFormat("%d of %d answered, rtt least %.2f, mean %.2f, most %.2f ms\n",
                        result->answered, result->sent, result->shortest.ToSecondsDouble() * 1e3,
                        mean.ToSecondsDouble() * 1e3, result->longest.ToSecondsDouble() * 1e3));
  return kExitOk;
}

absl::StatusOr<int> RunDiag(const DiagOptions& options) {
  const absl::StatusOr<std::string> text = Diagnose(options);
  if (!text.ok()) return text.status();
  Print(*text);
  return kExitOk;
}

absl::StatusOr<int> RunServer(ServerOptions options, const std::vector<std::string>& arguments) {
  TunnelServerConfig& config = options.config;
  absl::Status status = Prepare(options.run, config.common);
  if (!status.ok()) return status;
  ProcessSignals::Block();
  const TunnelLog log = NewStderrLog(options.run.log_level, HasLiveLine(options.run));
  absl::StatusOr<std::unique_ptr<EventLoop>> event_loop = EventLoop::Create();
  if (!event_loop.ok()) return event_loop.status();
  absl::StatusOr<std::unique_ptr<TunnelServer>> server = TunnelServer::Create(config, log);
  // Abseil's code for EADDRINUSE.
  if (absl::IsFailedPrecondition(server.status()) &&
      absl::StrContains(server.status().message(), "UDP socket")) {
    return absl::AlreadyExistsError(absl::StrCat(
        "UDP port ", config.listen.port, " is in use; choose another one: --listen ADDRESS:PORT"));
  }
  if (!server.ok()) return server.status();

  RuntimeLoop loop(event_loop->get());
  const std::string address = (*server)->local_address().ToString();
  TunnelServices services(
      &loop, FactsOf("server", address, config.common), [&server] { return (*server)->Status(); },
      log);
  status = services.Start(options.run);
  if (!status.ok()) return status;
  ServerEnding ending(server->get(), event_loop->get(), log);
  ProcessSignals signals(&loop);
  status = signals.Watch([&](int signal) {
    if (signal == SIGHUP) return Reload(**server, arguments, config.common.identity, log);
    ending.OnSignal(signal);
  });
  if (!status.ok()) return status;
  LogNotices((*server)->TakeNotices(), LogLevel::kInfo, log);
  log(LogLevel::kInfo, absl::StrCat("listening on ", address, "; clients say --server-key ",
                                    FormatFingerprint(config.common.identity.fingerprint)));
  LogRules(config, log);
  (*event_loop)->Run();
  return kExitOk;
}

absl::StatusOr<int> RunClient(ClientOptions options) {
  TunnelClientConfig& config = options.config;
  absl::Status status = Prepare(options.run, config.common);
  if (!status.ok()) return status;
  ProcessSignals::Block();
  const TunnelLog log = NewStderrLog(options.run.log_level, HasLiveLine(options.run));
  absl::StatusOr<std::unique_ptr<TunnelClient>> created = TunnelClient::Create(config, log);
  if (absl::IsAlreadyExists(created.status())) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", created.status().message(),
                                                 "; choose another port for -L or -D"));
  }
  if (!created.ok()) return created.status();
  TunnelClient& client = **created;

  TunnelServices services(
      &client.loop(), FactsOf("client", ToText(config.server), config.common),
      [&client] { return client.Status(); }, log);
  status = services.Start(options.run);
  if (!status.ok()) return status;
  ProcessSignals signals(&client.loop());
  bool is_draining = false;
  status = signals.Watch([&](int signal) {
    if (signal == SIGINT || is_draining) {
      log(LogLevel::kInfo, is_draining ? kEndingAtOnce : kEnding);
      return client.Stop();
    }
    is_draining = true;
    log(LogLevel::kInfo, kDraining);
    client.Drain(kDrainPatience);
  });
  if (!status.ok()) return status;
  // What `diag` says too: not between the user and the one line that matters.
  LogNotices(client.TakeNotices(), LogLevel::kDebug, log);
  status = client.Run();
  if (!status.ok()) return status;
  return kExitOk;
}

}  // namespace godwit::tunnel
