// SPDX-License-Identifier: Apache-2.0
//
// MtuDiscovery: the largest datagram that one path carries, found by probes that may be lost
// without harm (RFC 9000 §14.3, RFC 8899). All sizes are bytes of UDP payload.
//
// It decides which size to try and when, and when a path has stopped to carry what it carried. It
// does not build probes, nor know which packets are in flight. It has no timer of its own: a path
// without traffic needs no larger datagrams, so probes wait for something to be sent.
//
// A search tries the size of Ethernet first, then the greatest that is permitted, then halves a
// table of sizes that networks have. 1,452 is reached by 1 probe, 8,900 by 2, if nothing is lost;
// where only Ethernet's size passes, 10 probes settle that 8,900 does not. kMaxProbes losses in a
// row rule a size out.
//
// Invariants: min <= max_datagram_bytes() <= upper <= ceiling, where ceiling is max_mtu or what the
// peer accepts, whichever is less, and upper the greatest size that nothing speaks against; at most
// one probe is under way.
#ifndef GODWIT_TRANSPORT_PATH_MTU_DISCOVERY_H_
#define GODWIT_TRANSPORT_PATH_MTU_DISCOVERY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "godwit/congestion_controller.h"
#include "godwit/connection_config.h"
#include "godwit/time.h"

namespace godwit {

class MtuDiscovery {
 public:
  using Config = MtuConfig;

  // RFC 8899 §5.1.2.
  static constexpr uint8_t kMaxProbes = 3;

  // RFC 8899 §5.1.1, the PMTU_RAISE_TIMER, and how long it becomes by doubling while the path stays
  // as it is.
  static constexpr Duration kRaiseInterval = Duration::Seconds(600);
  static constexpr Duration kMaxRaiseInterval = Duration::Seconds(4800);

  // Packets above the size that is known to pass, the last ones of their size that were sent, all
  // lost: the path is taken for a black hole. At 30 % of random loss one flight in 1,400 ends like
  // this, and the mistake costs a probe. A window of two packets and the probe of a timeout make as
  // many in two timeouts.
  static constexpr size_t kBlackHolePackets = 6;

  // A size that falls is tried again at once, unless that was done within this time.
  static constexpr Duration kRetryInterval = Duration::Seconds(10);

  // Probe timeouts in a row, without any acknowledgment.
  static constexpr uint8_t kBlackHolePtos = 2;

  explicit MtuDiscovery(const Config& config);

  // RFC 9000 §18.2: max_udp_payload_size, at least 1200. Nothing is probed before it is known.
  void OnPeerMaxUdpPayload(uint64_t max_udp_payload_bytes);

  // What any datagram may measure now.
  uint64_t max_datagram_bytes() const { return current_bytes_; }

  // ---- Probes ----

  // Whether a datagram of probe_bytes() should go out along with other traffic.
  bool wants_probe(Timestamp now) const {
    return next_probe_bytes_ != 0 && probe_in_flight_bytes_ == 0 && silence_ == 0 &&
           now >= probe_not_before_;
  }
  // Only if wants_probe().
  uint64_t probe_bytes() const { return next_probe_bytes_; }
  void OnProbeSent(Timestamp now);
  // True if max_datagram_bytes() changed. The probe also goes through OnPacketAcked().
  bool OnProbeAcked(uint64_t bytes);
  void OnProbeLost(uint64_t bytes, Timestamp now);

  // ---- Black holes: RFC 8899 §4.3. True if max_datagram_bytes() fell. ----

  // Packets of the application's packet number space that were in flight. Of what one ACK frame
  // says, first all that is acknowledged, then what is lost.
  void OnPacketAcked(const TransmittedPacket& packet) {
    silence_ = 0;
    if (packet.bytes > min_bytes_) NoteProof(packet);
  }
  // Not for probes. Only counts packets above the sizes that later packets have proven.
  bool OnPacketLost(const TransmittedPacket& packet, Timestamp now);

