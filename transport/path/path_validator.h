// SPDX-License-Identifier: Apache-2.0
//
// PathValidator: one series of challenges to one address (RFC 9000 §8.2): when a PATH_CHALLENGE is
// due, what it contains, which response answers it, and when to give up. What follows from success
// or failure is decided elsewhere.
//
//            Start             WriteFrames
//   kIdle ---------> kPending -------------> kWaiting
//    ^ ^                ^                       |  |
//    | |                +-----------------------+  |
//    | |                  OnTimeout: retry         |
//    | +-------------------------------------------+
//    |   response, or OnTimeout: failed            |
//    +---- the same from kPending: an earlier challenge was answered, or no chance to send came
//
// Invariants: every challenge has data of its own, unpredictable; a response counts only for data
// that was sent in this series; the intervals between challenges double, and where one is known to
// be lost are max(PTO, kInitialPto) at least; the whole series ends after three times that.
#ifndef GODWIT_TRANSPORT_PATH_PATH_VALIDATOR_H_
#define GODWIT_TRANSPORT_PATH_PATH_VALIDATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/environment.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "congestion/rtt_estimator.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame.h"

namespace godwit {

// RFC 9002 §6.2.2: the probe timeout of a path about which nothing is known: kInitialRtt and four
// times half of it.
inline constexpr Duration kInitialPto = 3 * kInitialRtt;

class PathValidator {
 public:
  enum class State : uint8_t { kIdle, kPending, kWaiting };

  // Of the datagram that carries a challenge. kShort: credit does not suffice for 1200 bytes
  // (RFC 9000 §8.2.1).
  enum class Expansion : uint8_t { kFull, kShort };

  // What a response proves: with a short challenge not that the path carries 1200 bytes (RFC 9000
  // §8.2.3).
  enum class Proof : uint8_t { kNone, kAddress, kAddressAndMtu };

  enum class Outcome : uint8_t { kNothing, kRetry, kFailed };

  State state() const { return state_; }
  // As Start() was given it.
  Duration pto() const { return pto_; }
  bool is_active() const { return state_ != State::kIdle; }

  // From any state; an older series is forgotten. `pto`: of the path, without backoff.
  void Start(Timestamp now, Duration pto, Random& random);

  bool HasPendingFrames() const { return state_ == State::kPending; }
  void WriteFrames(FrameWriter& writer, PathId path, Expansion expansion, Timestamp now);
  // The packet that carried a challenge is lost: the next one need not wait for all of the backoff,
  // if this was the last.
  void OnChallengeLost(PacketNumber number);

  // Ends the series if it proves something.
  Proof OnPathResponse(const PathResponseFrame& frame);

  // Infinite() if idle.
  Timestamp next_deadline() const;
  Outcome OnTimeout(Timestamp now, Random& random);

  void CheckInvariants() const;

 private:
  struct Challenge {
    PathChallengeData data = {};
    PacketNumber number = PacketNumber(0);
    Expansion expansion = Expansion::kShort;
  };

  // Responses to older challenges come more than an eighth of the series too late.
  static constexpr size_t kRemembered = 4;

  State state_ = State::kIdle;
  uint32_t sent_count_ = 0;
  PathChallengeData next_data_ = {};              // kPending: of the challenge that is due.
  std::array<Challenge, kRemembered> sent_ = {};  // The n-th at n % kRemembered.
  Duration pto_;
  Duration interval_;  // Until the challenge after the next one.
  Timestamp retry_at_;
  Timestamp sent_at_;  // Of the last challenge.
  Timestamp fail_at_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_PATH_VALIDATOR_H_
