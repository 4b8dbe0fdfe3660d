// SPDX-License-Identifier: Apache-2.0
//
// SendPath: the way of a packet out, as named steps: what may leave now (ComputeBudget), which
// levels have frames (BuildDatagram), the packets (PacketBuilder, WriteFrames), sealing, and the
// record of what was sent (Commit). RFC 9000 §8.1, §12.2, §14.1; RFC 9002 §7; RFC 9001 §4.9.1.
//
// One object serves one call of Connection::PollTransmit(): it fills one train of equal datagrams
// for one path. It owns nothing; what it decides is how many and which packets, the frames are
// frame_scheduler.h's.
//
// Invariant: what is sent to an address that is not validated stays within three times what came
// from there; every committed packet is sealed and handed out.
#ifndef GODWIT_TRANSPORT_CONNECTION_SEND_PATH_H_
#define GODWIT_TRANSPORT_CONNECTION_SEND_PATH_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/encryption_level.h"
#include "base/path_id.h"
#include "crypto/packet_protector.h"
#include "godwit/connection_stats.h"
#include "godwit/datagram.h"
#include "godwit/time.h"
#include "transport/connection/connection_parts.h"
#include "transport/connection/frame_scheduler.h"
#include "transport/connection/packet_builder.h"

namespace godwit {

class SendPath {
 public:
  SendPath(ConnectionParts& parts, std::span<uint8_t> buffer, Timestamp now)
      : parts_(parts), buffer_(buffer), now_(now) {}

  Transmit PollTransmit();

 private:
  // What may still be sent in this train.
  struct Budget {
    uint64_t in_flight_bytes;
    uint64_t amplification_bytes;
    Path::Blocked blocked;
    Timestamp release_time;
  };

  // ---- One for each kind of transmit; empty if there is nothing of the kind. ----
  Transmit FillClose();
  Transmit FillPathProbe();
  Transmit FillMtuProbe();
  Transmit FillTrain();

  // Of the datagrams of a train.
  size_t SegmentBytes() const;
  Budget ComputeBudget() const;
  // Writes one datagram; says how many bytes it took, 0 if there was nothing for it.
  size_t BuildDatagram(std::span<uint8_t> room, Budget& budget);
  // The same where a datagram is one 1-RTT packet, as all are soon after the handshake: `header`
  // serves for a whole train.
  size_t BuildOneRttDatagram(PacketBuilder::Header& header, std::span<uint8_t> room,
                             Budget& budget);
  bool IsOneRttAlone() const;
  SendPermission PermissionFor(EncryptionLevel level, const Budget& budget, size_t room) const;
  bool HasLaterPackets(EncryptionLevel level, const Budget& budget, size_t room) const;
  PacketBuilder::Header HeaderFor(EncryptionLevel level, PacketMode mode, PathId path) const;

  // Completes the packet, records it and has it sealed; says how many bytes it takes.
  size_t FinishPacket(PacketBuilder& packet, Path& path, size_t min_size = 0,
                      bool is_mtu_probe = false);
  void Seal(EncryptionLevel level, const OutgoingPacket& packet);
  void Commit(const PacketBuilder& packet, const OutgoingPacket& bytes, Path& path,
              bool is_mtu_probe);
  void SealTrain();
  Transmit Finish(Path& path, size_t bytes, size_t segment_bytes);
  // After a train. Tells the path if nothing but the application does, and notes when pacing lets
  // go.
  SendBlockedBy FindWhatBlocks(const Budget& budget);

  ConnectionParts& parts_;
  std::span<uint8_t> buffer_;
  Timestamp now_;
  uint64_t in_flight_sent_bytes_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_SEND_PATH_H_
