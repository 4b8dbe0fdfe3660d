// SPDX-License-Identifier: Apache-2.0
//
// The injected powers: everything the sans-IO core needs from outside besides bytes and time.
// Whoever makes an endpoint hands it one of each and keeps it alive for as long as the endpoint
// lives; in tests and in the simulator they are deterministic.
//
// There is no clock here: time is a parameter of the calls that need it. Implementations need not
// be thread-safe unless the caller shares them between endpoints on several threads.
#ifndef GODWIT_BASE_ENVIRONMENT_H_
#define GODWIT_BASE_ENVIRONMENT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "godwit/drop_reason.h"
#include "godwit/random.h"
#include "godwit/time.h"

namespace godwit {

// Where the core tells what happened, for counting and for qlog, which attaches here. An event
// costs a virtual call, so events of single packets are only for packets that went wrong. A sink
// must not call back into what told it.
class EventSink {
 public:
  virtual ~EventSink() = default;

  // `bytes`: what was dropped, a whole datagram or one packet of it.
  virtual void OnPacketDropped(Timestamp now, DropReason reason, size_t bytes) {
    static_cast<void>(now);
    static_cast<void>(reason);
    static_cast<void>(bytes);
  }

  // Of an SSLKEYLOGFILE, without its end of line. Never unless the configuration of TLS has
  // export_session_secrets.
  virtual void OnKeyLogLine(std::string_view line) { static_cast<void>(line); }
};

// Remembers what may be used once: 0-RTT tickets and address validation tokens (RFC 9001 §9.2, RFC
// 9000 §8.1.4). Shared by all endpoints that accept the same keys.
class ReplayStore {
 public:
  virtual ~ReplayStore() = default;

  // True if `key` is new; it is then remembered until `expires_at`. False if it was seen, or if the
  // store cannot tell: the caller then goes the slow and safe way (refuses 0-RTT, sends Retry).
  // A bounded store may answer false for a new key, at a rate that it documents. It never answers
  // true twice for the same key before `expires_at`.
  [[nodiscard]] virtual bool InsertIfAbsent(std::span<const uint8_t> key, Timestamp now,
                                            Timestamp expires_at) = 0;
};

}  // namespace godwit

#endif  // GODWIT_BASE_ENVIRONMENT_H_
