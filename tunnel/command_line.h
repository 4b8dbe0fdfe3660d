// SPDX-License-Identifier: Apache-2.0
//
// CommandLine: the flags of godwit-tunnel, their help, and their values as texts, those of the
// configuration file among them. What the values mean is read in options.h.
#ifndef GODWIT_TUNNEL_COMMAND_LINE_H_
#define GODWIT_TUNNEL_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace godwit::tunnel {

// Empty, or false: not given.
struct OptionTexts {
  // Of several commands.
  std::string config_file;
  std::string key_file;
  std::string server;
  std::string server_key;
  std::string congestion;
  std::string give_up;
  std::string keep_alive;
  std::string keylog_file;
  std::string tun;
  std::string address;
  std::string log_level;
  std::string status_socket;
  std::string metrics;
  bool shows_stats = false;
  // Of one.
  std::string key_kind;
  bool replaces_key = false;
  std::string listen;
  std::vector<std::string> allowed_clients;
  std::vector<std::string> allowed_targets;
  std::vector<std::string> allowed_binds;
  std::vector<std::string> local_forwards;
  std::vector<std::string> remote_forwards;
  std::vector<std::string> socks_listeners;
  bool is_json = false;
  std::string count;
  std::string interval;
};

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Once. The name of the command; empty: print text() and be done. Errors are one line.
  absl::StatusOr<std::string> Read(const std::vector<std::string>& arguments);

  [[nodiscard]] const OptionTexts& texts() const { return texts_; }
  // Help or version.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void AddKeygen();
  void AddServer();
  void AddClient();
  void AddStatus();
  void AddPing();
  void AddDiag();
  void AddRunFlags(CLI::App& command);
  void AddKeyFlag(CLI::App& command);
  void AddServerToReach(CLI::App& command, bool has_key);

  // What flags have not said.
  absl::Status ApplyConfigFile(CLI::App& command);

  CLI::App app_;
  OptionTexts texts_;
  std::string text_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_COMMAND_LINE_H_
