// SPDX-License-Identifier: Apache-2.0
#include "bench/exchange_report.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "bench/report_writer.h"

namespace godwit {
namespace {

// Of all that ExchangeReport gives.
constexpr struct {
  const char* name;
  uint64_t per_mille;
} kQuantiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}};

double MicrosecondsOf(Duration duration) {
  return static_cast<double>(duration.ToNanoseconds()) * 1e-3;
}

std::string_view NameOf(ExchangeKind kind) {
  return kind == ExchangeKind::kRequest ? "request" : "handshake";
}

}  // namespace

double ExchangeReport::per_second() const {
  return Quotient(static_cast<double>(count), elapsed.ToSecondsDouble());
}

double ExchangeReport::cpu_microseconds_each() const {
  return Quotient(cpu.total_seconds() * 1e6, static_cast<double>(count));
}

std::string ExchangeReport::ToJson() const {
  JsonObject json;
  json.Add("role", ToString(role));
  json.Add("protocol", ToString(protocol));
  json.Add("cipher", std::string_view(cipher));
  json.Add("kind", NameOf(kind));
  json.Add("count", count);
  json.Add("seconds", elapsed.ToSecondsDouble());
  json.Add("per_second", per_second());
  json.Add("cpu_user_seconds", cpu.user_seconds);
  json.Add("cpu_system_seconds", cpu.system_seconds);
  json.Add("cpu_us_each", cpu_microseconds_each());
  if (role == TransferRole::kServer) return json.text();
  json.Add("outstanding", uint64_t{outstanding});
  json.Add("min_us", MicrosecondsOf(latency.min()));
  json.Add("mean_us", MicrosecondsOf(latency.mean()));
  for (const auto& quantile : kQuantiles) {
    json.Add(std::string(quantile.name) + "_us",
             MicrosecondsOf(latency.Quantile(quantile.per_mille)));
  }
  json.Add("max_us", MicrosecondsOf(latency.max()));
  json.AddJson("histogram_ns", latency.ToJson());
  return json.text();
}

std::string ExchangeReport::ToText() const {
  std::string text = absl::StrFormat(
      "%s %s: %d %ss in %.3f s: %.0f/s, %.1f CPU us each", ToString(protocol), ToString(role),
      count, NameOf(kind), elapsed.ToSecondsDouble(), per_second(), cpu_microseconds_each());
  if (role == TransferRole::kServer) return text;
  absl::StrAppend(&text, ", ", outstanding, " outstanding:");
  for (const auto& quantile : kQuantiles) {
    absl::StrAppendFormat(&text, " %s %.1f us", quantile.name,
                          MicrosecondsOf(latency.Quantile(quantile.per_mille)));
  }
  return text;
}

absl::Status WriteReport(const ExchangeReport& report, const std::string& json_path) {
  return WriteReport(report.ToText(), report.ToJson(), json_path);
}

}  // namespace godwit
