// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/handshake_state.h"

#include <memory>

#include "base/check.h"
#include "base/protocol_errors.h"
#include "transport/wire/connection_id_authentication.h"
#include "transport/wire/frame.h"

namespace godwit {

HandshakeState::HandshakeState(Perspective perspective, Timestamp deadline)
    : perspective_(perspective), deadline_(deadline) {}

bool HandshakeState::OnTlsComplete() {
  if (is_complete_) return false;
  is_complete_ = true;
  if (perspective_ == Perspective::kServer) {
    // RFC 9001 §4.1.2: complete is confirmed at the server, which tells its client.
    is_confirmed_ = true;
    handshake_done_.Set({});
  }
  return true;
}

bool HandshakeState::OnHandshakeDoneFrame() {
  // The frame decoder refuses one from a client, and no 1-RTT packet is opened earlier.
  GODWIT_CHECK(perspective_ == Perspective::kClient);
  GODWIT_CHECK(is_complete_);
  if (is_confirmed_) return false;
  is_confirmed_ = true;
  return true;
}

Result HandshakeState::OnPeerParameters(std::span<const uint8_t> block,
                                        const HandshakeConnectionIds& ids) {
  if (has_read_peer_parameters_) return Result::Ok();
  // RFC 9001 §8.2: the extension is not optional. A block with nothing in it could not name the
  // connection ids.
  if (block.empty()) return kTransportParametersMissing;
  TransportParameters parameters;
  GODWIT_RETURN_IF_ERROR(ParseTransportParameters(block, Opposite(perspective_), &parameters));
  if (perspective_ == Perspective::kServer) {
    GODWIT_RETURN_IF_ERROR(AuthenticateClientConnectionIds(parameters, ids.peer_initial_source));
  } else {
    GODWIT_RETURN_IF_ERROR(AuthenticateServerConnectionIds(
        parameters, {.original_destination = ids.original_destination,
                     .retry_source = ids.retry_source,
                     .initial_source = ids.peer_initial_source}));
  }
  peer_parameters_ = std::make_unique<TransportParameters>(parameters);
  has_read_peer_parameters_ = true;
  return Result::Ok();
}

void HandshakeState::WriteFrames(FrameWriter& writer) {
  if (!handshake_done_.HasPending()) return;
  if (!writer.Write(HandshakeDoneFrame{}, SentFrame::HandshakeDone())) return;
  handshake_done_.OnSent(writer.packet_number());
}

void HandshakeState::OnFrameAcked(PacketNumber number, const SentFrame& frame) {
  GODWIT_DCHECK(frame.kind() == FrameKind::kHandshakeDone);
  handshake_done_.OnAcked(number);
}

void HandshakeState::OnFrameLost(PacketNumber number, const SentFrame& frame) {
  GODWIT_DCHECK(frame.kind() == FrameKind::kHandshakeDone);
  handshake_done_.OnLost(number);
}

void HandshakeState::CheckInvariants() const {
  handshake_done_.CheckInvariants();
  if (is_confirmed_) GODWIT_CHECK(is_complete_);
  const bool owes_handshake_done = perspective_ == Perspective::kServer && is_confirmed_;
  GODWIT_CHECK_EQ(owes_handshake_done, handshake_done_.state() != ValueState::kIdle);
}

}  // namespace godwit
