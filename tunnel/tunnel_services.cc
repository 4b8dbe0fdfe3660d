// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_services.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tunnel/forward_spec.h"
#include "tunnel/kernel_sockets.h"

namespace godwit::tunnel {
namespace {

constexpr size_t kUsualColumns = 80;

size_t TerminalColumns() {
  winsize size = {};
  const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : kUsualColumns;
}

}  // namespace

TunnelServices::TunnelServices(Loop* loop, TunnelFacts facts, std::function<TunnelStatus()> status,
                               TunnelLog log)
    : loop_(*loop), facts_(std::move(facts)), status_(std::move(status)), log_(std::move(log)) {}

TunnelServices::~TunnelServices() {
  if (line_timer_.has_value()) loop_.Cancel(*line_timer_);
  if (line_timer_.has_value() && is_terminal_) std::fputc('\n', stderr);
}

absl::Status TunnelServices::Start(const RunOptions& options) {
  absl::Status status = StartStatusSocket(options.status_socket);
  if (!status.ok() && !options.status_socket.empty()) return status;
  if (!status.ok()) {
    log_(LogLevel::kWarning,
         absl::StrCat("`godwit-tunnel status` will not work: ", status.message()));
  }
  if (options.metrics_listener) {
    status = StartMetrics(*options.metrics_listener);
    if (!status.ok()) return status;
  }
  if (options.shows_stats) {
    is_terminal_ = HasLiveLine(options);
    ShowLineLater();
  }
  return absl::OkStatus();
}

absl::Status TunnelServices::StartStatusSocket(const std::string& path) {
  absl::StatusOr<StatusSocket> socket = StatusSocket::Listen(path, facts_.role);
  if (!socket.ok()) return socket.status();
  status_socket_ = *std::move(socket);
  status_server_.emplace(&loop_, TextServer::Protocol::kPlain,
                         [this] { return StatusJson(facts_, status_()); });
  return status_server_->Start(status_socket_.TakeFd());
}

absl::Status TunnelServices::StartMetrics(const HostPort& listener) {
  const std::optional<SocketAddress> address = SocketAddress::ParseIp(listener.host, listener.port);
  if (!address) {
    return absl::InvalidArgumentError(
        absl::StrCat("--metrics: ", ToText(listener), " is no address to listen on"));
  }
  absl::StatusOr<UniqueFd> fd = ListenTcp(*address);
  if (!fd.ok()) {
    return absl::Status(fd.status().code(), absl::StrCat("--metrics: ", fd.status().message()));
  }
  metrics_server_.emplace(&loop_, TextServer::Protocol::kHttp,
                          [this] { return PrometheusText(facts_, status_()); });
  return metrics_server_->Start(*std::move(fd));
}

void TunnelServices::ShowLine() {
  const std::string line = line_.Next(status_(), loop_.now());
  if (is_terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s", line.substr(0, TerminalColumns() - 1).c_str());
  } else {
    log_(LogLevel::kInfo, line);
  }
  ShowLineLater();
}

void TunnelServices::ShowLineLater() {
  line_timer_ = loop_.CallAt(loop_.now() + (is_terminal_ ? kLineInterval : kLogInterval),
                             [this] { ShowLine(); });
}

bool HasLiveLine(const RunOptions& options) {
  return options.shows_stats && isatty(STDERR_FILENO) == 1;
}

}  // namespace godwit::tunnel
