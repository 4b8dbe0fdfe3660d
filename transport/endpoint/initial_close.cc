// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/initial_close.h"

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_encoder.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {

size_t WriteInitialClose(const ClientInitialIds& ids, TransportErrorCode error,
                         std::span<uint8_t> buffer) {
  GODWIT_CHECK_GE(buffer.size(), kMaxInitialCloseBytes);
  const PacketNumber number(0);
  ByteWriter writer(buffer);
  // Whatever the client still sends comes to the id that it chose: no other one of ours is needed.
  const LongHeaderLayout layout = EncodeLongHeader({.level = EncryptionLevel::kInitial,
                                                    .dcid = ids.scid,
                                                    .scid = ids.dcid,
                                                    .packet_number = number},
                                                   writer);
  const size_t header_length = writer.position();
  // RFC 9000 §14.1: nothing in it elicits an acknowledgment, so it is not padded.
  WriteFrame(ConnectionCloseFrame{.error_space = ErrorSpace::kTransport,
                                  .error_code = static_cast<uint64_t>(error),
                                  .frame_type = 0,
                                  .reason_phrase = {}},
             writer);
  writer.WriteZeros(kAeadTagLength);
  const std::span<uint8_t> packet = writer.written();
  SetPacketLength(packet, layout);

  const TrafficSecret secret = DeriveInitialSecrets(ids.dcid).server;
  PacketSealer sealer(DerivePacketKey(secret));
  HeaderProtector header_protector(DeriveHeaderKey(secret));
  const OutgoingPacket outgoing = {
      .bytes = packet, .header_length = header_length, .packet_number = number};
  GODWIT_CHECK(ProtectPacket(sealer, header_protector, outgoing));
  return packet.size();
}

}  // namespace godwit
