// SPDX-License-Identifier: Apache-2.0
#include "tunnel/options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "tunnel/command_line.h"
#include "tunnel/fingerprint.h"
#include "tunnel/forward_spec.h"
#include "tunnel/option_values.h"
#include "tunnel/target_policy.h"

namespace godwit::tunnel {
namespace {

// QUIC's socket takes both families, others one.
constexpr std::string_view kAny = "::";
constexpr std::string_view kAnyIpv4 = "0.0.0.0";
constexpr Duration kShortestGiveUp = Duration::Seconds(1);
constexpr Duration kLongestGiveUp = Duration::Seconds(86'400);
constexpr Duration kLongestKeepAlive = Duration::Seconds(3'600);
constexpr Duration kShortestInterval = Duration::Milliseconds(10);
constexpr Duration kLongestInterval = Duration::Seconds(60);
constexpr uint64_t kMaxPings = 1'000'000;

// The first problem with the values that are read through it.
class Reader {
 public:
  // What `value` has, if it has something, goes to `into`.
  template <typename T, typename U>
  void Take(absl::StatusOr<T> value, U& into) {
    if (!status_.ok()) return;
    if (value.ok()) {
      into = *std::move(value);
    } else {
      status_ = value.status();
    }
  }
  template <typename T>
  void Append(absl::StatusOr<T> value, std::vector<T>& into) {
    if (!status_.ok()) return;
    if (value.ok()) {
      into.push_back(*std::move(value));
    } else {
      status_ = value.status();
    }
  }
  void Require(bool condition, std::string_view otherwise) {
    if (!status_.ok() || condition) return;
    status_ = absl::InvalidArgumentError(absl::string_view(otherwise.data(), otherwise.size()));
  }

  template <typename T>
  absl::StatusOr<Options> Finish(T options) const {
    if (!status_.ok()) return status_;
    return Options(std::move(options));
  }

 private:
  absl::Status status_;
};

absl::StatusOr<std::string> ReadKeyFileName(const OptionTexts& texts) {
  if (!texts.key_file.empty()) return texts.key_file;
  return DefaultKeyFile();
}

absl::StatusOr<KeyKind> ReadKeyKind(const std::string& text) {
  if (text == "ed25519") return KeyKind::kEd25519;
  if (text == "p256") return KeyKind::kEcdsaP256;
  return absl::InvalidArgumentError(
      absl::StrCat("bad --type \"", text, "\": write ed25519 or p256"));
}

absl::StatusOr<std::string> ReadLogLevel(const std::string& text) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  if (std::find(kLevels.begin(), kLevels.end(), text) != kLevels.end()) return text;
  return absl::InvalidArgumentError(
      absl::StrCat("bad --log-level \"", text, "\": write debug, info, warning or error"));
}

void ReadRun(const OptionTexts& texts, Reader& reader, RunOptions& run) {
  reader.Take(ReadKeyFileName(texts), run.key_file);
  if (!texts.log_level.empty()) reader.Take(ReadLogLevel(texts.log_level), run.log_level);
  run.shows_stats = texts.shows_stats;
  run.status_socket = texts.status_socket;
  if (!texts.metrics.empty()) {
    reader.Take(ParseListener("--metrics", texts.metrics, kAnyIpv4), run.metrics_listener);
  }
}

void ReadCommon(const OptionTexts& texts, Reader& reader, TunnelCommonConfig& common) {
  if (!texts.congestion.empty()) common.congestion = texts.congestion;
  if (!texts.give_up.empty()) {
    reader.Take(ParseTime("--give-up", texts.give_up, kShortestGiveUp, kLongestGiveUp),
                common.give_up);
  }
  if (!texts.keep_alive.empty()) {
    reader.Take(ParseTime("--keep-alive", texts.keep_alive, kShortestGiveUp, kLongestKeepAlive),
                common.keep_alive);
  }
  common.keylog_file = texts.keylog_file;
  const bool has_tun = !texts.tun.empty() || !texts.address.empty();
  reader.Require(!has_tun || !texts.address.empty(),
                 "--tun needs the address of the interface: --address CIDR");
  reader.Require(!has_tun || !texts.tun.empty(), "--address is that of an interface: --tun NAME");
  if (has_tun) reader.Take(ParseTun(texts.tun, texts.address), common.tun);
}

// SERVER and --server-key.
template <typename T>
void ReadServerToReach(const OptionTexts& texts, Reader& reader, T& options) {
  reader.Require(!texts.server.empty(), "say which server: HOST or HOST:PORT");
  reader.Take(ParseServer("SERVER", texts.server, kDefaultPort), options.server);
  reader.Require(!texts.server_key.empty(),
                 "say which key the server has: --server-key SHA256:..., which "
                 "`godwit-tunnel keygen` printed there");
  reader.Take(ParseFingerprint("--server-key", texts.server_key), options.server_key);
}

absl::StatusOr<Options> ReadKeygen(const OptionTexts& texts) {
  Reader reader;
  KeygenOptions options;
  reader.Take(ReadKeyFileName(texts), options.key_file);
  if (!texts.key_kind.empty()) reader.Take(ReadKeyKind(texts.key_kind), options.kind);
  options.replaces = texts.replaces_key;
  return reader.Finish(std::move(options));
}

absl::StatusOr<Options> ReadServer(const OptionTexts& texts) {
  Reader reader;
  ServerOptions options;
  options.config.listen = {std::string(kAny), kDefaultPort};
  if (!texts.listen.empty()) {
    reader.Take(ParseListener("--listen", texts.listen, kAny), options.config.listen);
  }
  reader.Require(!texts.allowed_clients.empty(),
                 "say who may come in: --allow-client SHA256:..., which `godwit-tunnel keygen` "
                 "printed at the client");
  for (const std::string& text : texts.allowed_clients) {
    reader.Append(ParseFingerprint("--allow-client", text), options.config.allowed_clients);
  }
  TargetPolicy ignored;
  reader.Take(TargetPolicy::Parse(texts.allowed_targets), ignored);
  reader.Take(TargetPolicy::ParseBinds(texts.allowed_binds), ignored);
  options.config.allowed_targets = texts.allowed_targets;
  options.config.allowed_binds = texts.allowed_binds;
  ReadCommon(texts, reader, options.config.common);
  ReadRun(texts, reader, options.run);
  return reader.Finish(std::move(options));
}

absl::StatusOr<Options> ReadClient(const OptionTexts& texts) {
  Reader reader;
  ClientOptions options;
  TunnelClientConfig& config = options.config;
  ReadServerToReach(texts, reader, config);
  for (const std::string& text : texts.local_forwards) {
    reader.Append(ParseForward("-L", text), config.local_forwards);
  }
  for (const std::string& text : texts.remote_forwards) {
    reader.Append(ParseForward("-R", text), config.remote_forwards);
  }
  for (const std::string& text : texts.socks_listeners) {
    reader.Append(ParseSocksListener(text), config.socks_listeners);
  }
  ReadCommon(texts, reader, config.common);
  const bool has_work = !texts.local_forwards.empty() || !texts.remote_forwards.empty() ||
                        !texts.socks_listeners.empty() || config.common.tun.has_value();
  reader.Require(has_work,
                 "say what to forward: -L, -R, -D or --tun, such as -L 8080:localhost:80");
  ReadRun(texts, reader, options.run);
  return reader.Finish(std::move(options));
}

absl::StatusOr<Options> ReadPing(const OptionTexts& texts) {
  Reader reader;
  PingOptions options;
  ReadServerToReach(texts, reader, options);
  reader.Take(ReadKeyFileName(texts), options.key_file);
  if (!texts.count.empty()) {
    reader.Take(ParseNumber("--count", texts.count, 1, kMaxPings), options.count);
  }
  if (!texts.interval.empty()) {
    reader.Take(ParseTime("--interval", texts.interval, kShortestInterval, kLongestInterval),
                options.interval);
  }
  return reader.Finish(std::move(options));
}

absl::StatusOr<Options> ReadDiag(const OptionTexts& texts) {
  Reader reader;
  DiagOptions options;
  if (!texts.server.empty()) {
    reader.Take(ParseServer("SERVER", texts.server, kDefaultPort), options.server);
  }
  return reader.Finish(std::move(options));
}

}  // namespace

absl::StatusOr<Options> ReadOptions(const std::vector<std::string>& arguments) {
  CommandLine command_line;
  const absl::StatusOr<std::string> command = command_line.Read(arguments);
  if (!command.ok()) return command.status();
  const OptionTexts& texts = command_line.texts();
  if (*command == "keygen") return ReadKeygen(texts);
  if (*command == "server") return ReadServer(texts);
  if (*command == "client") return ReadClient(texts);
  if (*command == "status") return StatusOptions{texts.status_socket, texts.is_json};
  if (*command == "ping") return ReadPing(texts);
  if (*command == "diag") return ReadDiag(texts);
  return TextOptions{command_line.text()};
}

}  // namespace godwit::tunnel
