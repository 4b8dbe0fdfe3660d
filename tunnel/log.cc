// SPDX-License-Identifier: Apache-2.0
#include "tunnel/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tunnel/printable.h"

namespace godwit::tunnel {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// sd-daemon(3): the priority that a line begins with.
std::string JournalPriority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "<7>";
    case LogLevel::kInfo:
      return "<6>";
    case LogLevel::kWarning:
      return "<4>";
    case LogLevel::kError:
      return "<3>";
  }
  return "<3>";
}

}  // namespace

TunnelLog NewStderrLog(std::string_view level, bool clears_line) {
  const auto logger = std::make_shared<spdlog::logger>(
      "godwit-tunnel", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::trace);
  const bool is_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(is_journal    ? "%v"
                      : clears_line ? "\r\x1b[K%Y-%m-%d %H:%M:%S %l: %v"
                                    : "%Y-%m-%d %H:%M:%S %l: %v");
  return [logger, is_journal](LogLevel line_level, const std::string& line) {
    // As a text, not as a format: a line may hold what a peer said.
    const std::string printable = Printable(line);
    const std::string text = is_journal ? JournalPriority(line_level) + printable : printable;
    logger->log(ToSpdlog(line_level), spdlog::string_view_t(text.data(), text.size()));
  };
}

}  // namespace godwit::tunnel
