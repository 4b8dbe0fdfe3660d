// SPDX-License-Identifier: Apache-2.0
#include "tests/exchange/packet_pair.h"

#include <algorithm>
#include <array>
#include <utility>

#include "transport/wire/transport_parameters.h"

namespace godwit {
namespace {

ConnectionId IdOf(std::array<uint8_t, 8> bytes) { return *ConnectionId::FromBytes(bytes); }

std::vector<uint8_t> Encode(const TransportParameters& parameters, Perspective sender) {
  std::vector<uint8_t> block(EncodedSize(parameters));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, sender, {}, writer);
  return block;
}

}  // namespace

PacketPair::PacketPair() {
  const ConnectionId client_id = IdOf({0xc1, 1, 2, 3, 4, 5, 6, 7});
  const ConnectionId server_id = IdOf({0x5e, 1, 2, 3, 4, 5, 6, 7});
  const ConnectionId first_destination = IdOf({0xd0, 1, 2, 3, 4, 5, 6, 7});
  TransportParameters client_parameters;
  client_parameters.initial_source_connection_id = client_id;
  client_parameters.initial_max_data = 1 << 20;
  TransportParameters server_parameters = client_parameters;
  server_parameters.initial_source_connection_id = server_id;
  server_parameters.original_destination_connection_id = first_destination;
  endpoints_.client_parameters = Encode(client_parameters, Perspective::kClient);
  endpoints_.server_parameters = Encode(server_parameters, Perspective::kServer);

  client_ = std::make_unique<PacketEnd>(
      Perspective::kClient, PacketEndIds{client_id, first_destination, first_destination},
      endpoints_.client()
          .NewSession({.server_name = endpoints_.server_name,
                       .local_transport_parameters = endpoints_.client_parameters},
                      kTestTime)
          .value());
  server_ = std::make_unique<PacketEnd>(
      Perspective::kServer, PacketEndIds{server_id, client_id, first_destination},
      endpoints_.server()
          .NewSession({.local_transport_parameters = endpoints_.server_parameters})
          .value());
}

Result PacketPair::Deliver(Perspective sender, std::vector<DatagramBytes> flight,
                           const WireObserver& observer) {
  PacketEnd& receiver = sender == Perspective::kClient ? *server_ : *client_;
  for (DatagramBytes& datagram : flight) {
    if (observer) observer(sender, datagram);
    GODWIT_RETURN_IF_ERROR(receiver.OnDatagram(datagram, kTestTime));
  }
  return Result::Ok();
}

Result PacketPair::Handshake(const WireObserver& observer) {
  for (;;) {
    std::vector<DatagramBytes> from_client = client_->Send();
    const bool client_spoke = !from_client.empty();
    GODWIT_RETURN_IF_ERROR(Deliver(Perspective::kClient, std::move(from_client), observer));
    std::vector<DatagramBytes> from_server = server_->Send();
    if (from_server.empty() && !client_spoke) return Result::Ok();
    GODWIT_RETURN_IF_ERROR(Deliver(Perspective::kServer, std::move(from_server), observer));
  }
}

Result PacketPair::Transfer(std::span<const uint8_t> data, size_t datagram_bytes,
                            size_t train_datagrams) {
  const size_t train_bytes = datagram_bytes * train_datagrams;
  while (!data.empty()) {
    const std::span<const uint8_t> part = data.first(std::min(train_bytes, data.size()));
    data = data.subspan(part.size());
    GODWIT_RETURN_IF_ERROR(
        Deliver(Perspective::kClient, client_->SendStream(part, datagram_bytes), {}));
  }
  return Result::Ok();
}

}  // namespace godwit
