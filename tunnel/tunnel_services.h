// SPDX-License-Identifier: Apache-2.0
//
// TunnelServices: how a running tunnel shows itself, on request: the status socket, the figures for
// Prometheus, the live line. Nothing of it runs unless somebody asks, or wants the line.
//
// Threads: the loop's.
#ifndef GODWIT_TUNNEL_TUNNEL_SERVICES_H_
#define GODWIT_TUNNEL_TUNNEL_SERVICES_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "godwit/loop.h"
#include "godwit/time.h"
#include "tunnel/options.h"
#include "tunnel/status_report.h"
#include "tunnel/status_socket.h"
#include "tunnel/text_server.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

class TunnelServices {
 public:
  // Of the live line; where stderr is no terminal it is a line of the log, less often.
  static constexpr Duration kLineInterval = Duration::Seconds(1);
  static constexpr Duration kLogInterval = Duration::Seconds(10);

  // `loop` outlives this; `status` is called on its thread.
  TunnelServices(Loop* loop, TunnelFacts facts, std::function<TunnelStatus()> status,
                 TunnelLog log);
  ~TunnelServices();
  TunnelServices(const TunnelServices&) = delete;
  TunnelServices& operator=(const TunnelServices&) = delete;

  // Once. An error if what the user named cannot be had; that the usual place for the status socket
  // cannot be had is but logged.
  absl::Status Start(const RunOptions& options);

 private:
  absl::Status StartStatusSocket(const std::string& path);
  absl::Status StartMetrics(const HostPort& listener);
  void ShowLine();
  void ShowLineLater();

  Loop& loop_;
  const TunnelFacts facts_;
  const std::function<TunnelStatus()> status_;
  const TunnelLog log_;
  StatusSocket status_socket_;
  std::optional<TextServer> status_server_;
  std::optional<TextServer> metrics_server_;
  StatsLine line_;
  bool is_terminal_ = false;
  std::optional<Loop::CallId> line_timer_;
};

// Whether --stats has a terminal for its live line.
bool HasLiveLine(const RunOptions& options);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_SERVICES_H_
