// SPDX-License-Identifier: Apache-2.0
#include "tunnel/forward_spec.h"

#include <charconv>
#include <cstddef>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "godwit/socket_address.h"

namespace godwit::tunnel {
namespace {

// RFC 1035 §2.3.4.
constexpr size_t kMaxHostBytes = 253;

constexpr std::string_view kForwardForm =
    " [udp:][BIND:]PORT:HOST:HOSTPORT, such as 8080:localhost:80";
constexpr std::string_view kSocksForm = " [BIND:]PORT, such as 1080 or 127.0.0.1:1080";
constexpr std::string_view kListenerForm = " ADDRESS:PORT, such as 127.0.0.1:4433 or [::]:4433";
constexpr std::string_view kServerForm = " HOST or HOST:PORT, such as example.org:4433";

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// A text that is being read: what it belongs to, and what would be right.
struct Source {
  std::string_view flag;
  std::string_view text;
  std::string_view form;

  absl::Status Wrong(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("bad ", ToAbsl(flag), " \"", ToAbsl(text),
                                                   "\": ", ToAbsl(what), "; write ", ToAbsl(flag),
                                                   ToAbsl(form)));
  }
};

// What stands between colons outside of brackets. Nothing if the brackets do not pair.
std::optional<std::vector<std::string_view>> SplitFields(std::string_view text) {
  std::vector<std::string_view> fields;
  bool is_inside = false;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == ']') {
      if (is_inside == (text[i] == '[')) return std::nullopt;
      is_inside = !is_inside;
    } else if (text[i] == ':' && !is_inside) {
      fields.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  fields.push_back(text.substr(begin));
  return is_inside ? std::nullopt : std::make_optional(std::move(fields));
}

std::optional<uint16_t> ReadPort(std::string_view text, uint16_t min = 1) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_right = error == std::errc() && end == text.data() + text.size() && port >= min;
  return is_right ? std::make_optional(port) : std::nullopt;
}

// The address in brackets, or nothing.
std::optional<std::string> ReadBracketed(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  const std::string_view inner = text.substr(1, text.size() - 2);
  const std::optional<SocketAddress> address = SocketAddress::ParseIp(inner, 0);
  if (!address || !address->is_ipv6()) return std::nullopt;
  return std::string(inner);
}

std::optional<std::string> ReadHost(std::string_view text) {
  if (text.starts_with('[')) return ReadBracketed(text);
  if (text.empty() || text.size() > kMaxHostBytes) return std::nullopt;
  for (const char c : text) {
    // Names may be internationalised by whoever resolves them; spaces and control bytes may not be.
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '[' || c == ']' || c == '*' ||
        c == '/' || c == '@') {
      return std::nullopt;
    }
  }
  return std::string(text);
}

// What `*` stands for, and the least port.
struct BindRules {
  std::string_view any = "0.0.0.0";
  uint16_t min_port = 1;
};

std::optional<std::string> ReadBindHost(std::string_view text, std::string_view any) {
  if (text.empty() || text == "*") return std::string(any);
  if (text == "localhost") return "127.0.0.1";
  if (text.starts_with('[')) return ReadBracketed(text);
  if (!SocketAddress::ParseIp(text, 0)) return std::nullopt;
  return std::string(text);
}

absl::StatusOr<HostPort> ReadBind(const Source& source, std::string_view host,
                                  std::string_view port, const BindRules& rules = {}) {
  HostPort bind;
  const std::optional<std::string> read_host = ReadBindHost(host, rules.any);
  if (!read_host) {
    return source.Wrong(absl::StrCat("\"", ToAbsl(host), "\" is no address to bind"));
  }
  const std::optional<uint16_t> read_port = ReadPort(port, rules.min_port);
  if (!read_port) return source.Wrong(absl::StrCat("\"", ToAbsl(port), "\" is no port"));
  bind.host = *read_host;
  bind.port = *read_port;
  return bind;
}

}  // namespace

