// SPDX-License-Identifier: Apache-2.0
#include "tunnel/socks5_codec.h"

#include <array>
#include <optional>

namespace godwit::tunnel {
namespace {

constexpr uint8_t kVersion = 5;
constexpr uint8_t kNoAuthentication = 0;
constexpr uint8_t kNoAcceptableMethod = 0xff;

// RFC 1928 §5.
enum class AddressType : uint8_t { kIpv4 = 1, kName = 3, kIpv6 = 4 };

struct ReadAddress {
  Socks5Progress progress = Socks5Progress::kNeedsMore;
  bool is_known_type = true;
  size_t size = 0;
  HostPort address;
};

uint16_t PortAt(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// Type, address and port.
ReadAddress ReadTypedAddress(std::span<const uint8_t> bytes) {
  ReadAddress read;
  if (bytes.empty()) return read;
  size_t begin = 1;
  size_t size = 0;
  switch (static_cast<AddressType>(bytes[0])) {
    case AddressType::kIpv4:
      size = SocketAddress::kIpv4Size;
      break;
    case AddressType::kIpv6:
      size = SocketAddress::kIpv6Size;
      break;
    case AddressType::kName:
      if (bytes.size() < 2) return read;
      begin = 2;
      size = bytes[1];
      break;
    default:
      read.progress = Socks5Progress::kDone;
      read.is_known_type = false;
      return read;
  }
  read.size = begin + size + 2;
  if (bytes.size() < read.size) return read;
  const std::span<const uint8_t> host = bytes.subspan(begin, size);
  read.address.port = PortAt(bytes, begin + size);
  if (bytes[0] == static_cast<uint8_t>(AddressType::kIpv4)) {
    read.address.host = IpText(SocketAddress::FromIpv4(host.first<SocketAddress::kIpv4Size>(), 0));
  } else if (bytes[0] == static_cast<uint8_t>(AddressType::kIpv6)) {
    read.address.host = IpText(SocketAddress::FromIpv6(host.first<SocketAddress::kIpv6Size>(), 0));
  } else {
    read.address.host.assign(host.begin(), host.end());
  }
  read.progress = IsHost(read.address.host) ? Socks5Progress::kDone : Socks5Progress::kFailed;
  return read;
}

void AppendTypedAddress(const SocketAddress& address, std::string& bytes) {
  bytes.push_back(static_cast<char>(address.is_ipv4() ? AddressType::kIpv4 : AddressType::kIpv6));
  bytes.append(address.ip().begin(), address.ip().end());
  bytes.push_back(static_cast<char>(address.port() >> 8));
  bytes.push_back(static_cast<char>(address.port()));
}

}  // namespace

Socks5Reply ToSocks5(ReplyStatus status) {
  switch (status) {
    case ReplyStatus::kOk:
      return Socks5Reply::kSucceeded;
    case ReplyStatus::kNotAllowed:
      return Socks5Reply::kNotAllowed;
    // RFC 1928 §6: of the codes there are, that which speaks of this one host; a general failure
    // would be the proxy's, and applications look for another proxy.
    case ReplyStatus::kNameNotFound:
    case ReplyStatus::kNameUnresolved:
      return Socks5Reply::kHostUnreachable;
    case ReplyStatus::kUnreachable:
      return Socks5Reply::kNetworkUnreachable;
    case ReplyStatus::kRefused:
      return Socks5Reply::kConnectionRefused;
    case ReplyStatus::kTimedOut:
      return Socks5Reply::kTtlExpired;
    case ReplyStatus::kFailed:
    case ReplyStatus::kAddressInUse:
    case ReplyStatus::kTooMany:
      return Socks5Reply::kGeneralFailure;
  }
  return Socks5Reply::kGeneralFailure;
}

Socks5Greeting ReadSocks5Greeting(std::span<const uint8_t> bytes) {
  Socks5Greeting greeting;
  if (!bytes.empty() && bytes[0] != kVersion) {
    greeting.progress = Socks5Progress::kFailed;
    return greeting;
  }
  if (bytes.size() < 2) return greeting;
  greeting.size = size_t{2} + bytes[1];
  if (bytes.size() < greeting.size) return greeting;
  greeting.progress = Socks5Progress::kDone;
  for (const uint8_t method : bytes.subspan(2, bytes[1])) {
    greeting.offers_no_authentication |= method == kNoAuthentication;
  }
  return greeting;
}

std::string EncodeSocks5Method(bool is_accepted) {
  return {static_cast<char>(kVersion),
          static_cast<char>(is_accepted ? kNoAuthentication : kNoAcceptableMethod)};
}

Socks5Request ReadSocks5Request(std::span<const uint8_t> bytes) {
  constexpr size_t kBeforeAddress = 3;  // Version, command, reserved.
  Socks5Request request;
  if (!bytes.empty() && bytes[0] != kVersion) {
    request.progress = Socks5Progress::kFailed;
    return request;
  }
  if (bytes.size() <= kBeforeAddress) return request;
  ReadAddress read = ReadTypedAddress(bytes.subspan(kBeforeAddress));
  request.progress = read.progress;
  if (read.progress != Socks5Progress::kDone) return request;
  if (!read.is_known_type) {
    request.size = bytes.size();
    request.refusal = Socks5Reply::kAddressTypeNotSupported;
    return request;
  }
  request.size = kBeforeAddress + read.size;
  request.command = static_cast<Socks5Request::Command>(bytes[1]);
  request.target = std::move(read.address);
  if (request.command != Socks5Request::Command::kConnect &&
      request.command != Socks5Request::Command::kUdpAssociate) {
    request.refusal = Socks5Reply::kCommandNotSupported;
  }
  return request;
}

std::string EncodeSocks5Reply(Socks5Reply reply, const SocketAddress& bound) {
  std::string bytes = {static_cast<char>(kVersion), static_cast<char>(reply), 0};
  AppendTypedAddress(bound, bytes);
  return bytes;
}

Socks5UdpHeader ReadSocks5UdpHeader(std::span<const uint8_t> packet) {
  constexpr size_t kBeforeAddress = 3;  // Two reserved bytes, FRAG.
  Socks5UdpHeader header;
  if (packet.size() <= kBeforeAddress || packet[2] != 0) return header;
  ReadAddress read = ReadTypedAddress(packet.subspan(kBeforeAddress));
  if (read.progress != Socks5Progress::kDone || !read.is_known_type) return header;
  header.progress = Socks5Progress::kDone;
  header.size = kBeforeAddress + read.size;
  header.target = std::move(read.address);
  return header;
}

std::string EncodeSocks5UdpHeader(const HostPort& from) {
  std::string bytes(3, '\0');
  if (const auto address = SocketAddress::ParseIp(from.host, from.port)) {
    AppendTypedAddress(*address, bytes);
    return bytes;
  }
  const std::string host = from.host.substr(0, kMaxHostBytes);
  bytes.push_back(static_cast<char>(AddressType::kName));
  bytes.push_back(static_cast<char>(host.size()));
  bytes += host;
  bytes.push_back(static_cast<char>(from.port >> 8));
  bytes.push_back(static_cast<char>(from.port));
  return bytes;
}

}  // namespace godwit::tunnel
