// SPDX-License-Identifier: Apache-2.0
//
// Path: all that is known of one network path of a connection (RFC 9000 §9): its addresses and what
// may be sent to an address that is not validated (RFC 9000 §8.1), its round-trip time, congestion
// controller, pacer, delivery rate and MTU, and the bytes in flight. It says how much may leave
// now, and if nothing may, why.
//
// It does not decide which path is used, whether an address is valid, which packets are lost, or
// which acknowledgments make an RTT sample; and it does not keep packets.
//
// Invariants:
//  1. To an address that is not validated never goes more than three times what came from it, if no
//     datagram leaves that AmplificationCredit() does not cover.
//  2. bytes_in_flight() is what OnPacketSent() put in and OnFates() and OnPacketsDiscarded() did
//  not
//     take out.
//  3. The controller hears of fates in the order that its interface demands: the sampler fills in
//     the feedback first.
#ifndef GODWIT_TRANSPORT_PATH_PATH_H_
#define GODWIT_TRANSPORT_PATH_PATH_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "base/limits.h"
#include "base/path_id.h"
#include "congestion/bandwidth_sampler.h"
#include "congestion/pacer.h"
#include "congestion/rtt_estimator.h"
#include "godwit/congestion_controller.h"
#include "godwit/four_tuple.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/path/mtu_discovery.h"

namespace godwit {

class Path {
 public:
  struct Params {
    PathId id = PathId(0);
    FourTuple four_tuple = {};
    // Is only used during construction.
    const CongestionControllerFactory* factory = nullptr;
    uint64_t max_datagram_bytes = kMinInitialDatagramBytes;
    Duration initial_rtt = kInitialRtt;
    MtuDiscovery::Config mtu = {};
    bool is_validated = false;
    Timestamp now = {};
  };
  explicit Path(const Params& params);

  PathId id() const { return id_; }
  const FourTuple& four_tuple() const { return address_.four_tuple; }
  RttEstimator& rtt() { return rtt_; }
  const RttEstimator& rtt() const { return rtt_; }
  MtuDiscovery& mtu() { return mtu_; }
  const MtuDiscovery& mtu() const { return mtu_; }
  const CongestionController& controller() const { return *controller_; }
  const Pacer& pacer() const { return pacer_; }
  const BandwidthSampler& sampler() const { return sampler_; }
  uint64_t bytes_in_flight() const { return bytes_in_flight_; }
  // What the controller and the pacer count with; see SetMaxDatagramBytes().
  uint64_t max_datagram_bytes() const { return max_datagram_bytes_; }

  // ---- The address (RFC 9000 §8) ----

  // The peer can receive at this address: no limit any more.
  bool is_validated() const { return address_.is_validated; }
  void OnValidated() { address_.is_validated = true; }

  // A whole datagram came, whatever became of its packets.
  void OnDatagramReceived(uint64_t bytes) {
    if (!address_.is_validated) address_.received_bytes += bytes;
  }
  // A whole datagram leaves.
  void OnDatagramSent(uint64_t bytes) {
    if (!address_.is_validated) address_.sent_bytes += bytes;
  }
  // Bytes of datagrams that may still be sent to the address; the largest uint64 if there is no
  // limit.
  uint64_t AmplificationCredit() const;

  // The peer's address changed in no more than its port: everything else stays as it is (RFC 9000
  // §9.4). Addresses, with their validation and credit, change places with those of `other`.
  void SwapAddresses(Path& other);
  // Another address, of which nothing is known; the old one was never used.
  void ReplaceAddress(const FourTuple& four_tuple);

  // ---- Sending ----

  enum class Blocked : uint8_t { kNot, kCongestion, kPacing, kAmplification };
  struct Budget {
    uint64_t bytes = 0;
    Blocked blocked = Blocked::kNot;  // kNot exactly if bytes != 0.
    // When it is worth asking again, if kPacing; else Infinite(), as no time is known.
    Timestamp release_time = Timestamp::Infinite();
  };
  // What may leave now as one train: whole packets of `packet_bytes`, which is not 0; nothing
  // rather than a sliver. Packets that do not count as in flight need only AmplificationCredit().
  //   kNormal    window, pacer and credit.
  //   kPathOnly  window and credit: RFC 9000 §8.2.2 wants a PATH_RESPONSE at once.
  //   kProbe     credit alone (RFC 9002 §7.5); kClosing too.
  Budget BudgetFor(Timestamp now, PacketMode mode, uint64_t packet_bytes) const;

  // A packet that counts as in flight leaves; the result is to be kept until its fate is known.
  // Does not tell the pacer.
  TransmittedPacket OnPacketSent(uint64_t packet_number, uint64_t bytes, Timestamp now);
  // Once a train, after its packets: how many bytes of it count as in flight.
  void OnTrainSent(Timestamp now, uint64_t in_flight_bytes);
  // There is nothing to send although BudgetFor() allowed it. Ignored if the window is full.
  void OnAppLimited(Timestamp now);

  // ---- What became of it ----

  struct Fates {
    Timestamp now = {};
    // Packets of this path, as OnPacketSent() returned them.
    std::span<const TransmittedPacket> acked = {};
    std::span<const TransmittedPacket> lost = {};
    std::span<const SpuriousLoss> spurious = {};
    // MTU probes that were lost: they leave flight, and that is all (RFC 9000 §14.4).
    uint64_t lost_probe_bytes = 0;
    bool is_persistent_congestion = false;
    // rtt() was given a sample by this batch, before this call.
    bool has_rtt_sample = false;
  };
  void OnFates(const Fates& fates);

  // Left flight without a fate: their keys were discarded (RFC 9002 §6.4).
  void OnPacketsDiscarded(uint64_t bytes);

  // ---- Changes ----

  // mtu().max_datagram_bytes() has changed to this.
  void SetMaxDatagramBytes(uint64_t bytes, Timestamp now);
  // The new controller takes over what is in flight.
  void SwitchController(const CongestionControllerFactory& factory, Timestamp now);

  void CheckInvariants() const;

 private:
  struct Address {
    FourTuple four_tuple;
    bool is_validated = false;
    // Counted as long as it is not validated.
    uint64_t received_bytes = 0;
    uint64_t sent_bytes = 0;
  };

  uint64_t WindowRoom(uint64_t packet_bytes) const;
  void UpdatePacer(Timestamp now);

  std::unique_ptr<CongestionController> controller_;
  uint64_t bytes_in_flight_ = 0;
  BandwidthSampler sampler_;
  Pacer pacer_;
  uint64_t max_datagram_bytes_;
  RttEstimator rtt_;
  Address address_;
  MtuDiscovery mtu_;
  PathId id_;
  bool has_sent_ = false;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_PATH_H_
