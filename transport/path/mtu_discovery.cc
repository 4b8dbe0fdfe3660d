// SPDX-License-Identifier: Apache-2.0
#include "transport/path/mtu_discovery.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {
namespace {

// Ethernet's 1500 without 40 bytes of IPv6 and 8 of UDP: what nearly every path carries, and what
// most that carry less than they seem to have in their middle.
constexpr uint64_t kEthernetBytes = 1452;

// RFC 8899 §5.3.2: sizes worth a probe. Below Ethernet's one every 20 bytes, because tunnels take
// what they like; 1444 is PPPoE. Above it what links have, with IPv6 unless noted: 1472 is Ethernet
// with IPv4, 2256 is 802.11, 4304 FDDI, 8848 and 8952 jumbo frames, 16336 and 65487 loopback.
constexpr std::array<uint16_t, 20> kCommonSizes = {1232, 1252, 1272, 1292, 1312,  1332, 1352,
                                                   1372, 1392, 1412, 1432, 1444,  1452, 1472,
                                                   2256, 4304, 8848, 8952, 16336, 65487};

// Of the sizes that are above `low_bytes` and not above `high_bytes`.
std::span<const uint16_t> CommonSizesBetween(uint64_t low_bytes, uint64_t high_bytes) {
  const auto* begin = std::ranges::upper_bound(kCommonSizes, low_bytes);
  const auto* end = std::ranges::upper_bound(kCommonSizes, high_bytes);
  return begin < end ? std::span(begin, end) : std::span<const uint16_t>();
}

}  // namespace

void MtuDiscovery::PacketSizes::Add(const PacketSize& size) {
  if (count_ < sizes_.size()) {
    sizes_[count_++] = size;
    return;
  }
  auto* oldest = std::ranges::min_element(sizes_, {}, &PacketSize::packet_number);
  if (oldest->packet_number < size.packet_number) *oldest = size;
}

void MtuDiscovery::PacketSizes::EraseProvenBy(const PacketSize& proof) {
  size_t kept = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (!sizes_[i].IsProvenBy(proof)) sizes_[kept++] = sizes_[i];
  }
  count_ = kept;
}

MtuDiscovery::MtuDiscovery(const Config& config)
    : min_bytes_(config.min_mtu),
      ceiling_bytes_(config.enabled ? config.max_mtu : config.min_mtu),
      current_bytes_(config.min_mtu),
      upper_bytes_(ceiling_bytes_) {
  GODWIT_CHECK_GE(config.min_mtu, kMinInitialDatagramBytes);
  GODWIT_CHECK_LE(config.min_mtu, config.max_mtu);
  GODWIT_CHECK_LE(config.max_mtu, kMaxDatagramBytes);
}

void MtuDiscovery::OnPeerMaxUdpPayload(uint64_t max_udp_payload_bytes) {
  // RFC 9000 §18.2: smaller ones are invalid and refused where they are read.
  GODWIT_CHECK_GE(max_udp_payload_bytes, kMinInitialDatagramBytes);
  GODWIT_CHECK(!is_peer_known_);
  is_peer_known_ = true;
  ceiling_bytes_ = std::min(ceiling_bytes_, max_udp_payload_bytes);
  min_bytes_ = std::min(min_bytes_, ceiling_bytes_);
  current_bytes_ = std::min(current_bytes_, ceiling_bytes_);
  upper_bytes_ = ceiling_bytes_;
  ContinueSearch();
}

void MtuDiscovery::OnProbeSent(Timestamp now) {
  GODWIT_CHECK(wants_probe(now));
  latest_ = now;
  probe_in_flight_bytes_ = next_probe_bytes_;
  is_probe_stale_ = false;
  if (phase_ == Phase::kComplete) phase_ = Phase::kRaise;
}

bool MtuDiscovery::OnProbeAcked(uint64_t bytes) {
  // A late acknowledgment, of a probe that was declared lost.
  if (bytes != probe_in_flight_bytes_) return false;
  probe_in_flight_bytes_ = 0;
  if (is_probe_stale_) return false;
  GODWIT_CHECK_GT(bytes, current_bytes_);
  current_bytes_ = bytes;
  lost_probes_ = 0;
  if (phase_ == Phase::kRaise) {
    // The path has become larger: what was found out about it does not hold any more.
    upper_bytes_ = ceiling_bytes_;
    raise_interval_ = kRaiseInterval;
    raise_time_ = Timestamp::Infinite();
  }
  phase_ = Phase::kSearch;
  ContinueSearch();
  return true;
}

void MtuDiscovery::OnProbeLost(uint64_t bytes, Timestamp now) {
  if (bytes != probe_in_flight_bytes_) return;
  probe_in_flight_bytes_ = 0;
  if (is_probe_stale_) return;
  latest_ = now;
  ++lost_probes_;
  if (lost_probes_ == kMaxProbes) RuleOut(bytes);
}

void MtuDiscovery::NoteProof(const TransmittedPacket& packet) {
  const PacketSize proof{packet.packet_number, packet.bytes};
  suspects_.EraseProvenBy(proof);
  if (IsProven(proof)) return;
  proofs_.EraseProvenBy(proof);
  proofs_.Add(proof);
}

bool MtuDiscovery::IsProven(const PacketSize& packet) const {
  return std::ranges::any_of(
      proofs_.all(), [&packet](const PacketSize& proof) { return packet.IsProvenBy(proof); });
}

