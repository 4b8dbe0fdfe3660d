// SPDX-License-Identifier: Apache-2.0
//
// TunnelMessage: what the two ends of a tunnel say to each other on streams, before and beside the
// bytes that they carry: as values, and as bytes. docs/tunnel-protocol.md is the specification.
//
// A message is a kind (1 byte), the length of its body (2 bytes) and the body; numbers are in
// network byte order. Bytes of a body beyond the fields that are known here are ignored. Reading
// takes any bytes: a peer may have written them. What is read holds: hosts are 1 to 255 printable
// ASCII characters, texts at most 255 of them.
#ifndef GODWIT_TUNNEL_TUNNEL_MESSAGE_H_
#define GODWIT_TUNNEL_TUNNEL_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

// The number in it changes when older programs could not understand.
inline constexpr std::string_view kTunnelProtocol = "godwit-tunnel/1";
// Of RESET_STREAM and STOP_SENDING.
enum class StreamErrorCode : uint64_t {
  kConnectionReset = 1,  // The TCP connection was reset.
  kRefused = 2,          // The reply says why.
  kProtocolViolation = 3,
};
// Of CONNECTION_CLOSE.
enum class TunnelErrorCode : uint64_t { kNone = 0, kProtocolViolation = 1, kKeyRevoked = 2 };

// What became of a request.
enum class ReplyStatus : uint8_t {
  kOk = 0,
  kFailed = 1,
  kNotAllowed = 2,
  kNameNotFound = 3,
  kUnreachable = 4,
  kRefused = 5,
  kTimedOut = 6,
  kAddressInUse = 7,
  kTooMany = 8,
  kNameUnresolved = 9,  // Whether there is such a name could not be found out.
};
inline constexpr size_t kReplyStatusCount = 10;
// In words. Static text.
[[nodiscard]] std::string_view ToString(ReplyStatus status);

// The first of the control stream, one each way.
struct Hello {
  uint16_t revision = 0;
  friend bool operator==(const Hello&, const Hello&) = default;
};
// The first of a stream: connect this stream (TCP) or this flow (UDP) to a host.
struct OpenTarget {
  ForwardProtocol protocol = ForwardProtocol::kTcp;
  HostPort target;
  friend bool operator==(const OpenTarget&, const OpenTarget&) = default;
};
// The same, to what the remote forward of that number leads to. `peer` has connected.
struct OpenForward {
  ForwardProtocol protocol = ForwardProtocol::kTcp;
  uint32_t forward_id = 0;
  SocketAddress peer;
  friend bool operator==(const OpenForward&, const OpenForward&) = default;
};
// The answer to the two; bytes follow where it is kOk.
struct OpenReply {
  ReplyStatus status = ReplyStatus::kOk;
  // TCP: the local address of the connection made. UDP: the address that the host stands for.
  SocketAddress address;
  std::string text;  // For people: why not, and what to do.
  friend bool operator==(const OpenReply&, const OpenReply&) = default;
};
// On the control stream: listen there, and open a stream or flow of `forward_id` for each peer.
struct BindRequest {
  uint32_t forward_id = 0;
  ForwardProtocol protocol = ForwardProtocol::kTcp;
  SocketAddress address;
  friend bool operator==(const BindRequest&, const BindRequest&) = default;
};
struct BindReply {
  uint32_t forward_id = 0;
  ReplyStatus status = ReplyStatus::kOk;
  SocketAddress address;
  std::string text;
  friend bool operator==(const BindReply&, const BindReply&) = default;
};
// On the control stream, not answered: what sends it wants a packet to go out, now.
struct Probe {
  friend bool operator==(const Probe&, const Probe&) = default;
};

using TunnelMessage =
    std::variant<Hello, OpenTarget, OpenForward, OpenReply, BindRequest, BindReply, Probe>;

inline constexpr size_t kMaxMessageBodyBytes = 1'024;
inline constexpr size_t kMessageHeaderBytes = 3;
inline constexpr size_t kMaxMessageBytes = kMessageHeaderBytes + kMaxMessageBodyBytes;
inline constexpr size_t kMaxHostBytes = 255;
inline constexpr size_t kMaxTextBytes = 255;

// Texts are cut; a host must be short enough (IsHost()).
std::string EncodeMessage(const TunnelMessage& message);

struct ReadMessage {
  TunnelMessage message;
  size_t size;  // Of all of it.
};
// Nothing yet if `bytes` ends before the message does. Errors name what is wrong with it.
absl::StatusOr<std::optional<ReadMessage>> ParseMessage(std::span<const uint8_t> bytes);

// Something that can be asked for: 1 to 255 printable ASCII characters.
[[nodiscard]] bool IsHost(std::string_view host);
// The address without port and brackets.
std::string IpText(const SocketAddress& address);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_MESSAGE_H_
