// SPDX-License-Identifier: Apache-2.0
//
// Two ends that exchange 1-RTT packets through KeyPhases, and a server that breaks the rules.
#ifndef GODWIT_TESTS_CRYPTO_KEY_PHASES_PEERS_H_
#define GODWIT_TESTS_CRYPTO_KEY_PHASES_PEERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "base/result.h"
#include "crypto/cipher_suite.h"
#include "crypto/header_protector.h"
#include "crypto/key_phases.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "godwit/time.h"

namespace godwit {

inline constexpr size_t kPacketNumberOffset = 1;
inline constexpr size_t kHeaderLength = kPacketNumberOffset + 4;
inline constexpr size_t kPayloadLength = 24;
inline constexpr CipherSuite kSuite = CipherSuite::kAes128GcmSha256;
inline constexpr Duration kPto = Duration::Milliseconds(100);

inline Timestamp At(int64_t milliseconds) {
  return Timestamp::Zero() + Duration::Milliseconds(milliseconds);
}

inline TrafficSecret ClientSecret() {
  return TrafficSecret(kSuite, std::vector<uint8_t>(32, 0xc1));
}
inline TrafficSecret ServerSecret() {
  return TrafficSecret(kSuite, std::vector<uint8_t>(32, 0x5e));
}

inline TrafficSecret Generation(TrafficSecret secret, int generation) {
  for (int i = 0; i < generation; ++i) secret = NextGeneration(secret);
  return secret;
}

struct Packet {
  std::vector<uint8_t> bytes;
  uint64_t number;
};

// A short header without connection id, and a payload made from the number.
inline Packet MakePlainPacket(uint64_t number, bool key_phase) {
  Packet packet{.bytes = std::vector<uint8_t>(kHeaderLength + kPayloadLength + kAeadTagLength),
                .number = number};
  packet.bytes[0] = static_cast<uint8_t>(0x43 | (key_phase ? 0x04 : 0));
  for (size_t i = 0; i < 4; ++i) {
    packet.bytes[kPacketNumberOffset + i] = static_cast<uint8_t>(number >> (8 * (3 - i)));
  }
  for (size_t i = 0; i < kPayloadLength; ++i) {
    packet.bytes[kHeaderLength + i] = static_cast<uint8_t>(number + i);
  }
  return packet;
}

inline OutgoingPacket Outgoing(Packet& packet) {
  return {packet.bytes, kHeaderLength, PacketNumber(packet.number)};
}

// A server that seals what it is told to, however wrong, with the key of any generation.
inline Packet ServerPacket(uint64_t number, int generation) {
  PacketSealer sealer(DerivePacketKey(Generation(ServerSecret(), generation)));
  HeaderProtector header_protector(DeriveHeaderKey(ServerSecret()));
  Packet packet = MakePlainPacket(number, generation % 2 == 1);
  EXPECT_TRUE(ProtectPacket(sealer, header_protector, Outgoing(packet)));
  return packet;
}

// One end, with the packet numbers that it has sent and received.
struct Endpoint {
  KeyPhases keys;
  uint64_t next_number = 0;
  ForgeryCount forgeries;

  Endpoint(const TrafficSecret& write_secret, const TrafficSecret& read_secret)
      : Endpoint(write_secret, read_secret, LimitsOf(kSuite)) {}
  Endpoint(const TrafficSecret& write_secret, const TrafficSecret& read_secret,
           const AeadLimits& limits)
      : keys(kVersion1Labels, limits) {
    keys.InstallWriteSecret(write_secret);
    keys.InstallReadSecret(read_secret);
  }

  Packet Send() {
    Packet packet = MakePlainPacket(next_number++, keys.key_phase());
    const OutgoingPacket outgoing = Outgoing(packet);
    EXPECT_TRUE(keys.ProtectTrain({&outgoing, 1}));
    return packet;
  }

  // The packet is taken by value: it is opened in place.
  KeyPhases::Opened Receive(Packet packet, Timestamp now) {
    const HeaderPosition position{packet.bytes, kPacketNumberOffset};
    keys.Unprotect({&position, 1});
    const std::span<uint8_t> bytes(packet.bytes);
    const KeyPhases::Opened opened = keys.Open(
        {bytes.first(kHeaderLength), bytes.subspan(kHeaderLength), PacketNumber(packet.number)},
        forgeries, now, kPto);
    if (opened.outcome.opened) {
      EXPECT_EQ(opened.outcome.payload.size(), kPayloadLength);
      EXPECT_EQ(opened.outcome.payload[0], static_cast<uint8_t>(packet.number));
    }
    return opened;
  }

  // What a good packet comes to: opened, and no error.
  bool Accepts(const Packet& packet, Timestamp now) {
    const OpenOutcome outcome = Receive(packet, now).outcome;
    keys.CheckInvariants();
    return outcome.opened && outcome.result.ok();
  }

  Result ErrorOf(const Packet& packet, Timestamp now) {
    const OpenOutcome outcome = Receive(packet, now).outcome;
    keys.CheckInvariants();
    return outcome.result;
  }
};

inline Endpoint Client() { return Endpoint(ClientSecret(), ServerSecret()); }

struct Pair {
  Endpoint client;
  Endpoint server;

  Pair() : Pair(LimitsOf(kSuite)) {}
  explicit Pair(const AeadLimits& limits)
      : client(ClientSecret(), ServerSecret(), limits),
        server(ServerSecret(), ClientSecret(), limits) {
    client.keys.OnHandshakeConfirmed();
    server.keys.OnHandshakeConfirmed();
  }

  // A packet from `from` that `to` acknowledges in a packet of its own. Afterwards `from` has an
  // acknowledgment for the keys that it seals with.
  void Exchange(Endpoint& from, Endpoint& to, Timestamp now) {
    const Packet packet = from.Send();
    ASSERT_TRUE(to.Accepts(packet, now));
    const Packet answer = to.Send();
    to.keys.OnAckSent(PacketNumber(packet.number));
    const KeyPhases::Opened opened = from.Receive(answer, now);
    ASSERT_TRUE(opened.outcome.opened && opened.outcome.result.ok());
    ASSERT_TRUE(
        from.keys.OnAckReceived(PacketNumber(packet.number), opened.generation, now, kPto).ok());
    to.keys.OnTimeout(now);
    from.keys.OnTimeout(now);
  }
};

}  // namespace godwit

#endif  // GODWIT_TESTS_CRYPTO_KEY_PHASES_PEERS_H_
