// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/run_report.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace godwit {
namespace {

using NamedCount = std::pair<const char*, uint64_t>;

uint64_t Microseconds(Duration duration) {
  return static_cast<uint64_t>(duration.ToMicroseconds());
}

std::vector<NamedCount> CountsOf(const DirectionReport& direction) {
  const LinkCounters& link = direction.link;
  const PacketSocketCounters& sockets = direction.sockets;
  return {
      {"received_packets", link.received_packets},
      {"received_bytes", link.received_bytes},
      {"delivered_packets", link.delivered_packets},
      {"delivered_bytes", link.delivered_bytes},
      {"dropped_too_big", link.dropped_too_big},
      {"dropped_queue_full", link.dropped_queue_full},
      {"dropped_outage", link.dropped_outage},
      {"dropped_burst_loss", link.dropped_burst_loss},
      {"dropped_random_loss", link.dropped_random_loss},
      {"duplicated_packets", link.duplicated_packets},
      {"corrupted_packets", link.corrupted_packets},
      {"reordered_packets", link.reordered_packets},
      {"largest_queue_packets", link.largest_queue_packets},
      {"largest_queue_bytes", link.largest_queue_bytes},
      {"too_big_answers", direction.too_big_answers},
      {"lateness_median_us", Microseconds(direction.lateness->Percentile(50))},
      {"lateness_p99_us", Microseconds(direction.lateness->Percentile(99))},
      {"lateness_max_us", Microseconds(direction.lateness->max())},
      {"emulator_ignored_frames", sockets.ignored_frames},
      {"emulator_receive_drops", sockets.receive_drops},
      {"emulator_send_failures", sockets.send_failures},
  };
}

std::string DirectionJson(const DirectionReport& direction) {
  return absl::StrCat("{\n",
                      absl::StrJoin(CountsOf(direction), ",\n",
                                    [](std::string* out, const NamedCount& count) {
                                      absl::StrAppend(out, "    \"", count.first,
                                                      "\": ", count.second);
                                    }),
                      "\n  }");
}

std::string DirectionText(const char* name, const DirectionReport& direction) {
  const LinkCounters& link = direction.link;
  const PacketSocketCounters& sockets = direction.sockets;
  std::string text = absl::StrFormat(
      "%s: %u packets in, %u out; lost: %u random, %u burst, %u outage, %u queue full, %u too big; "
      "%u duplicated, %u corrupted, %u reordered; late by %u us (median), %u (p99), %u (most)\n",
      name, link.received_packets, link.delivered_packets, link.dropped_random_loss,
      link.dropped_burst_loss, link.dropped_outage, link.dropped_queue_full, link.dropped_too_big,
      link.duplicated_packets, link.corrupted_packets, link.reordered_packets,
      Microseconds(direction.lateness->Percentile(50)),
      Microseconds(direction.lateness->Percentile(99)), Microseconds(direction.lateness->max()));
  if (sockets.receive_drops + sockets.send_failures != 0) {
    absl::StrAppend(&text, name, ": the emulator itself was too slow for ", sockets.receive_drops,
                    " packets and could not send ", sockets.send_failures,
                    ": do not trust this run\n");
  }
  return text;
}

}  // namespace

std::string ToJson(const RunReport& report) {
  return absl::StrCat("{\n  \"seed\": ", report.seed,
                      ",\n  \"up\": ", DirectionJson(report.directions[0]),
                      ",\n  \"down\": ", DirectionJson(report.directions[1]), "\n}\n");
}

std::string ToText(const RunReport& report) {
  return DirectionText("up", report.directions[0]) + DirectionText("down", report.directions[1]);
}

}  // namespace godwit
