// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_options.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"

namespace godwit {
namespace {

constexpr uint32_t kMaxFlows = 10'000;
constexpr double kMaxSeconds = 1e6;

// An option is for the programs and the roles of which it has the bit.
constexpr unsigned kQuic = 1, kTcp = 2, kLimit = 4, kLatency = 8, kHandshakes = 16, kAll = 31;
constexpr unsigned kServer = 1, kClient = 2, kBoth = 3;

struct Option {
  absl::string_view name;
  absl::string_view value_name;  // Empty: it is a switch.
  absl::string_view help;
  unsigned programs;
  unsigned roles;
  // Nothing is wrong with the value if what it returns is empty.
  absl::string_view (*apply)(absl::string_view value, TransferOptions& options);
};

std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

absl::string_view ReadAddress(absl::string_view value, TransferOptions& options) {
  const std::optional<SocketAddress> address = SocketAddress::Parse(ToStd(value));
  if (!address) return "is no numeric address with a port, such as 127.0.0.1:4433 or [::1]:4433";
  options.address = *address;
  return "";
}

absl::string_view ReadBytes(absl::string_view value, TransferOptions& options) {
  uint64_t unit = 1;
  if (!value.empty()) {
    const char suffix = absl::ascii_tolower(value.back());
    unit = suffix == 'k' ? 1'000 : suffix == 'm' ? 1'000'000 : suffix == 'g' ? 1'000'000'000 : 1;
  }
  if (unit > 1) value.remove_suffix(1);
  uint64_t count = 0;
  if (!absl::SimpleAtoi(value, &count) || count == 0 || count > UINT64_MAX / unit) {
    return "is no number of bytes, such as 5000, 10m or 2g (powers of 1000)";
  }
  options.bytes = count * unit;
  return "";
}

absl::string_view ReadSeconds(absl::string_view value, TransferOptions& options) {
  double seconds = 0;
  if (!absl::SimpleAtod(value, &seconds) || !(seconds > 0) || seconds > kMaxSeconds) {
    return "is no number of seconds above 0, at most 1000000";
  }
  options.duration = Duration::Milliseconds(std::max<int64_t>(1, std::llround(seconds * 1000)));
  return "";
}

absl::string_view ReadCount(absl::string_view value, uint32_t& count) {
  const bool is_valid = absl::SimpleAtoi(value, &count) && count > 0 && count <= kMaxFlows;
  return is_valid ? "" : "is no number from 1 to 10000";
}

absl::string_view ReadExchangeCount(absl::string_view value, TransferOptions& options) {
  const bool is_valid = absl::SimpleAtoi(value, &options.count) && options.count > 0;
  return is_valid ? "" : "is no number above 0";
}

absl::string_view ReadProtocol(absl::string_view value, TransferOptions& options) {
  for (const TransferProtocol protocol :
       {TransferProtocol::kQuic, TransferProtocol::kTcpTls, TransferProtocol::kTcp}) {
    if (ToString(protocol) != ToStd(value)) continue;
    options.protocol = protocol;
    return "";
  }
  return "is not quic, tcp+tls or tcp";
}

absl::string_view ReadCertificate(absl::string_view value, TransferOptions& options) {
  const bool is_ed25519 = value == "ed25519";
  options.certificate = is_ed25519 ? CertificateKind::kEd25519 : CertificateKind::kEcdsaP256;
  return is_ed25519 || value == "p256" ? "" : "is not ed25519 or p256";
}

absl::string_view ReadCpu(absl::string_view value, TransferOptions& options) {
  uint32_t cpu = 0;
  if (!absl::SimpleAtoi(value, &cpu)) return "is no number of a CPU, such as 0";
  options.cpu = cpu;
  return "";
}

// In the order of the usage text.
constexpr std::array kOptions = {
    Option{"--listen", "ADDR:PORT", "where the server listens; port 0: the kernel chooses", kAll,
           kServer, ReadAddress},
    Option{"--once", "", "end after the last connection of the first client", kAll, kServer,
           [](absl::string_view, TransferOptions& options) {
             options.once = true;
             return absl::string_view();
           }},
    Option{"--over", "PROTOCOL", "quic (the default), tcp+tls or tcp; both sides say it",
           kLatency | kHandshakes, kBoth, ReadProtocol},
    Option{"--certificate", "KIND", "ed25519 (the default) or p256", kLatency | kHandshakes,
           kServer, ReadCertificate},
    Option{"--download", "", "from the server to the client (the default)", kQuic | kTcp, kClient,
           [](absl::string_view, TransferOptions& options) {
             options.direction = TransferDirection::kDownload;
             return absl::string_view();
           }},
    Option{"--upload", "", "from the client to the server", kQuic | kTcp, kClient,
           [](absl::string_view, TransferOptions& options) {
             options.direction = TransferDirection::kUpload;
             return absl::string_view();
           }},
    Option{"--bidirectional", "", "both at once", kQuic | kTcp, kClient,
           [](absl::string_view, TransferOptions& options) {
             options.direction = TransferDirection::kBidirectional;
             return absl::string_view();
           }},
    Option{"--bytes", "N", "in each direction, over all streams together; 10k, 10m, 10g",
           kQuic | kTcp, kClient, ReadBytes},
    Option{"--requests", "N", "how many in all", kLatency, kClient, ReadExchangeCount},
    Option{"--handshakes", "N", "how many in all", kHandshakes, kClient, ReadExchangeCount},
    Option{"--seconds", "S", "how long it goes on (10)", kAll, kClient, ReadSeconds},
    Option{"--outstanding", "N", "at once (1)", kLatency | kHandshakes, kClient,
           [](absl::string_view value, TransferOptions& options) {
             return ReadCount(value, options.outstanding);
           }},
    Option{"--streams", "N", "of each connection, at once (1)", kQuic | kTcp, kClient,
           [](absl::string_view value, TransferOptions& options) {
             return ReadCount(value, options.streams);
           }},
    Option{"--connections", "N", "at once (1)", kQuic | kTcp, kClient,
           [](absl::string_view value, TransferOptions& options) {
             return ReadCount(value, options.connections);
           }},
    Option{"--verify", "", "receivers compare what arrives", kQuic | kTcp, kClient,
           [](absl::string_view, TransferOptions& options) {
             options.verifies = true;
             return absl::string_view();
           }},
    Option{"--congestion", "NAME", "congestion controller of this side's sending",
           kQuic | kTcp | kLatency, kBoth,
           [](absl::string_view value, TransferOptions& options) {
             options.congestion = std::string(value);
             return absl::string_view();
           }},
    Option{"--tls", "", "TLS 1.3 with AES-128-GCM; both sides say it", kTcp, kBoth,
           [](absl::string_view, TransferOptions& options) {
             options.protocol = TransferProtocol::kTcpTls;
             return absl::string_view();
           }},
    Option{"--json", "FILE", "write the result as JSON; -: to standard output", kAll, kBoth,
           [](absl::string_view value, TransferOptions& options) {
             options.json_path = std::string(value);
             return absl::string_view();
           }},
    Option{"--cpu", "N", "run on this CPU only", kAll, kBoth, ReadCpu},
};

unsigned BitOf(TransferProgram program) {
  switch (program) {
    case TransferProgram::kQuic:
      return kQuic;
    case TransferProgram::kTcp:
      return kTcp;
    case TransferProgram::kLimit:
      return kLimit;
    case TransferProgram::kLatency:
      return kLatency;
    case TransferProgram::kHandshakes:
      return kHandshakes;
  }
  GODWIT_UNREACHABLE();
}

unsigned BitOf(TransferRole role) { return role == TransferRole::kServer ? kServer : kClient; }

template <typename... Parts>
absl::Status UsageError(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

class Parser {
 public:
  Parser(TransferProgram program, std::span<const char* const> arguments)
      : program_(program), arguments_(arguments) {
    if (program == TransferProgram::kTcp) options_.protocol = TransferProtocol::kTcp;
  }

  absl::StatusOr<TransferOptions> Parse() {
    const bool wants_help = std::any_of(
        arguments_.begin(), arguments_.end(),
        [](absl::string_view argument) { return argument == "--help" || argument == "-h"; });
    if (wants_help) {
      options_.wants_help = true;
      return options_;
    }
    if (absl::Status status = ParseRole(); !status.ok()) return status;
    while (next_ < arguments_.size()) {
      if (absl::Status status = ParseOption(arguments_[next_++]); !status.ok()) return status;
    }
    if (absl::Status status = CheckTogether(); !status.ok()) return status;
    return options_;
  }

 private:
  absl::Status ParseRole() {
    const absl::string_view word = arguments_.empty() ? "" : arguments_[next_++];
    if (word == "server") {
      options_.role = TransferRole::kServer;
      return absl::OkStatus();
    }
    if (word != "client") return UsageError("begin with 'server' or 'client'; see --help");
    options_.role = TransferRole::kClient;
    if (next_ == arguments_.size()) {
      return UsageError("say which server: client ADDR:PORT");
    }
    const absl::string_view address = arguments_[next_++];
    const absl::string_view problem = ReadAddress(address, options_);
    if (!problem.empty()) return UsageError("'", address, "' ", problem);
    if (options_.address.port() == 0) return UsageError("'", address, "': a server has no port 0");
    return absl::OkStatus();
  }

  absl::Status ParseOption(absl::string_view argument) {
    const size_t equals = argument.find('=');
    const absl::string_view name = argument.substr(0, equals);
    const auto option = std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& one) {
      return one.name == name && (one.programs & BitOf(program_)) != 0;
    });
    if (option == kOptions.end()) return UsageError("unknown option '", name, "'; see --help");
    if ((option->roles & BitOf(options_.role)) == 0) {
      return UsageError(name, " is not for a ", role_name());
    }
    absl::string_view value;
    if (option->value_name.empty()) {
      if (equals != absl::string_view::npos) return UsageError(name, " takes no value");
    } else if (equals != absl::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (next_ < arguments_.size()) {
      value = arguments_[next_++];
    }
    if (!option->value_name.empty() && value.empty()) {
      return UsageError(name, " needs a value: ", name, " ", option->value_name);
    }
    const absl::string_view problem = option->apply(value, options_);
    if (!problem.empty()) return UsageError(name, ": '", value, "' ", problem);
    given_.push_back(name);
    return absl::OkStatus();
  }

  absl::string_view role_name() const {
    const std::string_view name = ToString(options_.role);
    return {name.data(), name.size()};
  }

  bool IsGiven(absl::string_view name) const {
    return std::find(given_.begin(), given_.end(), name) != given_.end();
  }

  absl::Status CheckTogether() const {
    if (options_.role == TransferRole::kServer && !IsGiven("--listen")) {
      return UsageError("a server needs --listen ADDR:PORT");
    }
    for (const absl::string_view amount : {"--bytes", "--requests", "--handshakes"}) {
      if (IsGiven(amount) && IsGiven("--seconds")) {
        return UsageError(amount, " and --seconds exclude each other");
      }
    }
    if (program_ == TransferProgram::kHandshakes && options_.protocol == TransferProtocol::kTcp) {
      return UsageError("--over tcp: without TLS there is no handshake to compare");
    }
    if (IsGiven("--download") + IsGiven("--upload") + IsGiven("--bidirectional") > 1) {
      return UsageError("--download, --upload and --bidirectional exclude each other");
    }
    const uint64_t flow_count = uint64_t{options_.streams} * options_.connections;
    if (flow_count > kMaxFlows) {
      return UsageError("--streams times --connections is more than ", kMaxFlows);
    }
    if (IsGiven("--bytes") && options_.bytes < flow_count) {
      return UsageError("--bytes is less than one byte for each stream");
    }
    return absl::OkStatus();
  }

  TransferProgram program_;
  std::span<const char* const> arguments_;
  size_t next_ = 0;
  TransferOptions options_;
  std::vector<absl::string_view> given_;
};

}  // namespace

std::string_view ToString(TransferRole role) {
  return role == TransferRole::kServer ? "server" : "client";
}

std::string_view ToString(TransferDirection direction) {
  switch (direction) {
    case TransferDirection::kDownload:
      return "download";
    case TransferDirection::kUpload:
      return "upload";
    case TransferDirection::kBidirectional:
      return "bidirectional";
  }
  GODWIT_UNREACHABLE();
}

std::string_view ToString(TransferProtocol protocol) {
  switch (protocol) {
    case TransferProtocol::kQuic:
      return "quic";
    case TransferProtocol::kTcpTls:
      return "tcp+tls";
    case TransferProtocol::kTcp:
      return "tcp";
  }
  GODWIT_UNREACHABLE();
}

absl::StatusOr<TransferOptions> ParseTransferOptions(TransferProgram program, int argc,
                                                     const char* const* argv) {
  return Parser(program, std::span(argv, argc).subspan(argc > 0 ? 1 : 0)).Parse();
}

std::string TransferUsage(TransferProgram program) {
  const auto add_options = [&](unsigned role, std::string& text) {
    for (const Option& option : kOptions) {
      if ((option.programs & BitOf(program)) == 0 || (option.roles & role) == 0) continue;
      std::string left = absl::StrCat("  ", option.name, " ", option.value_name);
      left.resize(std::max<size_t>(left.size(), 22), ' ');
      absl::StrAppend(&text, left, " ", option.help, "\n");
    }
  };
  std::string text = "server --listen ADDR:PORT [options]\n";
  add_options(kServer, text);
  absl::StrAppend(&text, "client ADDR:PORT [options]\n");
  add_options(kClient, text);
  return text;
}

}  // namespace godwit
