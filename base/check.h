// SPDX-License-Identifier: Apache-2.0
//
// Assertions about our own code. A failed one prints "file:line: GODWIT_CHECK failed: condition" to
// stderr and aborts; it allocates nothing, so it works when the heap is what broke.
//
// GODWIT_CHECK* stay on in every build: for O(1) conditions whose violation would do silent damage.
// GODWIT_DCHECK* are evaluated only when NDEBUG is not defined, but always compiled.
//
// Never for bytes that a peer controls (Result, DropReason) nor for mistakes of the application
// (absl::Status). Invariant: every argument is evaluated once, or not at all (GODWIT_DCHECK* with
// NDEBUG).
#ifndef GODWIT_BASE_CHECK_H_
#define GODWIT_BASE_CHECK_H_

#include <cstdint>
#include <type_traits>
#include <utility>

namespace godwit::check_internal {

// An operand as it is printed. Operands that are neither integers nor enumerators print as "?".
struct Operand {
  enum class Kind : uint8_t { kSigned, kUnsigned, kOpaque };
  Kind kind;
  uint64_t bits;
};

// `message` is complete up to the operands, and a literal: a check that holds then costs its
// comparison and a branch, nothing is prepared for the message.
[[noreturn, gnu::cold, gnu::noinline]] void Fail(const char* message);
[[noreturn, gnu::cold, gnu::noinline]] void FailCompare(const char* message, Operand a, Operand b);

template <typename T>
constexpr Operand ToOperand(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return ToOperand(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T>) {
    return {std::is_signed_v<T> ? Operand::Kind::kSigned : Operand::Kind::kUnsigned,
            static_cast<uint64_t>(value)};
  } else {
    return {Operand::Kind::kOpaque, 0};
  }
}

// bool and the character types as the integer that they are: std::cmp_less refuses them.
template <typename T>
constexpr auto ToInteger(T value) {
  if constexpr (std::is_signed_v<T>) {
    return static_cast<int64_t>(value);
  } else {
    return static_cast<uint64_t>(value);
  }
}

// Integers of different signedness compare by value. The built-in operators would convert -1 to a
// large number, and warn even where the operand was a literal.
#define GODWIT_INTERNAL_COMPARISON(name, op, integer_compare)         \
  struct name {                                                       \
    template <typename A, typename B>                                 \
    static constexpr bool Holds(const A& a, const B& b) {             \
      if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) { \
        return integer_compare(ToInteger(a), ToInteger(b));           \
      } else {                                                        \
        return static_cast<bool>(a op b);                             \
      }                                                               \
    }                                                                 \
  }
GODWIT_INTERNAL_COMPARISON(Equal, ==, std::cmp_equal);
GODWIT_INTERNAL_COMPARISON(NotEqual, !=, std::cmp_not_equal);
GODWIT_INTERNAL_COMPARISON(Less, <, std::cmp_less);
GODWIT_INTERNAL_COMPARISON(LessEqual, <=, std::cmp_less_equal);
GODWIT_INTERNAL_COMPARISON(Greater, >, std::cmp_greater);
GODWIT_INTERNAL_COMPARISON(GreaterEqual, >=, std::cmp_greater_equal);
#undef GODWIT_INTERNAL_COMPARISON

template <typename Comparison, typename A, typename B>
constexpr void Compare(const A& a, const B& b, const char* message) {
  if (!Comparison::Holds(a, b)) [[unlikely]] {
    FailCompare(message, ToOperand(a), ToOperand(b));
  }
}

}  // namespace godwit::check_internal

#define GODWIT_INTERNAL_TO_TEXT_(number) #number
#define GODWIT_INTERNAL_TO_TEXT(number) GODWIT_INTERNAL_TO_TEXT_(number)
#define GODWIT_INTERNAL_PLACE __FILE__ ":" GODWIT_INTERNAL_TO_TEXT(__LINE__) ": "

#define GODWIT_INTERNAL_CHECK(condition, macro, text)   \
  (__builtin_expect(static_cast<bool>(condition), true) \
       ? static_cast<void>(0)                           \
       : ::godwit::check_internal::Fail(GODWIT_INTERNAL_PLACE macro " failed: " text))

#define GODWIT_INTERNAL_COMPARE(comparison, a, b, macro, text)             \
  ::godwit::check_internal::Compare<::godwit::check_internal::comparison>( \
      (a), (b), GODWIT_INTERNAL_PLACE macro " failed: " text)

#define GODWIT_CHECK(condition) GODWIT_INTERNAL_CHECK(condition, "GODWIT_CHECK", #condition)
#define GODWIT_CHECK_EQ(a, b) GODWIT_INTERNAL_COMPARE(Equal, a, b, "GODWIT_CHECK_EQ", #a " == " #b)
#define GODWIT_CHECK_NE(a, b) \
  GODWIT_INTERNAL_COMPARE(NotEqual, a, b, "GODWIT_CHECK_NE", #a " != " #b)
#define GODWIT_CHECK_LT(a, b) GODWIT_INTERNAL_COMPARE(Less, a, b, "GODWIT_CHECK_LT", #a " < " #b)
#define GODWIT_CHECK_LE(a, b) \
  GODWIT_INTERNAL_COMPARE(LessEqual, a, b, "GODWIT_CHECK_LE", #a " <= " #b)
#define GODWIT_CHECK_GT(a, b) GODWIT_INTERNAL_COMPARE(Greater, a, b, "GODWIT_CHECK_GT", #a " > " #b)
#define GODWIT_CHECK_GE(a, b) \
  GODWIT_INTERNAL_COMPARE(GreaterEqual, a, b, "GODWIT_CHECK_GE", #a " >= " #b)

#ifdef NDEBUG
#define GODWIT_INTERNAL_DEBUG_ONLY(check) (true ? static_cast<void>(0) : (check))
#else
#define GODWIT_INTERNAL_DEBUG_ONLY(check) (check)
#endif

#define GODWIT_DCHECK(condition) \
  GODWIT_INTERNAL_DEBUG_ONLY(GODWIT_INTERNAL_CHECK(condition, "GODWIT_DCHECK", #condition))
#define GODWIT_DCHECK_EQ(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(GODWIT_INTERNAL_COMPARE(Equal, a, b, "GODWIT_DCHECK_EQ", #a " == " #b))
#define GODWIT_DCHECK_NE(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(  \
      GODWIT_INTERNAL_COMPARE(NotEqual, a, b, "GODWIT_DCHECK_NE", #a " != " #b))
#define GODWIT_DCHECK_LT(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(GODWIT_INTERNAL_COMPARE(Less, a, b, "GODWIT_DCHECK_LT", #a " < " #b))
#define GODWIT_DCHECK_LE(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(  \
      GODWIT_INTERNAL_COMPARE(LessEqual, a, b, "GODWIT_DCHECK_LE", #a " <= " #b))
#define GODWIT_DCHECK_GT(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(  \
      GODWIT_INTERNAL_COMPARE(Greater, a, b, "GODWIT_DCHECK_GT", #a " > " #b))
#define GODWIT_DCHECK_GE(a, b) \
  GODWIT_INTERNAL_DEBUG_ONLY(  \
      GODWIT_INTERNAL_COMPARE(GreaterEqual, a, b, "GODWIT_DCHECK_GE", #a " >= " #b))

// After a switch over an enum class that names every enumerator and has no default.
#define GODWIT_UNREACHABLE() \
  ::godwit::check_internal::Fail(GODWIT_INTERNAL_PLACE "GODWIT_UNREACHABLE reached")

#endif  // GODWIT_BASE_CHECK_H_
