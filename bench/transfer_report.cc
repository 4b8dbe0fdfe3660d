// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_report.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

#include "base/check.h"

namespace godwit {
namespace {

double Quotient(double dividend, double divisor) { return divisor > 0 ? dividend / divisor : 0; }

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::string Quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&result, "\\u%04x", c);
    } else {
      result += c;
    }
  }
  return result + '"';
}

class JsonObject {
 public:
  void Add(absl::string_view name, std::string_view value) { AddRaw(name, Quoted(value)); }
  void Add(absl::string_view name, uint64_t value) { AddRaw(name, absl::StrCat(value)); }
  void Add(absl::string_view name, double value) { AddRaw(name, absl::StrFormat("%.6f", value)); }
  void Add(absl::string_view name, const std::optional<uint64_t>& value) {
    AddRaw(name, value ? absl::StrCat(*value) : "null");
  }

  std::string text() const { return absl::StrCat("{", members_, "}"); }

 private:
  void AddRaw(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&members_, members_.empty() ? "" : ", ", "\"", name, "\": ", value);
  }

  std::string members_;
};

}  // namespace

CpuTime CpuTime::Now() {
  rusage usage = {};
  GODWIT_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return {SecondsOf(usage.ru_utime), SecondsOf(usage.ru_stime)};
}

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
  const bool is_json_printed = json_path == "-";
  std::fprintf(is_json_printed ? stderr : stdout, "%s\n", report.ToText().c_str());
  if (is_json_printed) std::printf("%s\n", report.ToJson().c_str());
  std::fflush(stdout);
  if (json_path.empty() || is_json_printed) return absl::OkStatus();
  std::ofstream file(json_path, std::ios::trunc);
  file << report.ToJson() << '\n';
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", json_path));
  return absl::OkStatus();
}

}  // namespace godwit
