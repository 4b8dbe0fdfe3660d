// SPDX-License-Identifier: Apache-2.0
//
// ArrivalPath: the way of received datagrams into an endpoint. Route: to the connection that their
// connection id names. Else answer: stateless reset, Version Negotiation. Else accept: a client's
// first packet opens a connection, or is refused. RFC 9000 §5.2, §6.1, §10.3.
//
// What a connection makes of a datagram is transport/connection's. Whatever no connection gets is
// dropped under a reason.
#ifndef GODWIT_TRANSPORT_ENDPOINT_ARRIVAL_PATH_H_
#define GODWIT_TRANSPORT_ENDPOINT_ARRIVAL_PATH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "godwit/datagram.h"
#include "godwit/drop_reason.h"
#include "godwit/refusal_reason.h"
#include "godwit/time.h"
#include "transport/endpoint/endpoint_state.h"
#include "transport/wire/invariant_header.h"

namespace godwit {

class ArrivalPath {
 public:
  ArrivalPath(EndpointState& state, Timestamp now) : state_(state), now_(now) {}

  void OnDatagrams(std::span<const ReceivedDatagram> datagrams);

 private:
  // ---- Route ----

  // Takes the first datagrams, as many as go the same way, and returns their number.
  size_t RouteRun(std::span<const ReceivedDatagram> datagrams);
  size_t RunLength(std::span<const ReceivedDatagram> datagrams,
                   std::span<const uint8_t> dcid) const;
  void Deliver(uint32_t slot, std::span<const ReceivedDatagram> run);
  void DeliverWithoutMemory(uint32_t slot, std::span<const ReceivedDatagram> run);

  // ---- Answer: what leads to no connection. The result says why it is dropped, if it is. ----

  std::optional<DropReason> OnUnknownShortHeader(const ReceivedDatagram& datagram,
                                                 const InvariantHeader& header);
  std::optional<DropReason> OnUnknownLongHeader(const ReceivedDatagram& datagram,
                                                const InvariantHeader& header);
  bool IsStatelessReset(const ReceivedDatagram& datagram);

  // ---- Accept ----

  std::optional<DropReason> CheckFirstInitial(const ReceivedDatagram& datagram,
                                              const InvariantHeader& header) const;
  std::optional<RefusalReason> DecideAccept(const ReceivedDatagram& datagram);
  std::optional<DropReason> Accept(const ReceivedDatagram& datagram, const InvariantHeader& header);
  std::optional<DropReason> Refuse(RefusalReason reason, const ReceivedDatagram& datagram,
                                   const InvariantHeader& header);

  StatelessResponder::Occasion OccasionOf(const ReceivedDatagram& datagram) const {
    return {
        .four_tuple = datagram.four_tuple, .datagram_bytes = datagram.payload.size(), .now = now_};
  }

  EndpointState& state_;
  const Timestamp now_;
  uint64_t batch_bytes_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_ARRIVAL_PATH_H_
