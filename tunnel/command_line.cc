// SPDX-License-Identifier: Apache-2.0
#include "tunnel/command_line.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "tunnel/config_file.h"

namespace godwit::tunnel {
namespace {

constexpr char kProgram[] = "godwit-tunnel";
constexpr char kVersion[] = "godwit-tunnel 0.1.0";
constexpr size_t kColumnWidth = 34;

CLI::Option* AddText(CLI::App& command, const std::string& name, std::string& text,
                     const std::string& value_name, const std::string& help) {
  return command.add_option(name, text, help)
      ->option_text(value_name)
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
      // Such as that of a variable that a script forgot to set.
      ->check([](const std::string& value) { return value.empty() ? "it has no value" : ""; });
}

void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& texts,
             const std::string& value_name, const std::string& help) {
  // One value behind each flag, as written: CLI11 would take more of them, and cut [::1] to ::1.
  command.add_option(name, texts, help)->option_text(value_name)->allow_extra_args(false);
}

void AddSwitch(CLI::App& command, const std::string& name, bool& value, const std::string& help) {
  command.add_flag(name, value, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::App& AddCommand(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->set_help_flag("-h,--help", "this text");
  command->group("Commands");
  return *command;
}

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

absl::Status WrongUse(const std::string& what, const std::string& command) {
  return absl::InvalidArgumentError(absl::StrCat(OneLine(what), "; see: ", kProgram,
                                                 command.empty() ? "" : " ", command, " --help"));
}

std::string Explain(const CLI::ParseError& error, const CLI::App& app) {
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string what = error.what();
    const bool is_repeated = what.find("At Most") != std::string::npos;
    return absl::StrCat(what.substr(0, what.find(": ")),
                        is_repeated ? " is given more than once" : " needs a value behind it");
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  std::vector<std::string> extras = app.remaining(true);
  const std::string what = extras.empty() ? "?" : extras.front();
  if (app.get_subcommands().empty()) return absl::StrCat("there is no command \"", what, "\"");
  return absl::StrCat(what.starts_with("-") ? "there is no flag \"" : "too many arguments: \"",
                      what, "\"");
}

// The option that `key` of a configuration file sets; null if there is none.
CLI::Option* FindOption(CLI::App& command, const std::string& key) {
  if (key == "help" || key == "config") return nullptr;
  if (key == "server") return command.get_option_no_throw("SERVER");
  return key.size() < 2 || key.starts_with("-") ? nullptr : command.get_option_no_throw("--" + key);
}

// What is wrong with a value of this kind for that option, or nothing.
std::string CheckKind(const ConfigEntry& entry, const CLI::Option& option) {
  using Kind = ConfigEntry::Kind;
  const bool is_switch = option.get_items_expected_min() == 0;
  const bool is_list = option.get_items_expected_max() > 1;
  if (is_switch != (entry.kind == Kind::kBoolean)) {
    return is_switch ? " must be true or false" : " must not be true or false";
  }
  if (entry.kind == Kind::kList && !is_list) return " must be one value, not a list";
  return {};
}

}  // namespace

CommandLine::CommandLine() : app_("Forwards TCP, UDP and IP over QUIC, between two machines.") {
  app_.name(kProgram);
  app_.set_help_flag("-h,--help", "this text");
  app_.set_version_flag("--version", kVersion, "the version");
  app_.require_subcommand(0, 1);
  app_.get_formatter()->column_width(kColumnWidth);
  app_.get_formatter()->label("OPTIONS", "FLAGS");
  app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app_.get_formatter()->label("Positionals", "Arguments");
  app_.footer("Each command has a --help of its own. man godwit-tunnel has all of it.");
  AddKeygen();
  AddServer();
  AddClient();
  AddStatus();
  AddPing();
  AddDiag();
}

void CommandLine::AddKeygen() {
  CLI::App& command = AddCommand(app_, "keygen", "makes a key, and prints its fingerprint");
  AddKeyFlag(command);
  AddText(command, "--type", texts_.key_kind, "TYPE", "ed25519 (default) or p256");
  AddSwitch(command, "--force", texts_.replaces_key, "replace a key that is there");
}

void CommandLine::AddServer() {
  CLI::App& command = AddCommand(app_, "server", "waits for clients, and connects for them");
  AddText(command, "--listen", texts_.listen, "ADDRESS:PORT", "UDP; default [::]:4433");
  AddList(command, "--allow-client", texts_.allowed_clients, "FINGERPRINT",
          "a key that may come in; repeatable, at least one");
  AddList(command, "--allow-target", texts_.allowed_targets, "HOST:PORT",
          "what clients may reach; repeatable; without it nothing");
  AddList(command, "--allow-bind", texts_.allowed_binds, "ADDRESS:PORT",
          "where their -R may listen here; repeatable; without it nowhere");
  AddRunFlags(command);
  command.footer(
      "Example: godwit-tunnel server --allow-client SHA256:... --allow-target localhost:80\n"
      "HOST of --allow-target: a name, *.NAME, an address, 10.0.0.0/8, [2001:db8::/32], or *, "
      "which\n"
      "leaves out this machine's loopback. PORT: 80, 8000-8999 or *. SIGHUP reads FILE again.");
}

void CommandLine::AddClient() {
  CLI::App& command = AddCommand(app_, "client", "forwards ports through a server");
  AddServerToReach(command, true);
  AddList(command, "-L,--local", texts_.local_forwards, "[udp:][BIND:]PORT:HOST:HOSTPORT",
          "from PORT here to HOST as the server sees it; repeatable");
  AddList(command, "-R,--remote", texts_.remote_forwards, "[udp:][BIND:]PORT:HOST:HOSTPORT",
          "from PORT of the server to HOST as seen here; repeatable");
  AddList(command, "-D,--socks", texts_.socks_listeners, "[BIND:]PORT",
          "SOCKS5 proxy here, connecting from the server; repeatable");
  AddRunFlags(command);
  command.footer(
      "Example: godwit-tunnel client example.org --server-key SHA256:... "
      "-L 8080:localhost:80");
}

void CommandLine::AddStatus() {
  CLI::App& command = AddCommand(app_, "status", "shows what runs on this machine");
  AddText(command, "--status-socket", texts_.status_socket, "PATH", "of one tunnel; default all");
  AddSwitch(command, "--json", texts_.is_json, "for programs");
}

void CommandLine::AddPing() {
  CLI::App& command = AddCommand(app_, "ping", "measures the way to a server");
  AddServerToReach(command, true);
  AddKeyFlag(command);
  AddText(command, "--count", texts_.count, "NUMBER", "how often; default 5");
  AddText(command, "--interval", texts_.interval, "TIME", "default 1s");
}

void CommandLine::AddDiag() {
  CLI::App& command = AddCommand(app_, "diag", "shows offloads, buffers and MTU of this machine");
  AddServerToReach(command, false);
}

void CommandLine::AddKeyFlag(CLI::App& command) {
  AddText(command, "--key", texts_.key_file, "FILE",
          "our key; default ~/.config/godwit-tunnel/key.pem");
}

void CommandLine::AddServerToReach(CLI::App& command, bool has_key) {
  AddText(command, "SERVER", texts_.server, "HOST[:PORT]", "default port 4433");
  if (!has_key) return;
  AddText(command, "--server-key", texts_.server_key, "FINGERPRINT",
          "of the server's key, as its keygen printed it");
}

void CommandLine::AddRunFlags(CLI::App& command) {
  AddKeyFlag(command);
  AddText(command, "--config", texts_.config_file, "FILE",
          "TOML with these flags as keys; flags win");
  AddText(command, "--congestion", texts_.congestion, "NAME",
          "congestion control, such as cubic (default), new_reno");
  AddText(command, "--give-up", texts_.give_up, "TIME",
          "the longest outage that breaks nothing; default 2m");
  AddText(command, "--keep-alive", texts_.keep_alive, "TIME",
          "how often an idle tunnel speaks, for NATs; default 15s");
  AddText(command, "--tun", texts_.tun, "NAME",
          "for IP packets; does not repair loss, as -L and -D do");
  AddText(command, "--address", texts_.address, "CIDR", "of that interface, such as 10.7.0.2/24");
  AddText(command, "--log-level", texts_.log_level, "LEVEL",
          "debug, info (default), warning or error");
  AddSwitch(command, "--stats", texts_.shows_stats, "a live line of figures on stderr");
  AddText(command, "--status-socket", texts_.status_socket, "PATH",
          "where `godwit-tunnel status` asks");
  AddText(command, "--metrics", texts_.metrics, "ADDRESS:PORT", "serves figures for Prometheus");
  AddText(command, "--keylog", texts_.keylog_file, "FILE",
          "gets TLS secrets, for Wireshark; whoever has it reads all");
}

absl::StatusOr<std::string> CommandLine::Read(const std::vector<std::string>& arguments) {
  CLI::App* command = nullptr;
  const auto name = [&] { return command == nullptr ? "" : command->get_name(); };
  try {
    // CLI11 takes them from the end.
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    if (app_.get_subcommands().empty()) {
      return WrongUse("say what to do: keygen, server, client, status, ping or diag", "");
    }
    command = app_.get_subcommands().front();
    if (!texts_.config_file.empty()) {
      const absl::Status status = ApplyConfigFile(*command);
      if (!status.ok()) return status;
    }
    return name();
  } catch (const CLI::CallForHelp&) {
    text_ = app_.help();
    return std::string();
  } catch (const CLI::CallForVersion&) {
    text_ = absl::StrCat(kVersion, "\n");
    return std::string();
  } catch (const CLI::ParseError& error) {
    if (!app_.get_subcommands().empty()) command = app_.get_subcommands().front();
    return WrongUse(Explain(error, app_), name());
  }
}

absl::Status CommandLine::ApplyConfigFile(CLI::App& command) {
  const absl::StatusOr<std::vector<ConfigEntry>> entries = ReadConfigFile(texts_.config_file);
  if (!entries.ok()) return entries.status();
  for (const ConfigEntry& entry : *entries) {
    CLI::Option* const option = FindOption(command, entry.key);
    if (option == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(entry.place, ": ", command.get_name(),
                                                     " has no flag --", OneLine(entry.key),
                                                     " that this could set"));
    }
    if (option->count() > 0) continue;  // The flag wins.
    const std::string problem = CheckKind(entry, *option);
    if (!problem.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(entry.place, ": ", entry.key, problem));
    }
    if (entry.values.empty()) continue;
    option->add_result(entry.values);
    option->run_callback();
  }
  return absl::OkStatus();
}

}  // namespace godwit::tunnel
