// SPDX-License-Identifier: Apache-2.0
//
// How the status of a tunnel is shown: as JSON (what a tunnel says on its status socket), from that
// JSON in lines for people, as text for Prometheus, and as one live line.
//
// Keys of the JSON only ever get more. Rates and shares are of the time between two lines; all else
// counts from the beginning.
#ifndef GODWIT_TUNNEL_STATUS_REPORT_H_
#define GODWIT_TUNNEL_STATUS_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "godwit/time.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

// What does not change while a tunnel runs.
struct TunnelFacts {
  std::string role;      // "client", "server".
  std::string endpoint;  // The server's address: where it is, or where it listens.
  int process_id = 0;
  std::optional<TunInterface> tun;
};

std::string StatusJson(const TunnelFacts& facts, const TunnelStatus& status);
// Of what StatusJson() made, in this version or another.
absl::StatusOr<std::string> DescribeStatusJson(std::string_view json);

std::string PrometheusText(const TunnelFacts& facts, const TunnelStatus& status);

class StatsLine {
 public:
  // Without a line feed.
  std::string Next(const TunnelStatus& status, Timestamp now);

 private:
  struct Counts {
    Timestamp at;
    uint64_t bytes_to_peers = 0;
    uint64_t bytes_from_peers = 0;
    uint64_t packets_sent = 0;
    uint64_t packets_lost = 0;
  };
  std::optional<Counts> last_;
};

// "1.5 MB", powers of 1000.
std::string DescribeBytes(uint64_t bytes);
// "12.3 Mbit/s".
std::string DescribeRate(uint64_t bytes, Duration time);
// "850ms", "2m05s", "3h02m", "4d03h".
std::string DescribeDuration(Duration time);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_STATUS_REPORT_H_