  // A probe timeout (RFC 9002 §6.2) while packets were in flight on this path.
  bool OnPtoFired(Timestamp now);
  // Of the packets that a probe timeout sends, the last one should keep to this, the one before to
  // max_datagram_bytes(): if only the last arrives, a smaller path shows after one timeout.
  uint64_t pto_probe_bytes() const { return min_bytes_; }

  // The system refused a datagram of this size, which was just handed to it (EMSGSIZE). A hint that
  // can only lower (RFC 8899 §4.6): sizes that we do not send and min_mtu stay untouched.
  bool OnDatagramTooLarge(uint64_t bytes, Timestamp now);

  void CheckInvariants() const;

 private:
  //              candidates used up                 raise time: one step up
  //   kSearch --------------------> kComplete ------------------------------> kRaise
  //    ^   ^                          ^   |                                   |  |
  //    |   |                          |   |            lost kMaxProbes times  |  |
  //    |   | lost                     +---|-----------------------------------+  |
  //    |   +------- kRetry <--------------+ size fell (from any state)           |
  //    +-------------------------------------------------------------------------+ acknowledged
  enum class Phase : uint8_t {
    kSearch,
    kRetry,     // Tries the size that was in use before it fell.
    kComplete,  // Waits for the raise time, or for nothing at the ceiling.
    kRaise,     // Tries the next size above. Only if that passes there is a new search.
  };

  struct PacketSize {
    uint64_t packet_number = 0;
    uint64_t bytes = 0;

    // A packet that was sent later and is not smaller arrived.
    bool IsProvenBy(const PacketSize& proof) const {
      return packet_number < proof.packet_number && bytes <= proof.bytes;
    }
  };
  // A few, in no order.
  class PacketSizes {
   public:
    std::span<const PacketSize> all() const { return std::span(sizes_).first(count_); }
    void Add(const PacketSize& size);  // In place of the oldest one if there are too many.
    void EraseProvenBy(const PacketSize& proof);
    void Clear() { count_ = 0; }

   private:
    std::array<PacketSize, kBlackHolePackets> sizes_;
    size_t count_ = 0;
  };

  void NoteProof(const TransmittedPacket& packet);
  bool IsProven(const PacketSize& packet) const;
  // Back to min. `refused_bytes` is certain not to pass, 0 if no size is.
  void Fall(uint64_t refused_bytes, Timestamp now);
  void RuleOut(uint64_t bytes);
  // Determines the next probe, or completes the search.
  void ContinueSearch();
  void Complete();
  void LengthenRaiseInterval();
  uint64_t SearchCandidate() const;
  uint64_t StepUp() const;

  uint64_t min_bytes_;
  uint64_t ceiling_bytes_;
  uint64_t current_bytes_;
  uint64_t upper_bytes_;
  uint64_t next_probe_bytes_ = 0;       // 0: there is nothing to try.
  uint64_t probe_in_flight_bytes_ = 0;  // 0: none.
  Timestamp probe_not_before_ = Timestamp::InfinitePast();
  // When what was ruled out last deserves another look.
  Timestamp raise_time_ = Timestamp::Infinite();
  Timestamp latest_ = Timestamp::InfinitePast();  // The time of the last call that had one.
  Timestamp retry_not_before_ = Timestamp::InfinitePast();
  Duration raise_interval_ = kRaiseInterval;
  PacketSizes proofs_;    // Acknowledged, none both older and not larger than another.
  PacketSizes suspects_;  // Lost, none both older and not larger than a proof.
  bool is_peer_known_ = false;
  bool is_probe_stale_ = false;  // What is under way says nothing about the path as it is now.
  Phase phase_ = Phase::kSearch;
  uint8_t lost_probes_ = 0;  // Of next_probe_bytes_, in a row.
  // Probe timeouts since anything was acknowledged. A probe that is sent into a black-out would be
  // lost for nothing.
  uint8_t silence_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_MTU_DISCOVERY_H_
