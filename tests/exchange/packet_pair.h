// SPDX-License-Identifier: Apache-2.0
//
// A client's and a server's PacketEnd, made to match, and the wire between them. What the wire
// carries can be seen, and changed, by an observer.
#ifndef GODWIT_TESTS_EXCHANGE_PACKET_PAIR_H_
#define GODWIT_TESTS_EXCHANGE_PACKET_PAIR_H_

#include <functional>
#include <memory>
#include <vector>

#include "tests/crypto/tls_endpoints.h"
#include "tests/exchange/packet_end.h"

namespace godwit {

// Called for every datagram before it arrives; `sender` is who sent it.
using WireObserver = std::function<void(Perspective sender, DatagramBytes& datagram)>;

class PacketPair {
 public:
  PacketPair();

  PacketEnd& client() { return *client_; }
  PacketEnd& server() { return *server_; }

  // Flights go back and forth until nobody has anything to say, or one side fails.
  Result Handshake(const WireObserver& observer = {});

  // From the client to the server, in trains of `train_datagrams`.
  Result Transfer(std::span<const uint8_t> data, size_t datagram_bytes, size_t train_datagrams);

 private:
  Result Deliver(Perspective sender, std::vector<DatagramBytes> flight,
                 const WireObserver& observer);

  TlsEndpoints endpoints_;
  std::unique_ptr<PacketEnd> client_;
  std::unique_ptr<PacketEnd> server_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_EXCHANGE_PACKET_PAIR_H_
