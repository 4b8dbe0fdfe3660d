// SPDX-License-Identifier: Apache-2.0
#include "tunnel/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "godwit/socket_address.h"

namespace godwit::tunnel {
namespace {

// IFNAMSIZ, without the zero at the end.
constexpr size_t kMaxInterfaceNameBytes = 15;

struct Unit {
  std::string_view suffix;
  Duration duration;
};

// The longer of two suffixes of which one ends with the other comes first.
constexpr std::array kUnits = {
    Unit{"ms", Duration::Milliseconds(1)}, Unit{"s", Duration::Seconds(1)},
    Unit{"m", Duration::Seconds(60)},      Unit{"h", Duration::Seconds(3600)},
    Unit{"", Duration::Seconds(1)},
};

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

std::string ToText(Duration time) {
  const int64_t ms = time.ToMilliseconds();
  if (ms % 1000 != 0) return absl::StrCat(ms, "ms");
  return ms % 3'600'000 == 0 ? absl::StrCat(ms / 3'600'000, "h") : absl::StrCat(ms / 1000, "s");
}

absl::Status Wrong(std::string_view flag, std::string_view text, std::string_view form) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad ", ToAbsl(flag), " \"", ToAbsl(text), "\": write ", ToAbsl(form)));
}

std::optional<uint64_t> ReadDigits(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_all = error == std::errc() && end == text.data() + text.size();
  return is_all ? std::make_optional(value) : std::nullopt;
}

}  // namespace

absl::StatusOr<Duration> ParseTime(std::string_view flag, std::string_view text, Duration min,
                                   Duration max) {
  const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
    return text.ends_with(candidate.suffix);
  });
  const std::optional<uint64_t> count =
      ReadDigits(text.substr(0, text.size() - unit->suffix.size()));
  const auto largest = static_cast<uint64_t>(max.ToMilliseconds());
  if (count && *count <= largest) {
    const Duration time = unit->duration * static_cast<int64_t>(*count);
    if (time >= min && time <= max) return time;
  }
  return Wrong(flag, text,
               absl::StrCat("a time from ", ToText(min), " to ", ToText(max),
                            ", such as 500ms, 30s, 2m or 1h"));
}

absl::StatusOr<uint64_t> ParseNumber(std::string_view flag, std::string_view text, uint64_t min,
                                     uint64_t max) {
  const std::optional<uint64_t> number = ReadDigits(text);
  if (number && *number >= min && *number <= max) return *number;
  return Wrong(flag, text, absl::StrCat("a number from ", min, " to ", max));
}

absl::StatusOr<TunInterface> ParseTun(std::string_view name, std::string_view address) {
  const bool is_name = !name.empty() && name.size() <= kMaxInterfaceNameBytes && name != "." &&
                       name != ".." && std::all_of(name.begin(), name.end(), [](char c) {
                         return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%';
                       });
  if (!is_name) {
    return Wrong("--tun", name, "the name of an interface, of 1 to 15 bytes, such as tun0");
  }
  const size_t slash = address.find('/');
  const std::optional<SocketAddress> ip = SocketAddress::ParseIp(address.substr(0, slash), 0);
  const std::optional<uint64_t> bits =
      slash == std::string_view::npos ? std::nullopt : ReadDigits(address.substr(slash + 1));
  if (!ip || !bits || *bits > ip->ip().size() * 8) {
    return Wrong("--address", address,
                 "the interface's own address and the length of its prefix, such as 10.7.0.2/24");
  }
  return TunInterface{std::string(name), std::string(address)};
}

}  // namespace godwit::tunnel
