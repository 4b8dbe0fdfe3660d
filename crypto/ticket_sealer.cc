// SPDX-License-Identifier: Apache-2.0
#include "crypto/ticket_sealer.h"

#include <array>
#include <cstring>
#include <utility>

#include "absl/status/status.h"

#include "base/check.h"
#include "crypto/boringssl.h"
#include "crypto/secret_bytes.h"

namespace godwit {
namespace {

constexpr size_t kIdLength = 1;
constexpr size_t kNonceLength = 12;
constexpr size_t kTagLength = 16;
constexpr size_t kHeaderLength = kIdLength + kNonceLength;

static_assert(kHeaderLength + kTagLength == TicketSealer::kOverhead);

}  // namespace

void TicketSealer::AeadContextDeleter::operator()(evp_aead_ctx_st* context) const {
  EVP_AEAD_CTX_free(context);
}

TicketSealer::TicketSealer(std::vector<Key> keys) : keys_(std::move(keys)) {}
TicketSealer::TicketSealer(TicketSealer&&) noexcept = default;
TicketSealer& TicketSealer::operator=(TicketSealer&&) noexcept = default;
TicketSealer::~TicketSealer() = default;

absl::StatusOr<TicketSealer> TicketSealer::Create(std::span<const SecretKey> keys) {
  if (keys.empty()) return absl::InvalidArgumentError("session tickets need at least one key");
  if (keys.size() > kMaxKeys) {
    return absl::InvalidArgumentError("there are too many session ticket keys; remove old ones");
  }
  std::vector<Key> made;
  for (const SecretKey& key : keys) made.push_back(MakeKey(key));
  return TicketSealer(std::move(made));
}

TicketSealer::Key TicketSealer::MakeKey(const SecretKey& secret) {
  SecretBytes<16> aead_key(16);
  secret.Derive("godwit session ticket key", aead_key.bytes());
  // It follows from the key, so nobody has to number keys. Two keys may share one: opening tries
  // all that match.
  std::array<uint8_t, kIdLength> id;
  secret.Derive("godwit session ticket key id", id);
  Key key;
  key.id = id[0];
  key.context.reset(EVP_AEAD_CTX_new(EVP_aead_aes_128_gcm_siv(), aead_key.bytes().data(),
                                     aead_key.bytes().size(), kTagLength));
  GODWIT_CHECK(key.context != nullptr);
  return key;
}

std::optional<size_t> TicketSealer::Seal(std::span<const uint8_t> session, Random& random,
                                         std::span<uint8_t> out) const {
  if (out.size() < session.size() + kOverhead) return std::nullopt;
  const Key& key = keys_.front();
  const std::span<uint8_t> sealed = out.subspan(kHeaderLength);
  // First, as what follows overwrites a session that begins where `out` does.
  if (!session.empty()) std::memmove(sealed.data(), session.data(), session.size());
  out[0] = key.id;
  const std::span<uint8_t> nonce = out.subspan(kIdLength, kNonceLength);
  random.Fill(nonce);
  size_t sealed_size = 0;
  const int ok =
      EVP_AEAD_CTX_seal(key.context.get(), sealed.data(), &sealed_size, sealed.size(), nonce.data(),
                        nonce.size(), sealed.data(), session.size(), out.data(), kIdLength);
  GODWIT_CHECK_EQ(ok, 1);
  return kHeaderLength + sealed_size;
}

std::optional<size_t> TicketSealer::Open(std::span<const uint8_t> ticket,
                                         std::span<uint8_t> out) const {
  if (ticket.size() < kOverhead || out.size() < ticket.size()) return std::nullopt;
  std::array<uint8_t, kHeaderLength> header;
  std::memcpy(header.data(), ticket.data(), header.size());
  const size_t sealed_size = ticket.size() - kHeaderLength;
  for (const Key& key : keys_) {
    if (key.id != header[0]) continue;
    // A copy for each key: an opening that fails wipes what it worked on.
    std::vector<uint8_t> opened(ticket.begin() + kHeaderLength, ticket.end());
    size_t size = 0;
    const bool authentic = EVP_AEAD_CTX_open(key.context.get(), opened.data(), &size, opened.size(),
                                             header.data() + kIdLength, kNonceLength, opened.data(),
                                             sealed_size, header.data(), kIdLength) == 1;
    if (authentic && size > 0) std::memcpy(out.data(), opened.data(), size);
    WipeBytes(opened);
    if (authentic) return size;
    // Else it would stay in this thread's error queue and be taken for that of a later call.
    ERR_clear_error();
  }
  return std::nullopt;
}

}  // namespace godwit
