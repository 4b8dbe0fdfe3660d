// SPDX-License-Identifier: Apache-2.0
//
// LinkProfile: what one direction of an emulated link does to packets, as plain values. A packet is
// an IP packet with its IP header, without the Ethernet header; rates, queues and the MTU count its
// bytes. How the fields act together stands in link_model.h, how a user writes them in
// docs/link-emulator.md.
#ifndef GODWIT_BENCH_EMULATOR_LINK_PROFILE_H_
#define GODWIT_BENCH_EMULATOR_LINK_PROFILE_H_

#include <cstdint>
#include <optional>

#include "bench/emulator/probability.h"
#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {

// How much may wait for a link of finite rate, the packet on the wire included. A packet that would
// exceed any of the bounds is dropped (drop-tail).
struct QueueBounds {
  std::optional<uint64_t> packets = 1'000;
  std::optional<uint64_t> bytes = std::nullopt;
  // The time that the link would need for what waits already.
  std::optional<Duration> wait = std::nullopt;

  friend bool operator==(const QueueBounds&, const QueueBounds&) = default;
};

// Loss in bursts, after Gilbert and Elliott: the link is good or bad, and throws the dice for
// changing with each packet.
struct BurstLossProfile {
  Probability turns_bad;
  Probability turns_good;
  Probability loss_while_bad = Probability::Percent(100);

  friend bool operator==(const BurstLossProfile&, const BurstLossProfile&) = default;
};

// What the router says of a packet that is larger than the MTU and may not be fragmented.
enum class TooBigAnswer : uint8_t {
  kIcmp,    // What routers should do: RFC 1191, RFC 8201.
  kSilent,  // A black hole for path MTU discovery.
};

struct LinkProfile {
  Bandwidth rate = Bandwidth::Infinite();  // Not zero.
  QueueBounds queue;

  Duration delay = Duration::Zero();
  // Each packet takes up to this longer, all values alike. Without reordering a late packet holds
  // those behind it back.
  Duration jitter = Duration::Zero();
  bool jitter_reorders = false;
  // These take `reorder_delay` longer, and packets overtake them.
  Probability reorder;
  Duration reorder_delay = Duration::Zero();

  Probability loss;
  BurstLossProfile burst_loss;
  // Arrives twice, the copy right behind.
  Probability duplicate;
  // One to three bits are flipped, anywhere in the packet.
  Probability corrupt;

  uint64_t mtu_bytes = 65'535;
  TooBigAnswer too_big_answer = TooBigAnswer::kIcmp;

  friend bool operator==(const LinkProfile&, const LinkProfile&) = default;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_LINK_PROFILE_H_
