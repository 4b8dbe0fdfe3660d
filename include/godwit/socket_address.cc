// SPDX-License-Identifier: Apache-2.0
#include "godwit/socket_address.h"

#include <charconv>
#include <limits>

namespace godwit {
namespace {

constexpr size_t kGroupCount = 8;  // RFC 4291 §2.2: 16 bits each.

// The Consume functions take what they name off the front of `text`. When they fail,
// parsing is over, so `text` may be left anywhere.

bool ConsumePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

// A number of at most `max`, without superfluous zeros: other parsers take those for octal.
std::optional<uint32_t> ConsumeDecimal(std::string_view& text, uint32_t max) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const size_t size = static_cast<size_t>(end - text.data());
  if (error != std::errc() || value > max || (size > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  text.remove_prefix(size);
  return value;
}

// One to four hexadecimal digits.
std::optional<uint16_t> ConsumeGroup(std::string_view& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const size_t size = static_cast<size_t>(end - text.data());
  if (error != std::errc() || size > 4) {
    return std::nullopt;
  }
  text.remove_prefix(size);
  return static_cast<uint16_t>(value);
}

// All of `text`, in dotted decimal, to the four bytes of `out`.
bool ParseIpv4(std::string_view text, std::span<uint8_t> out) {
  for (size_t i = 0; i < SocketAddress::kIpv4Size; ++i) {
    if (i > 0 && !ConsumePrefix(text, ".")) {
      return false;
    }
    const std::optional<uint32_t> octet = ConsumeDecimal(text, 255);
    if (!octet.has_value()) {
      return false;
    }
    out[i] = static_cast<uint8_t>(*octet);
  }
  return text.empty();
}

// All of `text`, without scope. RFC 4291 §2.2: eight groups; the last two may be an IPv4
// address; once, "::" may stand for one or more groups of zeros.
bool ParseIpv6(std::string_view text, std::span<uint8_t, SocketAddress::kIpv6Size> out) {
  size_t size = 0;            // Bytes written.
  std::optional<size_t> gap;  // Where "::" stands among them.
  if (ConsumePrefix(text, "::")) {
    gap = 0;
  }
  while (!(text.empty() && gap == size)) {
    const size_t separator = text.find_first_of(":.");
    if (separator != std::string_view::npos && text[separator] == '.') {
      if (size + SocketAddress::kIpv4Size > out.size() || !ParseIpv4(text, out.subspan(size, 4))) {
        return false;
      }
      size += SocketAddress::kIpv4Size;
      break;
    }
    const std::optional<uint16_t> group = ConsumeGroup(text);
    if (!group.has_value() || size == out.size()) {
      return false;
    }
    out[size++] = static_cast<uint8_t>(*group >> 8);
    out[size++] = static_cast<uint8_t>(*group);
    if (text.empty()) {
      break;
    }
    if (!gap.has_value() && ConsumePrefix(text, "::")) {
      gap = size;
    } else if (!ConsumePrefix(text, ":")) {
      return false;
    }
  }
  if (!gap.has_value()) {
    return size == out.size();
  }
  if (size == out.size()) {
    return false;
  }
  uint8_t* const zeros = out.data() + *gap;
  std::fill(zeros, std::copy_backward(zeros, out.data() + size, out.data() + out.size()), 0);
  return true;
}

struct GroupRun {
  size_t begin = 0;
  size_t size = 0;
};

// RFC 5952 §4.2: "::" shortens the longest run of two or more zero groups, of several the
// first.
GroupRun FindShortenedGroups(std::span<const uint16_t, kGroupCount> groups) {
  GroupRun best;
  GroupRun run;
  for (size_t i = 0; i < groups.size(); ++i) {
    run = groups[i] != 0 ? GroupRun{.begin = i + 1} : GroupRun{run.begin, run.size + 1};
    if (run.size > best.size) {
      best = run;
    }
  }
  return best.size >= 2 ? best : GroupRun{};
}

// Appends text to a buffer that the caller knows to be large enough.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> buffer) : begin_(buffer.data()), buffer_(buffer) {}

  void Append(std::string_view text) {
    std::copy(text.begin(), text.end(), buffer_.begin());
    buffer_ = buffer_.subspan(text.size());
  }
  void AppendNumber(uint32_t value, int base = 10) {
    char* const from = buffer_.data();
    const char* const end = std::to_chars(from, from + buffer_.size(), value, base).ptr;
    buffer_ = buffer_.subspan(static_cast<size_t>(end - from));
  }
  void AppendIpv4(std::span<const uint8_t> ip) {
    for (size_t i = 0; i < ip.size(); ++i) {
      Append(i > 0 ? "." : "");
      AppendNumber(ip[i]);
    }
  }
  void AppendIpv6(std::span<const uint8_t> ip) {
    std::array<uint16_t, kGroupCount> groups;
    for (size_t i = 0; i < groups.size(); ++i) {
      groups[i] = static_cast<uint16_t>(ip[2 * i] << 8 | ip[2 * i + 1]);
    }
    const GroupRun zeros = FindShortenedGroups(groups);
    // RFC 5952 §5: dotted decimal for the prefixes that are known to carry IPv4 addresses,
    // which are the two of RFC 4291 §2.5.5.
    const bool embeds_ipv4 =
        zeros.begin == 0 && (zeros.size == 6 || (zeros.size == 5 && groups[5] == 0xffff));
    const size_t group_count = embeds_ipv4 ? kGroupCount - 2 : kGroupCount;
    for (size_t i = 0; i < group_count; ++i) {
      if (zeros.size > 0 && i == zeros.begin) {
        Append("::");
        i += zeros.size - 1;
        continue;
      }
      Append(i > 0 && i != zeros.begin + zeros.size ? ":" : "");
      AppendNumber(groups[i], 16);
    }
    if (embeds_ipv4) {
      Append(zeros.size == 5 ? ":" : "");
      AppendIpv4(ip.last(SocketAddress::kIpv4Size));
    }
  }
  [[nodiscard]] std::string_view text() const {
    return {begin_, static_cast<size_t>(buffer_.data() - begin_)};
  }

 private:
  const char* begin_;
  std::span<char> buffer_;  // What is still free.
};

}  // namespace

std::optional<SocketAddress> SocketAddress::Parse(std::string_view text) {
  const bool bracketed = ConsumePrefix(text, "[");
  const size_t ip_size = text.find(bracketed ? ']' : ':');
  if (ip_size == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view ip = text.substr(0, ip_size);
  text.remove_prefix(ip_size);
  if (!ConsumePrefix(text, bracketed ? "]:" : ":")) {
    return std::nullopt;
  }
  const std::optional<uint32_t> port = ConsumeDecimal(text, std::numeric_limits<uint16_t>::max());
  if (!port.has_value() || !text.empty()) {
    return std::nullopt;
  }
  std::optional<SocketAddress> address = ParseIp(ip, static_cast<uint16_t>(*port));
  if (address.has_value() && address->is_ipv6() != bracketed) {
    return std::nullopt;
  }
  return address;
}

std::optional<SocketAddress> SocketAddress::ParseIp(std::string_view text, uint16_t port) {
  std::array<uint8_t, kIpv6Size> ip;
  if (text.find(':') == std::string_view::npos) {
    const std::span<uint8_t, kIpv4Size> ipv4 = std::span(ip).first<kIpv4Size>();
    return ParseIpv4(text, ipv4) ? std::optional(FromIpv4(ipv4, port)) : std::nullopt;
  }
  const size_t ip_size = text.find('%');
  if (!ParseIpv6(text.substr(0, ip_size), ip)) {
    return std::nullopt;
  }
  if (ip_size == std::string_view::npos) {
    return FromIpv6(ip, port);
  }
  text.remove_prefix(ip_size + 1);
  const std::optional<uint32_t> scope_id =
      ConsumeDecimal(text, std::numeric_limits<uint32_t>::max());
  if (!scope_id.has_value() || !text.empty()) {
    return std::nullopt;
  }
  const SocketAddress address = FromIpv6(ip, port, *scope_id);
  return address.is_ipv6_link_local() ? std::optional(address) : std::nullopt;
}

std::string_view SocketAddress::Format(std::span<char> buffer) const {
  std::array<char, kMaxFormattedSize> scratch;
  TextWriter writer(scratch);
  if (is_ipv4()) {
    writer.AppendIpv4(ip());
    writer.Append(":");
  } else {
    writer.Append("[");
    writer.AppendIpv6(ip());
    if (scope_id_ != 0) {
      writer.Append("%");
      writer.AppendNumber(scope_id_);
    }
    writer.Append("]:");
  }
  writer.AppendNumber(port_);
  const std::string_view text = writer.text();
  if (text.size() > buffer.size()) {
    return {};
  }
  std::copy(text.begin(), text.end(), buffer.begin());
  return {buffer.data(), text.size()};
}

std::string SocketAddress::ToString() const {
  std::array<char, kMaxFormattedSize> buffer;
  return std::string(Format(buffer));
}

}  // namespace godwit
