// SPDX-License-Identifier: Apache-2.0
//
// How a program of bench/ gives its result: one JSON object for programs, built by JsonObject, and
// one line for people. What is in them is each report's own.
#ifndef GODWIT_BENCH_REPORT_WRITER_H_
#define GODWIT_BENCH_REPORT_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace godwit {

// Members stay in the order in which they were added.
class JsonObject {
 public:
  void Add(std::string_view name, std::string_view value);
  void Add(std::string_view name, uint64_t value);
  void Add(std::string_view name, double value);  // With six decimal places.
  void Add(std::string_view name, const std::optional<uint64_t>& value);
  // `value` is JSON.
  void AddJson(std::string_view name, std::string_view value);

  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// 0 where there is nothing to divide by.
double Quotient(double dividend, double divisor);

// Before a measurement: makes the file of that path, or makes it empty. So a path that cannot be
// written is told before the time is spent, and no old result is taken for a new one.
absl::Status ClearReport(const std::string& json_path);

// The JSON to `json_path` (a file, which it replaces; "-": standard output; empty: nowhere), the
// text to standard output, or to standard error if that has the JSON. Neither has an end of line.
absl::Status WriteReport(const std::string& text, const std::string& json,
                         const std::string& json_path);

}  // namespace godwit

#endif  // GODWIT_BENCH_REPORT_WRITER_H_
