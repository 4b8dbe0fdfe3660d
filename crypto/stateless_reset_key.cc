// SPDX-License-Identifier: Apache-2.0
#include "crypto/stateless_reset_key.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/check.h"

namespace godwit {

StatelessResetToken StatelessResetKey::TokenFor(const ConnectionId& connection_id) const {
  // RFC 9000 §10.3.2: an endpoint without connection ids cannot use this scheme.
  GODWIT_CHECK(!connection_id.empty());
  constexpr std::string_view kLabel = "godwit stateless reset ";
  std::array<char, kLabel.size() + ConnectionId::kMaxSize> info;
  char* end = std::copy(kLabel.begin(), kLabel.end(), info.begin());
  end = std::copy(connection_id.bytes().begin(), connection_id.bytes().end(), end);
  std::array<uint8_t, StatelessResetToken::kSize> token;
  key_.Derive({info.data(), static_cast<size_t>(end - info.data())}, token);
  return StatelessResetToken(token);
}

}  // namespace godwit
