// SPDX-License-Identifier: Apache-2.0
//
// KeyLogQueue: the EventSink of an engine's endpoint: it keeps the lines for an SSLKEYLOGFILE until
// the application takes them. There are none unless the application has asked for them.
#ifndef GODWIT_TRANSPORT_ENGINE_KEY_LOG_QUEUE_H_
#define GODWIT_TRANSPORT_ENGINE_KEY_LOG_QUEUE_H_

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/environment.h"
#include "base/limits.h"

namespace godwit {

class KeyLogQueue final : public EventSink {
 public:
  void OnKeyLogLine(std::string_view line) override {
    if (lines_.size() < kMaxKeyLogLines) lines_.emplace_back(line);
  }

  std::optional<std::string> Poll() {
    if (lines_.empty()) return std::nullopt;
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }

 private:
  std::deque<std::string> lines_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENGINE_KEY_LOG_QUEUE_H_
