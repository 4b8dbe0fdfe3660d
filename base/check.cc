// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace godwit::check_internal {
namespace {

constexpr int kOperandTextBytes = 24;

void Print(Operand operand, char (&text)[kOperandTextBytes]) {
  switch (operand.kind) {
    case Operand::Kind::kSigned:
      std::snprintf(text, sizeof(text), "%" PRId64, static_cast<int64_t>(operand.bits));
      return;
    case Operand::Kind::kUnsigned:
      std::snprintf(text, sizeof(text), "%" PRIu64, operand.bits);
      return;
    case Operand::Kind::kOpaque:
      std::snprintf(text, sizeof(text), "?");
      return;
  }
}

}  // namespace

void Fail(const char* message) {
  std::fprintf(stderr, "%s\n", message);
  std::abort();
}

void FailCompare(const char* message, Operand a, Operand b) {
  char a_text[kOperandTextBytes];
  char b_text[kOperandTextBytes];
  Print(a, a_text);
  Print(b, b_text);
  std::fprintf(stderr, "%s (%s vs %s)\n", message, a_text, b_text);
  std::abort();
}

}  // namespace godwit::check_internal
