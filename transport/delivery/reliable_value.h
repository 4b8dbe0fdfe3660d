// SPDX-License-Identifier: Apache-2.0
//
// ReliableValue: one control value that is sent until the peer has it (RFC 9000 §13.3): a window,
// a reset, the end of the handshake. It decides when the value wants to be sent; the frame that
// carries it, and when there is room for one, is its owner's.
//
//            Set            OnSent              OnAcked
//   kIdle ---------> kRequested ---> kInFlight ---------> kDelivered
//                        ^              |  ^                  |
//                        |       OnLost v  | OnSent           |
//                        |<----------- kLost -----------------+ Set, of a new value:
//                                                               from any state
//
// A new value takes the place of an older one that was lost or is under way, and then only packets
// that carried the new one count. All packets are of one packet number space.
//
// Invariants: HasPending() exactly if kRequested or kLost; first_sent_ <= last_sent_, and both
// exist exactly if the current value was sent.
#ifndef GODWIT_TRANSPORT_DELIVERY_RELIABLE_VALUE_H_
#define GODWIT_TRANSPORT_DELIVERY_RELIABLE_VALUE_H_

#include <concepts>
#include <cstdint>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/packet_number.h"

namespace godwit {

enum class ValueNature : uint8_t {
  kOnce,        // Is set once and never changes: RESET_STREAM, HANDSHAKE_DONE.
  kLatest,      // Any other value supersedes it: DATA_BLOCKED, ACK_FREQUENCY.
  kIncreasing,  // Only a greater value does (RFC 9000 §4.1, §4.6): MAX_DATA, MAX_STREAMS.
};

enum class ValueState : uint8_t { kIdle, kRequested, kInFlight, kLost, kDelivered };

template <std::equality_comparable T, ValueNature kNature>
class ReliableValue {
 public:
  ValueState state() const { return state_; }

  // Whether the value wants to be sent, for the first time or again.
  bool HasPending() const {
    return state_ == ValueState::kRequested || state_ == ValueState::kLost;
  }

  // What was set last. Not when kIdle.
  const T& value() const {
    GODWIT_CHECK(state_ != ValueState::kIdle);
    return value_;
  }

  // Asks for `value` to be sent. False, and nothing changes, if it supersedes nothing: it is the
  // current value, or not above it where only greater ones count. A second value for kOnce is a
  // bug of the caller.
  bool Set(T value) {
    if (state_ != ValueState::kIdle) {
      if constexpr (kNature == ValueNature::kOnce) {
        GODWIT_CHECK(state_ == ValueState::kIdle);
      } else if constexpr (kNature == ValueNature::kLatest) {
        if (value == value_) return false;
      } else {
        if (value <= value_) return false;
      }
    }
    value_ = std::move(value);
    state_ = ValueState::kRequested;
    first_sent_ = PacketNumber::None();
    last_sent_ = PacketNumber::None();
    return true;
  }

  // The value is not needed any more, for example a window of a stream whose final size is known:
  // it is not sent again. Set() begins anew.
  void Cancel() { *this = ReliableValue(); }

  // Packet `number` carries the current value, which is pending or, in a probe, still in flight.
  void OnSent(PacketNumber number) {
    GODWIT_CHECK(HasPending() || state_ == ValueState::kInFlight);
    if (first_sent_.is_none()) {
      first_sent_ = number;
    } else {
      GODWIT_CHECK(number > last_sent_);
    }
    last_sent_ = number;
    state_ = ValueState::kInFlight;
  }

  // Packet `number`, which carried this value or an earlier one, was acknowledged: perhaps late,
  // after its loss was assumed. True if the current value has been delivered by that.
  bool OnAcked(PacketNumber number) {
    if (state_ != ValueState::kInFlight && state_ != ValueState::kLost) return false;
    if (number < first_sent_) return false;
    state_ = ValueState::kDelivered;
    return true;
  }

  // Packet `number`, which carried this value or an earlier one, is lost. That matters only if no
  // later packet carries the current value. True if the value wants to be sent again.
  bool OnLost(PacketNumber number) {
    if (state_ != ValueState::kInFlight || number != last_sent_) return false;
    state_ = ValueState::kLost;
    return true;
  }

  void CheckInvariants() const {
    const bool was_sent = state_ == ValueState::kInFlight || state_ == ValueState::kLost ||
                          state_ == ValueState::kDelivered;
    GODWIT_CHECK_EQ(was_sent, !first_sent_.is_none());
    GODWIT_CHECK_EQ(was_sent, !last_sent_.is_none());
    if (was_sent) GODWIT_CHECK(first_sent_ <= last_sent_);
  }

 private:
  T value_{};
  // The first and the last packet that carried the current value: an acknowledgment of any from the
  // first on delivers it, only the loss of the last one makes it pending.
  PacketNumber first_sent_ = PacketNumber::None();
  PacketNumber last_sent_ = PacketNumber::None();
  ValueState state_ = ValueState::kIdle;
};

// A message without a value: HANDSHAKE_DONE.
using ReliableSignal = ReliableValue<std::monostate, ValueNature::kOnce>;

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_RELIABLE_VALUE_H_
