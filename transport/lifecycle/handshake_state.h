// SPDX-License-Identifier: Apache-2.0
//
// HandshakeState: how far the handshake is (complete, confirmed), the peer's transport parameters
// once they have come, and a server's HANDSHAKE_DONE frame. RFC 9000 §7.3, §7.4, §13.3, §19.20; RFC
// 9001 §4.1, §8.2.
//
//             OnTlsComplete           OnHandshakeDoneFrame (client), at once (server)
//   running ----------------> complete ------------------> confirmed
//
// It does not run TLS or throw keys away; a connection acts on what is told here.
//
// Invariants: confirmed implies complete; HANDSHAKE_DONE is a server's, from confirmation on until
// it is acknowledged; parameters that are there are authenticated as far as RFC 9000 §7.3 asks.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_HANDSHAKE_STATE_H_
#define GODWIT_TRANSPORT_LIFECYCLE_HANDSHAKE_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

// The connection ids of the handshake, which the peer must name in its parameters.
struct HandshakeConnectionIds {
  // Source Connection ID of the peer's first Initial packet.
  ConnectionId peer_initial_source;
  // Of a client: Destination Connection ID of its very first Initial packet.
  ConnectionId original_destination = {};
  // Of a client: Source Connection ID of the Retry packet that it acted on.
  std::optional<ConnectionId> retry_source = std::nullopt;
};

class HandshakeState {
 public:
  // `deadline`: when the handshake must be complete.
  explicit HandshakeState(Perspective perspective, Timestamp deadline = Timestamp::Infinite());

  bool is_complete() const { return is_complete_; }
  // RFC 9001 §4.1.2.
  bool is_confirmed() const { return is_confirmed_; }

  // TlsFacts::handshake_complete. True the first time; a server's handshake is then confirmed too,
  // and HANDSHAKE_DONE pending.
  bool OnTlsComplete();

  // Of a client, whose handshake is complete: the frame came in a 1-RTT packet. True the first
  // time.
  bool OnHandshakeDoneFrame();

  // TlsFacts::peer_transport_parameters, as soon as they are there, or at the latest when the
  // handshake is complete: kTransportParametersMissing if they are empty then. Reads and checks
  // them the first time, and does nothing from then on.
  Result OnPeerParameters(std::span<const uint8_t> block, const HandshakeConnectionIds& ids);

  // Null before they came, and after ForgetPeerParameters(). RFC 9001 §8.2: not to be relied upon
  // for more than the handshake needs before is_complete().
  const TransportParameters* peer_parameters() const { return peer_parameters_.get(); }
  bool has_read_peer_parameters() const { return has_read_peer_parameters_; }
  // Everybody has heard of them: connections are many, and live on for long.
  void ForgetPeerParameters() { peer_parameters_ = nullptr; }

  // HANDSHAKE_DONE, in 1-RTT packets.
  bool HasPendingFrames() const { return handshake_done_.HasPending(); }
  void WriteFrames(FrameWriter& writer);
  void OnFrameAcked(PacketNumber number, const SentFrame& frame);
  void OnFrameLost(PacketNumber number, const SentFrame& frame);

  // Infinite() once the handshake is complete.
  Timestamp next_deadline() const { return is_complete_ ? Timestamp::Infinite() : deadline_; }
  // Whether the handshake has taken too long.
  bool has_timed_out(Timestamp now) const { return now >= next_deadline(); }

  void CheckInvariants() const;

 private:
  Perspective perspective_;
  bool is_complete_ = false;
  bool is_confirmed_ = false;
  bool has_read_peer_parameters_ = false;
  Timestamp deadline_;
  ReliableSignal handshake_done_;
  std::unique_ptr<TransportParameters> peer_parameters_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_HANDSHAKE_STATE_H_
