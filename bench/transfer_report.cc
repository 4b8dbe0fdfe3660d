// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_report.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "bench/report_writer.h"

namespace godwit {

double TransferReport::goodput_mbit() const {
  const double bits = 8 * static_cast<double>(bytes_sent + bytes_received);
  return Quotient(bits / 1e6, elapsed.ToSecondsDouble());
}

double TransferReport::cpu_seconds_per_gb() const {
  return Quotient(cpu.total_seconds(), static_cast<double>(bytes_sent + bytes_received) / 1e9);
}

double TransferReport::packets_per_send_call() const {
  return Quotient(static_cast<double>(packets_sent), static_cast<double>(send_calls));
}

double TransferReport::packets_per_receive_call() const {
  return Quotient(static_cast<double>(packets_received), static_cast<double>(receive_calls));
}

double TransferReport::packets_per_call() const {
  return Quotient(static_cast<double>(packets_sent + packets_received),
                  static_cast<double>(send_calls + receive_calls));
}

std::string TransferReport::ToJson() const {
  JsonObject json;
  json.Add("role", ToString(role));
  json.Add("protocol", std::string_view(protocol));
  json.Add("cipher", std::string_view(cipher));
  json.Add("congestion", std::string_view(congestion));
  json.Add("offloads", std::string_view(offloads));
  json.Add("direction", ToString(direction));
  json.Add("connections", connections);
  json.Add("streams", streams);
  json.Add("bytes_sent", bytes_sent);
  json.Add("bytes_received", bytes_received);
  json.Add("seconds", elapsed.ToSecondsDouble());
  json.Add("goodput_mbit", goodput_mbit());
  json.Add("cpu_user_seconds", cpu.user_seconds);
  json.Add("cpu_system_seconds", cpu.system_seconds);
  json.Add("cpu_seconds_per_gb", cpu_seconds_per_gb());
  json.Add("packets_sent", packets_sent);
  json.Add("packets_received", packets_received);
  json.Add("send_calls", send_calls);
  json.Add("receive_calls", receive_calls);
  json.Add("trains_sent", trains_sent);
  json.Add("train_packets_sent", train_packets_sent);
  json.Add("packets_per_send_call", packets_per_send_call());
  json.Add("packets_per_receive_call", packets_per_receive_call());
  json.Add("packets_per_call", packets_per_call());
  json.Add("retransmissions", retransmissions);
  json.Add("packets_lost", packets_lost);
  return json.text();
}

std::string TransferReport::ToText() const {
  std::string text = absl::StrFormat(
      "%s %s %s: %d bytes sent, %d received in %.3f s: %.1f Mbit/s, %.3f CPU s/GB, "
      "%.1f packets a call",
      protocol, ToString(role), ToString(direction), bytes_sent, bytes_received,
      elapsed.ToSecondsDouble(), goodput_mbit(), cpu_seconds_per_gb(), packets_per_call());
  if (retransmissions) absl::StrAppend(&text, ", ", *retransmissions, " retransmitted");
  if (packets_lost) absl::StrAppend(&text, ", ", *packets_lost, " lost");
  return text;
}

absl::Status WriteReport(const TransferReport& report, const std::string& json_path) {
  return WriteReport(report.ToText(), report.ToJson(), json_path);
}

}  // namespace godwit
