// SPDX-License-Identifier: Apache-2.0
//
// The packets of bench/limit: trains of short-header packets of one size, sealed and masked as
// godwit seals and masks, and opened again. There is no protocol: the key is known to everybody,
// the payload is whatever lay in the buffer, and nothing is acknowledged. What is measured with
// them is what packet protection and the kernel cost without anything around them.
#ifndef GODWIT_BENCH_LIMIT_PACKETS_H_
#define GODWIT_BENCH_LIMIT_PACKETS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/cipher_suite.h"
#include "crypto/header_protector.h"
#include "crypto/packet_protector.h"
#include "godwit/datagram.h"

namespace godwit {

// What fits an MTU of 1500 over IPv6, and how many of them fit one GSO train.
inline constexpr size_t kLimitPacketBytes = 1452;
inline constexpr size_t kLimitTrainPackets = 44;
inline constexpr size_t kLimitTrainBytes = kLimitTrainPackets * kLimitPacketBytes;

// First byte, connection id, packet number; and the payload that is left beside them and the tag.
inline constexpr size_t kLimitPacketNumberOffset = 1 + 8;
inline constexpr size_t kLimitHeaderBytes = kLimitPacketNumberOffset + 4;
inline constexpr size_t kLimitPayloadBytes = kLimitPacketBytes - kLimitHeaderBytes - kAeadTagLength;

class LimitSealer {
 public:
  // Packet numbers fit their 4 bytes: there are 2^32, of which some are kept for the end.
  explicit LimitSealer(uint64_t first_packet_number = 0);

  // Whether there are numbers for another train.
  bool CanSealTrain() const;
  // kLimitTrainPackets packets with the next numbers. Valid until the next call of either.
  std::span<const uint8_t> SealTrain();
  // One packet that says that no more will come.
  std::span<const uint8_t> SealEnd();

 private:
  std::span<const uint8_t> Seal(uint8_t first_byte, size_t packet_count);

  PacketSealer sealer_;
  HeaderProtector header_protector_;
  uint64_t next_packet_number_;
  std::array<uint8_t, kLimitTrainBytes> bytes_ = {};
  std::vector<OutgoingPacket> packets_;
};

class LimitOpener {
 public:
  LimitOpener();

  struct Opened {
    uint64_t packets = 0;  // With data.
    uint64_t refused = 0;  // Not ours, or broken.
    bool has_ended = false;
  };

  // Their content is decrypted in place.
  Opened Open(std::span<const ReceivedDatagram> datagrams);

 private:
  void OpenSome(std::span<const ReceivedDatagram> datagrams, Opened& opened);

  PacketOpener opener_;
  HeaderProtector header_protector_;
  ForgeryCount forgeries_;
  std::vector<HeaderPosition> positions_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_LIMIT_PACKETS_H_