absl::StatusOr<Forward> ParseForward(std::string_view flag, std::string_view text) {
  const Source source = {flag, text, kForwardForm};
  Forward forward;
  std::string_view rest = text;
  if (rest.starts_with("udp:")) {
    forward.protocol = ForwardProtocol::kUdp;
    rest.remove_prefix(4);
  } else if (rest.starts_with("tcp:")) {
    rest.remove_prefix(4);
  }
  const std::optional<std::vector<std::string_view>> fields = SplitFields(rest);
  if (!fields) return source.Wrong("the brackets do not pair");
  const size_t count = fields->size();
  if (count < 3) return source.Wrong("it has too few parts");
  if (count > 4) return source.Wrong("it has too many parts; an IPv6 address needs brackets");

  const std::string_view bind = count == 4 ? fields->front() : "127.0.0.1";
  const absl::StatusOr<HostPort> read_bind = ReadBind(source, bind, (*fields)[count - 3]);
  if (!read_bind.ok()) return read_bind.status();
  forward.bind = *read_bind;
  const std::optional<std::string> host = ReadHost((*fields)[count - 2]);
  if (!host) {
    return source.Wrong(absl::StrCat("\"", ToAbsl((*fields)[count - 2]), "\" is no host"));
  }
  const std::optional<uint16_t> port = ReadPort(fields->back());
  if (!port) return source.Wrong(absl::StrCat("\"", ToAbsl(fields->back()), "\" is no port"));
  forward.target = {*host, *port};
  return forward;
}

absl::StatusOr<HostPort> ParseSocksListener(std::string_view text) {
  const Source source = {"-D", text, kSocksForm};
  const std::optional<std::vector<std::string_view>> fields = SplitFields(text);
  if (!fields) return source.Wrong("the brackets do not pair");
  if (fields->size() > 2) {
    return source.Wrong("it has too many parts; an IPv6 address needs brackets");
  }
  return ReadBind(source, fields->size() == 2 ? fields->front() : "127.0.0.1", fields->back());
}

absl::StatusOr<HostPort> ParseListener(std::string_view flag, std::string_view text,
                                       std::string_view any) {
  const Source source = {flag, text, kListenerForm};
  const std::optional<std::vector<std::string_view>> fields = SplitFields(text);
  if (!fields) return source.Wrong("the brackets do not pair");
  if (fields->size() < 2) return source.Wrong("it has no port");
  if (fields->size() > 2) {
    return source.Wrong("it has too many parts; an IPv6 address needs brackets");
  }
  return ReadBind(source, fields->front(), fields->back(), {.any = any, .min_port = 0});
}

absl::StatusOr<HostPort> ParseServer(std::string_view what, std::string_view text,
                                     uint16_t default_port) {
  const Source source = {what, text, kServerForm};
  // An address without a port needs no brackets.
  const std::optional<SocketAddress> address = SocketAddress::ParseIp(text, 0);
  if (address && address->is_ipv6()) return HostPort{std::string(text), default_port};
  const std::optional<std::vector<std::string_view>> fields = SplitFields(text);
  if (!fields) return source.Wrong("the brackets do not pair");
  if (fields->size() > 2) {
    return source.Wrong("it has too many parts; an IPv6 address needs brackets");
  }
  const std::optional<std::string> host = ReadHost(fields->front());
  if (!host) {
    return source.Wrong(absl::StrCat("\"", ToAbsl(fields->front()), "\" is no host"));
  }
  if (fields->size() == 1) return HostPort{*host, default_port};
  const std::optional<uint16_t> port = ReadPort(fields->back());
  if (!port) return source.Wrong(absl::StrCat("\"", ToAbsl(fields->back()), "\" is no port"));
  return HostPort{*host, *port};
}

std::string ToText(const HostPort& host_port) {
  const bool is_ipv6 = host_port.host.find(':') != std::string::npos;
  return is_ipv6 ? absl::StrCat("[", host_port.host, "]:", host_port.port)
                 : absl::StrCat(host_port.host, ":", host_port.port);
}

std::string ToText(const Forward& forward) {
  return absl::StrCat(forward.protocol == ForwardProtocol::kUdp ? "udp:" : "", ToText(forward.bind),
                      ":", ToText(forward.target));
}

}  // namespace godwit::tunnel
