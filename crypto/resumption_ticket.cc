// SPDX-License-Identifier: Apache-2.0
#include "crypto/resumption_ticket.h"

#include <cstddef>

namespace godwit {
namespace {

// "GWT" and the number of the layout that follows. Another layout takes another number.
constexpr uint32_t kMarker = 0x47575402;

const uint8_t* BytesOf(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string_view TextOf(const CBS& cbs) {
  return {reinterpret_cast<const char*>(CBS_data(&cbs)), CBS_len(&cbs)};
}

}  // namespace

std::optional<std::vector<uint8_t>> ResumptionTicket::Write() const {
  bssl::ScopedCBB out;
  CBB part;
  const bool written =
      CBB_init(out.get(), 64 + transport_state.size() + tls_session.size()) &&
      CBB_add_u32(out.get(), kMarker) && CBB_add_u16_length_prefixed(out.get(), &part) &&
      CBB_add_bytes(&part, BytesOf(server_name), server_name.size()) &&
      CBB_add_u16_length_prefixed(out.get(), &part) &&
      CBB_add_bytes(&part, BytesOf(application_protocol), application_protocol.size()) &&
      CBB_add_u16_length_prefixed(out.get(), &part) &&
      CBB_add_bytes(&part, own_certificate_hash.data(), own_certificate_hash.size()) &&
      CBB_add_u16_length_prefixed(out.get(), &part) &&
      CBB_add_bytes(&part, transport_state.data(), transport_state.size()) &&
      CBB_add_u24_length_prefixed(out.get(), &part) &&
      CBB_add_bytes(&part, tls_session.data(), tls_session.size()) && CBB_flush(out.get());
  if (!written) {
    ERR_clear_error();
    return std::nullopt;
  }
  return std::vector<uint8_t>(CBB_data(out.get()), CBB_data(out.get()) + CBB_len(out.get()));
}

std::optional<ResumptionTicket> ResumptionTicket::Read(std::span<const uint8_t> bytes) {
  CBS in;
  CBS_init(&in, bytes.data(), bytes.size());
  uint32_t marker = 0;
  CBS name;
  CBS protocol;
  CBS own_hash;
  CBS state;
  CBS session;
  if (!CBS_get_u32(&in, &marker) || marker != kMarker || !CBS_get_u16_length_prefixed(&in, &name) ||
      !CBS_get_u16_length_prefixed(&in, &protocol) ||
      !CBS_get_u16_length_prefixed(&in, &own_hash) || !CBS_get_u16_length_prefixed(&in, &state) ||
      !CBS_get_u24_length_prefixed(&in, &session) || CBS_len(&in) != 0) {
    return std::nullopt;
  }
  return ResumptionTicket{.server_name = TextOf(name),
                          .application_protocol = TextOf(protocol),
                          .own_certificate_hash = {CBS_data(&own_hash), CBS_len(&own_hash)},
                          .transport_state = {CBS_data(&state), CBS_len(&state)},
                          .tls_session = {CBS_data(&session), CBS_len(&session)}};
}

std::vector<uint8_t> HashOwnCertificate(const SSL_CTX* context) {
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_CTX_get0_chain(context);
  if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0) return {};
  const CRYPTO_BUFFER* leaf = sk_CRYPTO_BUFFER_value(chain, 0);
  std::vector<uint8_t> hash(SHA256_DIGEST_LENGTH);
  SHA256(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf), hash.data());
  return hash;
}

bool OffersPreSharedKey(std::span<const uint8_t> bytes) {
  constexpr size_t kBeforeSessionId = 4 + 2 + 32;  // Header, version, random.
  CBS in;
  CBS part;
  CBS extensions;
  CBS_init(&in, bytes.data(), bytes.size());
  if (!CBS_skip(&in, kBeforeSessionId) || !CBS_get_u8_length_prefixed(&in, &part) ||
      !CBS_get_u16_length_prefixed(&in, &part) || !CBS_get_u8_length_prefixed(&in, &part) ||
      !CBS_get_u16_length_prefixed(&in, &extensions)) {
    return false;
  }
  uint16_t type = 0;
  while (CBS_get_u16(&extensions, &type) && CBS_get_u16_length_prefixed(&extensions, &part)) {
    if (type == TLSEXT_TYPE_pre_shared_key) return true;
  }
  return false;
}

}  // namespace godwit
