// SPDX-License-Identifier: Apache-2.0
#include "tunnel/diag.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "godwit/client.h"
#include "godwit/connection_config.h"
#include "godwit/event_handler.h"
#include "godwit/socket_address.h"
#include "godwit/udp_socket_config.h"
#include "tunnel/forward_spec.h"
#include "tunnel/kernel_sockets.h"
#include "tunnel/tunnel_message.h"

namespace godwit::tunnel {
namespace {

constexpr int kUdpHeaderBytes = 8;
constexpr int kIpv4HeaderBytes = 20;
constexpr int kIpv6HeaderBytes = 40;

std::string DescribeLimit(const std::string& name, uint64_t wanted) {
  uint64_t value = 0;
  std::ifstream("/proc/sys/net/core/" + name) >> value;
  if (value == 0) return absl::StrCat("net.core.", name, ": cannot be read\n");
  std::string line = absl::StrCat("net.core.", name, ": ", value);
  if (value < wanted) {
    absl::StrAppend(&line, ", less than the ", wanted,
                    " that fast links want; as root: sysctl -w net.core.", name, "=", wanted);
  }
  return line + "\n";
}

std::string DescribeSocket() {
  ClientConfig config;
  config.tls.application_protocols = {std::string(kTunnelProtocol)};
  // Of nobody: it connects to nothing.
  config.tls.server_verification = PeerVerification::PinnedKeys({PublicKeyHash()});
  EventHandler handler;
  const auto client = Client::Create(config, &handler);
  if (!client.ok()) return absl::StrCat("no UDP socket: ", client.status().message(), "\n");
  std::string text = (*client)->OffloadText();
  if (!text.ends_with('\n')) text += '\n';
  for (const std::string& notice : (*client)->TakeNotices()) {
    absl::StrAppend(&text, "note: ", notice, "\n");
  }
  return text;
}

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

std::optional<SocketAddress> AddressOf(const addrinfo& entry) {
  if (entry.ai_family == AF_INET) {
    const auto& ip = *reinterpret_cast<const sockaddr_in*>(entry.ai_addr);
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&ip.sin_addr);
    return SocketAddress::FromIpv4(std::span<const uint8_t, 4>(bytes, 4), ntohs(ip.sin_port));
  }
  if (entry.ai_family != AF_INET6) return std::nullopt;
  const auto& ip = *reinterpret_cast<const sockaddr_in6*>(entry.ai_addr);
  const auto* const bytes = reinterpret_cast<const uint8_t*>(&ip.sin6_addr);
  return SocketAddress::FromIpv6(std::span<const uint8_t, 16>(bytes, 16), ntohs(ip.sin6_port),
                                 ip.sin6_scope_id);
}

std::string DescribeWay(const SocketAddress& address) {
  const SocketOrError socket = ConnectUdp(address);
  if (socket.error != 0) {
    return absl::StrCat(address.ToString(), ": ",
                        absl::ErrnoToStatus(socket.error, "no route").message(), "\n");
  }
  int mtu = 0;
  socklen_t size = sizeof(mtu);
  const bool is_ipv4 = address.is_ipv4();
  if (getsockopt(socket.fd.get(), is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_MTU : IPV6_MTU,
                 &mtu, &size) != 0) {
    return absl::StrCat(address.ToString(), ": the MTU is not known\n");
  }
  const int headers = kUdpHeaderBytes + (is_ipv4 ? kIpv4HeaderBytes : kIpv6HeaderBytes);
  return absl::StrCat(address.ToString(), ": from ", LocalAddressOf(socket.fd.get()).ToString(),
                      ", MTU ", mtu, " as the kernel knows it: datagrams up to ", mtu - headers,
                      " bytes\n");
}

absl::StatusOr<std::string> DescribeServer(const HostPort& server) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(server.host.c_str(), absl::StrCat(server.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::NotFoundError(
        absl::StrCat("\"", server.host, "\" has no address: ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, AddressesDeleter> addresses(found);
  std::string text;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (const std::optional<SocketAddress> address = AddressOf(*entry)) {
      text += DescribeWay(*address);
    }
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> Diagnose(const DiagOptions& options) {
  const UdpSocketConfig socket;
  const MtuConfig mtu;
  std::string text = absl::StrCat(
      "UDP socket\n", DescribeSocket(), "\nBuffers\n",
      DescribeLimit("rmem_max", socket.receive_buffer_bytes),
      DescribeLimit("wmem_max", socket.send_buffer_bytes), "\nPath MTU\ndatagrams begin at ",
      mtu.min_mtu, " bytes and grow to ", mtu.max_mtu, " where the path carries them\n");
  if (options.server) {
    const absl::StatusOr<std::string> way = DescribeServer(*options.server);
    if (!way.ok()) return way.status();
    text += *way;
  }
  return text;
}

}  // namespace godwit::tunnel