bool MtuDiscovery::OnPacketLost(const TransmittedPacket& packet, Timestamp now) {
  // Larger than what is sent now: a remainder of the time before a fall.
  if (packet.bytes <= min_bytes_ || packet.bytes > current_bytes_) return false;
  const PacketSize lost{packet.packet_number, packet.bytes};
  if (IsProven(lost)) return false;
  suspects_.Add(lost);
  if (suspects_.all().size() < kBlackHolePackets) return false;
  Fall(0, now);
  return true;
}

bool MtuDiscovery::OnPtoFired(Timestamp now) {
  if (silence_ < kBlackHolePtos) ++silence_;
  if (silence_ < kBlackHolePtos || current_bytes_ == min_bytes_) return false;
  Fall(0, now);
  return true;
}

bool MtuDiscovery::OnDatagramTooLarge(uint64_t bytes, Timestamp now) {
  if (bytes == probe_in_flight_bytes_ && bytes != 0 && !is_probe_stale_) {
    latest_ = now;
    probe_in_flight_bytes_ = 0;
    RuleOut(bytes);
    return false;
  }
  if (bytes <= min_bytes_ || bytes > current_bytes_) return false;
  Fall(bytes, now);
  return true;
}

void MtuDiscovery::Fall(uint64_t refused_bytes, Timestamp now) {
  GODWIT_CHECK_GT(current_bytes_, min_bytes_);
  const uint64_t fallen_bytes = current_bytes_;
  latest_ = now;
  current_bytes_ = min_bytes_;
  suspects_.Clear();
  lost_probes_ = 0;
  is_probe_stale_ = true;
  if (refused_bytes == 0 && now >= retry_not_before_) {
    phase_ = Phase::kRetry;
    next_probe_bytes_ = fallen_bytes;
    probe_not_before_ = Timestamp::InfinitePast();
  } else {
    // RFC 8899 §5.3.3: a path that flaps must not take the size up and down with it.
    LengthenRaiseInterval();
    phase_ = Phase::kSearch;
    RuleOut(refused_bytes != 0 ? refused_bytes : fallen_bytes);
  }
  retry_not_before_ = now + kRetryInterval;
}

void MtuDiscovery::RuleOut(uint64_t bytes) {
  GODWIT_CHECK_GT(bytes, current_bytes_);
  lost_probes_ = 0;
  upper_bytes_ = std::min(upper_bytes_, bytes - 1);
  raise_time_ = Timestamp::Infinite();
  if (phase_ == Phase::kRaise) {
    LengthenRaiseInterval();
    Complete();
    return;
  }
  phase_ = Phase::kSearch;
  ContinueSearch();
}

void MtuDiscovery::ContinueSearch() {
  next_probe_bytes_ = SearchCandidate();
  probe_not_before_ = Timestamp::InfinitePast();
  if (next_probe_bytes_ == 0) Complete();
}

void MtuDiscovery::Complete() {
  phase_ = Phase::kComplete;
  next_probe_bytes_ = StepUp();
  // If a size fell by mistake and is back, the time goes on from where it was.
  if (raise_time_ == Timestamp::Infinite()) raise_time_ = latest_ + raise_interval_;
  probe_not_before_ = raise_time_;
}

void MtuDiscovery::LengthenRaiseInterval() {
  raise_interval_ = std::min(raise_interval_ * 2, kMaxRaiseInterval);
}

uint64_t MtuDiscovery::SearchCandidate() const {
  if (current_bytes_ < kEthernetBytes && kEthernetBytes <= upper_bytes_) return kEthernetBytes;
  // Nothing spoke against the ceiling yet, and if it passes the search is over.
  if (current_bytes_ < upper_bytes_ && upper_bytes_ == ceiling_bytes_) return ceiling_bytes_;
  const std::span<const uint16_t> sizes = CommonSizesBetween(current_bytes_, upper_bytes_);
  // The lower of two in the middle: a size that fails costs more probes than one that passes.
  return sizes.empty() ? 0 : sizes[(sizes.size() - 1) / 2];
}

uint64_t MtuDiscovery::StepUp() const {
  if (current_bytes_ == ceiling_bytes_) return 0;
  const std::span<const uint16_t> sizes = CommonSizesBetween(current_bytes_, ceiling_bytes_);
  return sizes.empty() ? ceiling_bytes_ : sizes.front();
}

void MtuDiscovery::CheckInvariants() const {
  GODWIT_CHECK_LE(min_bytes_, current_bytes_);
  GODWIT_CHECK_LE(current_bytes_, upper_bytes_);
  GODWIT_CHECK_LE(upper_bytes_, ceiling_bytes_);
  if (next_probe_bytes_ != 0) {
    GODWIT_CHECK(is_peer_known_);
    GODWIT_CHECK_GT(next_probe_bytes_, current_bytes_);
    GODWIT_CHECK_LE(next_probe_bytes_, ceiling_bytes_);
  }
  if (probe_in_flight_bytes_ != 0 && !is_probe_stale_) {
    GODWIT_CHECK_EQ(probe_in_flight_bytes_, next_probe_bytes_);
    GODWIT_CHECK(phase_ != Phase::kComplete);
  }
  GODWIT_CHECK_LT(lost_probes_, kMaxProbes);
  GODWIT_CHECK_LE(raise_interval_, kMaxRaiseInterval);
  GODWIT_CHECK_LT(suspects_.all().size(), kBlackHolePackets);
  for (const PacketSize& suspect : suspects_.all()) {
    GODWIT_CHECK(!IsProven(suspect));
    GODWIT_CHECK_LE(suspect.bytes, current_bytes_);
  }
  for (const PacketSize& proof : proofs_.all()) GODWIT_CHECK(!IsProven(proof));
}

}  // namespace godwit
