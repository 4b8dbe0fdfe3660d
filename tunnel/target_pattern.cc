// SPDX-License-Identifier: Apache-2.0
#include "tunnel/target_pattern.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit::tunnel {
namespace {

constexpr int kBitsPerByte = 8;
// RFC 1035 §2.3.4, in octets.
constexpr size_t kMaxNameLength = 253;
constexpr size_t kMaxLabelLength = 63;

std::optional<uint32_t> ReadNumber(std::string_view text, uint32_t max) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_all = end == text.data() + text.size();
  if (text.empty() || error != std::errc() || !is_all || value > max) return std::nullopt;
  return value;
}

int BitsOf(const SocketAddress& address) {
  return static_cast<int>(address.ip().size()) * kBitsPerByte;
}

bool FirstBitsAreEqual(std::span<const uint8_t> a, std::span<const uint8_t> b, int bits) {
  const auto whole = static_cast<size_t>(bits / kBitsPerByte);
  if (!std::equal(a.begin(), a.begin() + static_cast<ptrdiff_t>(whole), b.begin())) return false;
  const int rest = bits % kBitsPerByte;
  return rest == 0 || (a[whole] ^ b[whole]) >> (kBitsPerByte - rest) == 0;
}

bool RestIsZero(std::span<const uint8_t> ip, int bits) {
  for (int bit = bits; bit < static_cast<int>(ip.size()) * kBitsPerByte; ++bit) {
    const uint8_t byte = ip[static_cast<size_t>(bit / kBitsPerByte)];
    if ((byte >> (kBitsPerByte - 1 - bit % kBitsPerByte) & 1) != 0) return false;
  }
  return true;
}

// What looks like an address counts as one that is wrong: 10.0.0.300 is no name.
bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength) return false;
  bool has_letter = false;
  size_t label = 0;
  for (const char c : text) {
    const bool is_letter = absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_';
    if (!is_letter && !absl::ascii_isdigit(static_cast<unsigned char>(c)) && c != '-' && c != '.') {
      return false;
    }
    has_letter = has_letter || is_letter;
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > kMaxLabelLength) return false;
  }
  return has_letter;
}

absl::Status Wrong(std::string_view pattern, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad pattern \"", absl::string_view(pattern.data(), pattern.size()),
                   "\": ", absl::string_view(what.data(), what.size()),
                   "; write HOST:PORT, such as db.example.org:5432, *.example.org:443, "
                   "10.0.0.0/8:8000-8999, [2001:db8::/32]:22 or *:443"));
}

// What is wrong, or nothing.
std::string_view ReadPorts(std::string_view text, TargetRule& rule) {
  if (text == "*") return {};
  const size_t dash = text.find('-');
  const std::optional<uint32_t> first = ReadNumber(text.substr(0, dash), 65'535);
  const std::optional<uint32_t> last =
      dash == std::string_view::npos ? first : ReadNumber(text.substr(dash + 1), 65'535);
  if (!first || !last || *first == 0) return "the port is 1 to 65535, a range 8000-8999 or *";
  if (*first > *last) return "the range of ports ends before it begins";
  rule.first_port = static_cast<uint16_t>(*first);
  rule.last_port = static_cast<uint16_t>(*last);
  return {};
}

std::string_view ReadRange(std::string_view text, TargetRule& rule) {
  const size_t slash = text.find('/');
  const std::optional<SocketAddress> base = SocketAddress::ParseIp(text.substr(0, slash), 0);
  if (!base) return "the host is no address and no name";
  rule.host = TargetRule::Host::kAddresses;
  rule.range.base = *base;
  rule.range.bits = BitsOf(*base);
  if (slash == std::string_view::npos) return {};
  const std::optional<uint32_t> bits =
      ReadNumber(text.substr(slash + 1), static_cast<uint32_t>(BitsOf(*base)));
  if (!bits) return "the length of the prefix is no number or too large";
  rule.range.bits = static_cast<int>(*bits);
  if (!RestIsZero(base->ip(), rule.range.bits)) {
    return "the address has bits beyond its prefix; is the prefix too short?";
  }
  return {};
}

std::string_view ReadHost(std::string_view text, TargetRule& rule) {
  if (text.empty()) return "it has no host";
  if (text == "*") {
    rule.host = TargetRule::Host::kAny;
    return {};
  }
  if (text.front() == '[') {
    if (text.back() != ']') return "the bracket is not closed";
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.find(':') == std::string_view::npos) return "brackets are for IPv6 addresses";
    return ReadRange(inner, rule);
  }
  if (text.find(':') != std::string_view::npos) return "an IPv6 address needs brackets";
  const bool is_wildcard = text.starts_with("*.");
  const std::string_view name = is_wildcard ? text.substr(2) : text;
  if (name.find('/') == std::string_view::npos && IsName(name)) {
    rule.host = is_wildcard ? TargetRule::Host::kNamesBelow : TargetRule::Host::kName;
    rule.name = NormalisedName(name);
    return {};
  }
  return ReadRange(text, rule);
}

}  // namespace

bool AddressRange::Holds(const SocketAddress& address) const {
  return address.family() == base.family() && FirstBitsAreEqual(base.ip(), address.ip(), bits) &&
         (base.scope_id() == 0 || base.scope_id() == address.scope_id());
}

bool AddressRange::Holds(const AddressRange& other) const {
  return bits <= other.bits && Holds(other.base);
}

std::string NormalisedName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return absl::AsciiStrToLower(absl::string_view(name.data(), name.size()));
}

absl::StatusOr<TargetRule> TargetRule::Parse(std::string_view pattern) {
  // The last colon that is not inside of brackets.
  const size_t bracket = pattern.rfind(']');
  const size_t colon = pattern.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return Wrong(pattern, "it has no port");
  }
  TargetRule rule;
  std::string_view problem = ReadHost(pattern.substr(0, colon), rule);
  if (problem.empty()) problem = ReadPorts(pattern.substr(colon + 1), rule);
  if (!problem.empty()) return Wrong(pattern, problem);
  return rule;
}

bool TargetRule::HoldsName(std::string_view asked_name) const {
  if (host == Host::kName) return asked_name == name;
  // Not `example.org` itself, and not `badexample.org`.
  return host == Host::kNamesBelow && asked_name.size() > name.size() + 1 &&
         asked_name.ends_with(name) && asked_name[asked_name.size() - name.size() - 1] == '.';
}

}  // namespace godwit::tunnel
