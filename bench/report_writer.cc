// SPDX-License-Identifier: Apache-2.0
#include "bench/report_writer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace godwit {
namespace {

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

}  // namespace

void JsonObject::Add(std::string_view name, std::string_view value) {
  AddJson(name, Quoted(value));
}

void JsonObject::Add(std::string_view name, uint64_t value) {
  AddJson(name, std::to_string(value));
}

void JsonObject::Add(std::string_view name, double value) {
  AddJson(name, absl::StrFormat("%.6f", value));
}

void JsonObject::Add(std::string_view name, const std::optional<uint64_t>& value) {
  AddJson(name, value ? std::to_string(*value) : "null");
}

void JsonObject::AddJson(std::string_view name, std::string_view value) {
  if (!members_.empty()) members_ += ", ";
  members_ += Quoted(name);
  members_ += ": ";
  members_ += value;
}

double Quotient(double dividend, double divisor) { return divisor > 0 ? dividend / divisor : 0; }

absl::Status ClearReport(const std::string& json_path) {
  if (json_path.empty() || json_path == "-") return absl::OkStatus();
  errno = 0;
  std::ofstream file(json_path, std::ios::trunc);
  if (file) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--json: cannot write ", json_path, ": ", std::strerror(errno)));
}

absl::Status WriteReport(const std::string& text, const std::string& json,
                         const std::string& json_path) {
  const bool is_json_printed = json_path == "-";
  std::fprintf(is_json_printed ? stderr : stdout, "%s\n", text.c_str());
  if (is_json_printed) std::printf("%s\n", json.c_str());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return absl::UnavailableError("cannot write to standard output");
  }
  if (json_path.empty() || is_json_printed) return absl::OkStatus();
  std::ofstream file(json_path, std::ios::trunc);
  file << json << '\n';
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", json_path));
  return absl::OkStatus();
}

}  // namespace godwit
