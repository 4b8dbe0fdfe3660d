// SPDX-License-Identifier: Apache-2.0
//
// SOCKS version 5 (RFC 1928) as bytes: what a client says is read, what it is told is written. No
// authentication; of the commands CONNECT and UDP ASSOCIATE. Which request is carried out is
// decided elsewhere. Reading takes any bytes.
#ifndef GODWIT_TUNNEL_SOCKS5_CODEC_H_
#define GODWIT_TUNNEL_SOCKS5_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "godwit/socket_address.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_message.h"

namespace godwit::tunnel {

// RFC 1928 §6: the field REP.
enum class Socks5Reply : uint8_t {
  kSucceeded = 0,
  kGeneralFailure = 1,
  kNotAllowed = 2,
  kNetworkUnreachable = 3,
  kHostUnreachable = 4,
  kConnectionRefused = 5,
  kTtlExpired = 6,
  kCommandNotSupported = 7,
  kAddressTypeNotSupported = 8,
};
Socks5Reply ToSocks5(ReplyStatus status);

// How far reading has come.
enum class Socks5Progress : uint8_t {
  kNeedsMore,
  kDone,
  kFailed,  // Not SOCKS 5, or nothing that can be answered: the connection ends.
};

// RFC 1928 §3.
struct Socks5Greeting {
  Socks5Progress progress = Socks5Progress::kNeedsMore;
  size_t size = 0;
  bool offers_no_authentication = false;
};
Socks5Greeting ReadSocks5Greeting(std::span<const uint8_t> bytes);
std::string EncodeSocks5Method(bool is_accepted);

// RFC 1928 §4. With kDone and a `refusal`, that is what it is told.
struct Socks5Request {
  enum class Command : uint8_t { kConnect = 1, kBind = 2, kUdpAssociate = 3 };

  Socks5Progress progress = Socks5Progress::kNeedsMore;
  size_t size = 0;
  Socks5Reply refusal = Socks5Reply::kSucceeded;
  Command command = Command::kConnect;
  HostPort target;
};
Socks5Request ReadSocks5Request(std::span<const uint8_t> bytes);
std::string EncodeSocks5Reply(Socks5Reply reply, const SocketAddress& bound);

// RFC 1928 §7: the header of a UDP packet. Fragments (FRAG is not 0) fail: nobody sends them.
struct Socks5UdpHeader {
  Socks5Progress progress = Socks5Progress::kFailed;
  size_t size = 0;  // The packet's data begins there.
  HostPort target;
};
Socks5UdpHeader ReadSocks5UdpHeader(std::span<const uint8_t> packet);
std::string EncodeSocks5UdpHeader(const HostPort& from);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SOCKS5_CODEC_H_
