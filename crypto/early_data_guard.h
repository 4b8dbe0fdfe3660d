// SPDX-License-Identifier: Apache-2.0
//
// EarlyDataGuard: whether the 0-RTT data that comes with a ticket is new, for the servers of one
// thread. RFC 8446 §8, RFC 9001 §9.2.
//
// BoringSSL accepts 0-RTT data only if the age that the client gives its ticket is within 60
// seconds of ours by the wall clock, so one ClientHello passes for two minutes. The guard notes, in
// the ReplayStore, in which span of the wall clock a ticket was seen, and admits a ticket only if
// it was not seen for longer than that. Every sighting counts: what was refused once must not be
// accepted later, because the client has sent it again by other means. A ticket takes at most two
// keys of the store for each span, however often it is shown.
//
// That fails where the guard cannot know what passed before; then it admits nothing until all of it
// is too old: after a start with ticket keys that others may have used, and after the wall clock
// was set back. The thread must see hellos to notice either; a shared store does not tell it.
#ifndef GODWIT_CRYPTO_EARLY_DATA_GUARD_H_
#define GODWIT_CRYPTO_EARLY_DATA_GUARD_H_

#include <cstdint>
#include <optional>
#include <span>

#include "base/environment.h"
#include "crypto/tls_session.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {

class EarlyDataGuard {
 public:
  // A ticket that was seen is not admitted for this long, and up to twice as long. Above the two
  // minutes, for rounding to whole seconds.
  static constexpr int64_t kSpanSeconds = 130;
  // Two readings of the clocks may differ that much before the wall clock counts as set back.
  static constexpr int64_t kToleratedSkewSeconds = 5;

  // `store` outlives it. Null: nothing is admitted.
  explicit EarlyDataGuard(ReplayStore* store) : store_(store) {}

  bool has_store() const { return store_ != nullptr; }

  // The tickets that come from here on may have been used where this guard did not see it.
  void DistrustPast() { distrusts_past_ = true; }

  // At every ClientHello, before Admit().
  void OnClientHello(TlsTime time);

  // Notes that `ticket`, an authentic one, came with 0-RTT data; true if the data may be accepted.
  [[nodiscard]] bool Admit(std::span<const uint8_t> ticket, TlsTime time);

 private:
  bool IsNew(std::span<const uint8_t> ticket, int64_t span, Timestamp now);

  ReplayStore* store_;
  bool distrusts_past_ = false;
  // What the wall clock showed, by the largest difference seen, when the connections' clock was 0.
  std::optional<UnixTime> origin_;
  std::optional<UnixTime> closed_until_;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_EARLY_DATA_GUARD_H_
