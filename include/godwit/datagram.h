// SPDX-License-Identifier: Apache-2.0
//
// ReceivedDatagram and Transmit: the whole seam between godwit and a network, UDP payloads
// in and out with their addresses, ECN marks and times. Neither owns memory; both are views
// whose lifetime rules stand with their `payload`. Nothing here opens a socket or reads a
// clock. RFC 9000 §12.2 (a datagram holds one or more packets), §13.4 (ECN).
//
// Invariant of Transmit: segment_size > 0 unless the payload is empty.
#ifndef GODWIT_INCLUDE_DATAGRAM_H_
#define GODWIT_INCLUDE_DATAGRAM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "godwit/ecn.h"
#include "godwit/four_tuple.h"
#include "godwit/time.h"

namespace godwit {

// One UDP datagram from the network, as the application (or godwit's own event loop) hands
// it to the engine. What the kernel coalesced (GRO) is split before: one of these for each
// datagram that was on the wire.
//
// Threads: the struct is a value, but its bytes must not be touched by another thread from
// the moment they are handed over until they are given back.
struct ReceivedDatagram {
  // The UDP payload, without IP and UDP headers. The caller owns the memory and lends it:
  // godwit decrypts in place, so the content is lost, and stream data that the application
  // is offered points into it. It must stay valid, and unchanged by the caller, from the
  // call that hands the datagram over until the events of that batch are drained. After
  // that godwit keeps no pointer into it. Any size, any content: a payload that is no
  // QUIC is dropped and counted.
  std::span<uint8_t> payload = {};

  // `local` is the address the datagram came to, from the kernel's packet information and
  // never a wildcard; `peer` is its sender.
  FourTuple four_tuple = {};

  // From the IP header; kNotEct if the socket does not say.
  EcnMark ecn = EcnMark::kNotEct;

  // When it arrived, in the epoch of all the caller's other timestamps: the kernel's time
  // of arrival or, cheaper, one clock reading for a batch. Not later than the `now` of the
  // call that hands it over.
  Timestamp received_at = {};
};

// What is to be sent next to one peer: a train of datagrams, laid one after the other in
// one buffer and cut by `segment_size`. This is the form that UDP segmentation offload (GSO)
// takes in one system call; without it, send each segment(i) as a datagram of its own, in
// order. A single datagram is a train of one segment.
//
// Threads: the struct is a value; its bytes belong to the engine that made it.
struct Transmit {
  // The UDP payloads. The engine that filled in the transmit owns the memory and leaves it
  // unchanged until the next call of one of its non-const functions. Whoever sends later
  // than that copies first. Empty means: nothing to send.
  std::span<const uint8_t> payload = {};

  // Bytes. Every segment but the last has exactly this size; the last has 1 to
  // segment_size. Never 0 unless `payload` is empty.
  size_t segment_size = 0;

  // Send from `local` to `peer`. If `local` is a wildcard address, the kernel chooses.
  FourTuple four_tuple = {};

  // To be set in the IP header of every segment.
  EcnMark ecn = EcnMark::kNotEct;

  // When the first segment should leave, in the caller's epoch. InfinitePast(), and every
  // other time that has passed, means "send now"; a later one is for sockets that can hold
  // a datagram back (SO_TXTIME), or for the caller to wait until then.
  Timestamp departure_time = Timestamp::InfinitePast();

  [[nodiscard]] constexpr size_t segment_count() const {
    if (payload.empty()) {
      return 0;
    }
    if (segment_size == 0) [[unlikely]] {
      __builtin_trap();
    }
    return (payload.size() - 1) / segment_size + 1;
  }

  // The payload of datagram `i`, which is below segment_count(); anything else is a bug of
  // the caller and ends the process.
  [[nodiscard]] constexpr std::span<const uint8_t> segment(size_t i) const {
    if (i >= segment_count()) [[unlikely]] {
      __builtin_trap();
    }
    const size_t offset = i * segment_size;
    return payload.subspan(offset, std::min(segment_size, payload.size() - offset));
  }
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_DATAGRAM_H_
