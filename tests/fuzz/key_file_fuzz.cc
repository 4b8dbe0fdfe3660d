// SPDX-License-Identifier: Apache-2.0
//
// Reads arbitrary text as a key file. What is accepted must come back the same from its own
// formatting, and what is refused must say why.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

#include "base/check.h"
#include "crypto/key_file.h"

namespace godwit {
namespace {

bool HaveSameBytes(const SecretKey& a, const SecretKey& b) {
  return std::ranges::equal(a.bytes(), b.bytes());
}

void RunOne(std::string_view text) {
  const absl::StatusOr<ServerSecrets> secrets = ParseServerSecrets(text);
  if (!secrets.ok()) {
    GODWIT_CHECK(!secrets.status().message().empty());
    return;
  }
  const absl::StatusOr<ServerSecrets> again =
      ParseServerSecrets(FormatServerSecrets(*secrets).view());
  GODWIT_CHECK(again.ok());
  GODWIT_CHECK(HaveSameBytes(secrets->reset_key, again->reset_key));
  GODWIT_CHECK(std::ranges::equal(secrets->token_keys, again->token_keys, HaveSameBytes));
  GODWIT_CHECK(std::ranges::equal(secrets->ticket_keys, again->ticket_keys, HaveSameBytes));
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  godwit::RunOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
