// SPDX-License-Identifier: Apache-2.0
//
// Result: "the peer kept the rules", or which rule it broke. The only way in which code that reads
// what a peer sent reports an error; the connection is then closed with it.
//
// Not for unusable packets (DropReason), failures of the user or the system (absl::Status), or our
// own mistakes (GODWIT_CHECK). The entries stand in base/protocol_errors.h. RFC 9000 §11, §20.1.
//
// Invariants: a Result is one pointer, null when ok; it points only to objects of static storage.
#ifndef GODWIT_BASE_RESULT_H_
#define GODWIT_BASE_RESULT_H_

#include <type_traits>

#include "base/check.h"
#include "base/transport_error_code.h"

namespace godwit {

// One way to break a rule. `rfc` is the section that has the rule ("RFC 9000 §19.8"), `reason` says
// what the peer did, in a short lower-case clause that also goes out as the reason phrase.
struct ProtocolError {
  TransportErrorCode code;
  const char* rfc;
  const char* reason;
};

class [[nodiscard]] Result {
 public:
  static constexpr Result Ok() { return Result(); }

  // Implicit, so that `return kAckOfUnsentPacket;` works. `error` must have static storage: a
  // catalogue entry is const, so temporaries and plain variables do not bind.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Result(const ProtocolError& error) : error_(&error) {}
  Result(const ProtocolError&&) = delete;
  Result(ProtocolError&) = delete;

  constexpr bool ok() const { return error_ == nullptr; }

  constexpr const ProtocolError& error() const {
    GODWIT_CHECK(!ok());
    return *error_;
  }

  // Equal: both ok, or both the same catalogue entry.
  friend constexpr bool operator==(Result a, Result b) = default;

 private:
  constexpr Result() : error_(nullptr) {}

  const ProtocolError* error_;
};

static_assert(sizeof(Result) == sizeof(void*));
static_assert(std::is_trivially_copyable_v<Result>);

}  // namespace godwit

// Returns from the calling function with the error of `expr`, a Result, if it has one.
#define GODWIT_RETURN_IF_ERROR(expr)                                                         \
  do {                                                                                       \
    if (const ::godwit::Result godwit_result_ = (expr); !godwit_result_.ok()) [[unlikely]] { \
      return godwit_result_;                                                                 \
    }                                                                                        \
  } while (false)

#endif  // GODWIT_BASE_RESULT_H_
