// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_message.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace godwit::tunnel {
namespace {

enum class Kind : uint8_t {
  kHello = 1,
  kOpenTarget = 2,
  kOpenForward = 3,
  kOpenReply = 4,
  kBindRequest = 5,
  kBindReply = 6,
  kProbe = 7,
};

constexpr uint8_t kIpv4Family = 4;
constexpr uint8_t kIpv6Family = 6;

bool IsPrintable(char c) { return c > 0x20 && c < 0x7f; }

// ---- Writing ----

class Writer {
 public:
  void Uint8(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void Uint16(uint16_t value) {
    Uint8(static_cast<uint8_t>(value >> 8));
    Uint8(static_cast<uint8_t>(value));
  }
  void Uint32(uint32_t value) {
    Uint16(static_cast<uint16_t>(value >> 16));
    Uint16(static_cast<uint16_t>(value));
  }
  void Text(std::string_view text) {
    text = text.substr(0, kMaxTextBytes);
    Uint8(static_cast<uint8_t>(text.size()));
    bytes_.append(text);
  }
  void Address(const SocketAddress& address) {
    Uint8(address.is_ipv4() ? kIpv4Family : kIpv6Family);
    for (const uint8_t byte : address.ip()) Uint8(byte);
    Uint16(address.port());
  }
  void Protocol(ForwardProtocol protocol) { Uint8(static_cast<uint8_t>(protocol)); }
  void Status(ReplyStatus status) { Uint8(static_cast<uint8_t>(status)); }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

Kind Write(const Hello& message, Writer& body) {
  body.Uint16(message.revision);
  return Kind::kHello;
}
Kind Write(const OpenTarget& message, Writer& body) {
  body.Protocol(message.protocol);
  body.Text(message.target.host);
  body.Uint16(message.target.port);
  return Kind::kOpenTarget;
}
Kind Write(const OpenForward& message, Writer& body) {
  body.Protocol(message.protocol);
  body.Uint32(message.forward_id);
  body.Address(message.peer);
  return Kind::kOpenForward;
}
Kind Write(const OpenReply& message, Writer& body) {
  body.Status(message.status);
  body.Address(message.address);
  body.Text(message.text);
  return Kind::kOpenReply;
}
Kind Write(const BindRequest& message, Writer& body) {
  body.Uint32(message.forward_id);
  body.Protocol(message.protocol);
  body.Address(message.address);
  return Kind::kBindRequest;
}
Kind Write(const BindReply& message, Writer& body) {
  body.Uint32(message.forward_id);
  body.Status(message.status);
  body.Address(message.address);
  body.Text(message.text);
  return Kind::kBindReply;
}
Kind Write(const Probe&, Writer&) { return Kind::kProbe; }

// ---- Reading ----

// Remembers that something was missing or wrong; what it gives then means nothing.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}

  bool has_failed() const { return has_failed_; }

  uint8_t Uint8() {
    if (!Has(1)) return 0;
    const uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  uint16_t Uint16() {
    const uint16_t high = Uint8();
    return static_cast<uint16_t>(high << 8 | Uint8());
  }
  uint32_t Uint32() {
    const uint32_t high = Uint16();
    return high << 16 | Uint16();
  }
  std::string Bytes() {
    const size_t size = Uint8();
    if (!Has(size)) return {};
    std::string text(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return text;
  }
  std::string Host() {
    std::string host = Bytes();
    has_failed_ = has_failed_ || !IsHost(host);
    return host;
  }
  // It is shown to people, on terminals.
  std::string Text() {
    std::string text = Bytes();
    std::ranges::replace_if(
        text, [](char c) { return c != ' ' && !IsPrintable(c); }, '?');
    return text;
  }
  SocketAddress Address() {
    const uint8_t family = Uint8();
    std::array<uint8_t, SocketAddress::kIpv6Size> ip = {};
    if (family != kIpv4Family && family != kIpv6Family) has_failed_ = true;
    const size_t size = family == kIpv4Family ? SocketAddress::kIpv4Size : SocketAddress::kIpv6Size;
    for (size_t i = 0; i < size; ++i) ip[i] = Uint8();
    const uint16_t port = Uint16();
    return family == kIpv4Family
               ? SocketAddress::FromIpv4(std::span(ip).first<SocketAddress::kIpv4Size>(), port)
               : SocketAddress::FromIpv6(ip, port);
  }
  ForwardProtocol Protocol() {
    const uint8_t value = Uint8();
    if (value > static_cast<uint8_t>(ForwardProtocol::kUdp)) has_failed_ = true;
    return static_cast<ForwardProtocol>(value);
  }
  // One that is not known yet is a failure of some kind.
  ReplyStatus Status() {
    const uint8_t value = Uint8();
    return value < kReplyStatusCount ? static_cast<ReplyStatus>(value) : ReplyStatus::kFailed;
  }

 private:
  bool Has(size_t size) {
    if (rest_.size() < size) has_failed_ = true;
    return !has_failed_;
  }

  std::span<const uint8_t> rest_;
  bool has_failed_ = false;
};

std::optional<TunnelMessage> ReadBody(Kind kind, Reader& body) {
  // Braces: the order of reading is that of the fields.
  switch (kind) {
    case Kind::kHello:
      return Hello{.revision = body.Uint16()};
    case Kind::kOpenTarget:
      return OpenTarget{.protocol = body.Protocol(),
                        .target = HostPort{.host = body.Host(), .port = body.Uint16()}};
    case Kind::kOpenForward:
      return OpenForward{
          .protocol = body.Protocol(), .forward_id = body.Uint32(), .peer = body.Address()};
    case Kind::kOpenReply:
      return OpenReply{.status = body.Status(), .address = body.Address(), .text = body.Text()};
    case Kind::kBindRequest:
      return BindRequest{
          .forward_id = body.Uint32(), .protocol = body.Protocol(), .address = body.Address()};
    case Kind::kBindReply:
      return BindReply{.forward_id = body.Uint32(),
                       .status = body.Status(),
                       .address = body.Address(),
                       .text = body.Text()};
    case Kind::kProbe:
      return Probe{};
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(ReplyStatus status) {
  switch (status) {
    case ReplyStatus::kOk:
      return "ok";
    case ReplyStatus::kFailed:
      return "failed";
    case ReplyStatus::kNotAllowed:
      return "not allowed";
    case ReplyStatus::kNameNotFound:
      return "name not found";
    case ReplyStatus::kUnreachable:
      return "unreachable";
    case ReplyStatus::kRefused:
      return "refused";
    case ReplyStatus::kTimedOut:
      return "timed out";
    case ReplyStatus::kAddressInUse:
      return "address in use";
    case ReplyStatus::kTooMany:
      return "too many";
    case ReplyStatus::kNameUnresolved:
      return "name not resolved";
  }
  return "failed";
}

std::string EncodeMessage(const TunnelMessage& message) {
  Writer body;
  const Kind kind = std::visit([&body](const auto& one) { return Write(one, body); }, message);
  Writer header;
  header.Uint8(static_cast<uint8_t>(kind));
  header.Uint16(static_cast<uint16_t>(body.bytes().size()));
  return header.bytes() + body.bytes();
}

absl::StatusOr<std::optional<ReadMessage>> ParseMessage(std::span<const uint8_t> bytes) {
  if (bytes.size() < kMessageHeaderBytes) return std::nullopt;
  Reader header(bytes);
  const uint8_t kind = header.Uint8();
  const size_t size = header.Uint16();
  if (kind < static_cast<uint8_t>(Kind::kHello) || kind > static_cast<uint8_t>(Kind::kProbe)) {
    return absl::InvalidArgumentError(absl::StrCat("unknown message kind ", kind));
  }
  if (size > kMaxMessageBodyBytes) {
    return absl::InvalidArgumentError(absl::StrCat("message of kind ", kind, " has ", size,
                                                   " bytes; allowed: ", kMaxMessageBodyBytes));
  }
  if (bytes.size() < kMessageHeaderBytes + size) return std::nullopt;
  Reader body(bytes.subspan(kMessageHeaderBytes, size));
  std::optional<TunnelMessage> message = ReadBody(static_cast<Kind>(kind), body);
  if (!message.has_value() || body.has_failed()) {
    return absl::InvalidArgumentError(absl::StrCat("malformed message of kind ", kind));
  }
  return ReadMessage{.message = *std::move(message), .size = kMessageHeaderBytes + size};
}

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostBytes && std::ranges::all_of(host, IsPrintable);
}

std::string IpText(const SocketAddress& address) {
  std::string text = address.ToString();
  text.resize(text.rfind(':'));
  if (text.front() == '[') text = text.substr(1, text.size() - 2);
  return text;
}

}  // namespace godwit::tunnel
