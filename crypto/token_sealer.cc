// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_sealer.h"

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

constexpr size_t kMarkerSize = 2;
constexpr size_t kHeaderSize = kMarkerSize + 1;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kKeySize = 16;
constexpr size_t kMaxPlaintextSize = SealedToken::kMaxSize - SealedToken::kOverhead;

static_assert(kHeaderSize + kNonceSize + kTagSize == SealedToken::kOverhead);

using Marker = std::array<uint8_t, kMarkerSize>;

// RFC 9000 §8.1.1: the server must be able to tell the two apart. Readable, so that it can even if
// it no longer has the key. Two arbitrary bytes, as a token of another server should not look like
// a Retry token of ours: its client would be turned away. A new layout takes new markers.
constexpr Marker kRetryMarker = {0x9d, 0x51};
constexpr Marker kNewTokenMarker = {0x9d, 0xa2};

std::optional<TokenPurpose> PurposeOf(std::span<const uint8_t> token) {
  const auto has_marker = [token](const Marker& marker) {
    return std::equal(marker.begin(), marker.end(), token.begin());
  };
  if (token.size() == SealedToken::kNewTokenSize && has_marker(kNewTokenMarker)) {
    return TokenPurpose::kNewToken;
  }
  if (token.size() >= SealedToken::kMinRetrySize && token.size() <= SealedToken::kMaxSize &&
      has_marker(kRetryMarker)) {
    return TokenPurpose::kRetry;
  }
  return std::nullopt;
}

// What is sealed, most significant bytes first. The callers know that it fits.
class PlaintextWriter {
 public:
  void WriteInteger(uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      bytes_[size_++] = static_cast<uint8_t>(value >> (8 * (size - 1 - i)));
    }
  }
  void WriteBytes(std::span<const uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + size_);
    size_ += bytes.size();
  }
  // IPv4 as IPv4-mapped IPv6, which is how a dual-stack socket shows IPv4 clients: one spelling for
  // both, so that tokens survive a change of socket.
  void WriteIp(const SocketAddress& address) {
    if (address.is_ipv4()) {
      WriteInteger(0, 8);
      WriteInteger(0xffff, 4);
    }
    WriteBytes(address.ip());
    WriteInteger(address.scope_id(), 4);
  }
  void WriteConnectionId(const ConnectionId& id) {
    WriteInteger(id.size(), 1);
    WriteBytes(id.bytes());
  }

  std::span<const uint8_t> bytes() const { return std::span(bytes_).first(size_); }

 private:
  std::array<uint8_t, kMaxPlaintextSize> bytes_;
  size_t size_ = 0;
};

// Reads what PlaintextWriter wrote. Ended short, it gives zeros and is no longer ok().
class PlaintextReader {
 public:
  explicit PlaintextReader(std::span<const uint8_t> bytes) : rest_(bytes) {}

  uint64_t ReadInteger(size_t size) {
    uint64_t value = 0;
    for (const uint8_t byte : ReadBytes(size)) value = value << 8 | byte;
    return value;
  }
  std::span<const uint8_t> ReadBytes(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::span<const uint8_t> bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  ConnectionId ReadConnectionId() {
    const std::optional<ConnectionId> id = ConnectionId::FromBytes(ReadBytes(ReadInteger(1)));
    ok_ = ok_ && id.has_value();
    return id.value_or(ConnectionId());
  }

  bool ok() const { return ok_; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::span<const uint8_t> rest_;
  bool ok_ = true;
};

bool IsInRange(int64_t seconds) { return seconds >= 1 && seconds <= TokenLifetimes::kMaxSeconds; }

}  // namespace

// The opened contents of either kind; the last three only of Retry.
struct TokenSealer::Contents {
  UnixTime issued_at;
  std::array<uint8_t, 20> ip_and_scope;
  uint16_t port = 0;
  ConnectionId original_destination_cid;
  ConnectionId retry_source_cid;

  static std::optional<Contents> Parse(TokenPurpose purpose, std::span<const uint8_t> plaintext) {
    Contents contents;
    PlaintextReader reader(plaintext);
    contents.issued_at = UnixTime::FromSeconds(static_cast<int64_t>(reader.ReadInteger(8)));
    const std::span<const uint8_t> ip = reader.ReadBytes(contents.ip_and_scope.size());
    std::copy(ip.begin(), ip.end(), contents.ip_and_scope.begin());
    if (purpose == TokenPurpose::kRetry) {
      contents.port = static_cast<uint16_t>(reader.ReadInteger(2));
      contents.original_destination_cid = reader.ReadConnectionId();
      contents.retry_source_cid = reader.ReadConnectionId();
    }
    if (!reader.ok() || !reader.is_at_end()) return std::nullopt;
    return contents;
  }

  bool IsFor(TokenPurpose purpose, const SocketAddress& address) const {
    PlaintextWriter expected;
    expected.WriteIp(address);
    const bool same_ip = std::equal(ip_and_scope.begin(), ip_and_scope.end(),
                                    expected.bytes().begin(), expected.bytes().end());
    // RFC 9000 §8.1.3: on the next connection the client's port is another, so only Retry has it.
    return same_ip && (purpose == TokenPurpose::kNewToken || port == address.port());
  }
};

const char* ToText(TokenReason reason) {
  switch (reason) {
    case TokenReason::kValid:
      return "valid";
    case TokenReason::kMalformed:
      return "not a token of this server";
    case TokenReason::kUnknownKey:
      return "sealed under an unknown key";
    case TokenReason::kForged:
      return "not authentic";
    case TokenReason::kWrongAddress:
      return "issued to another address";
    case TokenReason::kWrongConnectionId:
      return "issued for another connection id";
    case TokenReason::kExpired:
      return "expired";
    case TokenReason::kFromFuture:
      return "issued in the future";
    case TokenReason::kReplayed:
      return "used before, or that cannot be excluded";
  }
  GODWIT_UNREACHABLE();
}

TokenAction TokenVerdict::action() const {
  if (reason == TokenReason::kValid) return TokenAction::kAccept;
  // RFC 9000 §8.1.2: a client takes no second Retry, so it is told at once rather than left to time
  // out. RFC 9000 §8.1.3: all other tokens may come from a state that we have lost.
  return purpose == TokenPurpose::kRetry ? TokenAction::kCloseInvalid : TokenAction::kIgnore;
}

absl::StatusOr<TokenSealer> TokenSealer::Create(std::span<const SecretKey> keys,
                                                const TokenLifetimes& lifetimes) {
  if (keys.empty() || keys.size() > kMaxKeys) {
    return absl::InvalidArgumentError(absl::StrCat("there are ", keys.size(),
                                                   " token keys; give at least 1 and at most ",
                                                   kMaxKeys, ", the one that seals first"));
  }
  if (!IsInRange(lifetimes.retry_seconds) || !IsInRange(lifetimes.new_token_seconds) ||
      !IsInRange(lifetimes.clock_skew_seconds)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a token lifetime is out of range: retry ", lifetimes.retry_seconds, " s, new token ",
        lifetimes.new_token_seconds, " s, clock skew ", lifetimes.clock_skew_seconds,
        " s; set each to at least 1 and at most ", TokenLifetimes::kMaxSeconds));
  }
  std::vector<Key> made;
  made.reserve(keys.size());
  for (const SecretKey& key : keys) made.push_back(MakeKey(key));
  return TokenSealer(std::move(made), lifetimes);
}

TokenSealer::TokenSealer(std::vector<Key> keys, const TokenLifetimes& lifetimes)
    : keys_(std::move(keys)), lifetimes_(lifetimes) {}
TokenSealer::TokenSealer(TokenSealer&&) noexcept = default;
TokenSealer& TokenSealer::operator=(TokenSealer&&) noexcept = default;
TokenSealer::~TokenSealer() = default;

void TokenSealer::AeadContextDeleter::operator()(EVP_AEAD_CTX* context) const {
  EVP_AEAD_CTX_free(context);  // Wipes the key with the memory.
}

TokenSealer::Key TokenSealer::MakeKey(const SecretKey& secret) {
  std::array<uint8_t, kKeySize> aead_key;
  secret.Derive("godwit token key", aead_key);
  // The id follows from the key, so nobody has to number keys. Two keys may share one: opening
  // tries all that match.
  std::array<uint8_t, 1> id;
  secret.Derive("godwit token key id", id);
  Key key;
  key.id = id[0];
  key.context.reset(
      EVP_AEAD_CTX_new(EVP_aead_aes_128_gcm_siv(), aead_key.data(), aead_key.size(), kTagSize));
  OPENSSL_cleanse(aead_key.data(), aead_key.size());
  GODWIT_CHECK(key.context != nullptr);
  return key;
}

SealedToken TokenSealer::SealRetry(const RetryTokenContents& contents, UnixTime now,
                                   Random& random) const {
  PlaintextWriter plaintext;
  plaintext.WriteInteger(static_cast<uint64_t>(now.seconds()), 8);
  plaintext.WriteIp(contents.client_address);
  plaintext.WriteInteger(contents.client_address.port(), 2);
  plaintext.WriteConnectionId(contents.original_destination_cid);
  plaintext.WriteConnectionId(contents.retry_source_cid);
  return Seal(TokenPurpose::kRetry, plaintext.bytes(), random);
}

SealedToken TokenSealer::SealNewToken(const SocketAddress& client_address, UnixTime now,
                                      Random& random) const {
  PlaintextWriter plaintext;
  plaintext.WriteInteger(static_cast<uint64_t>(now.seconds()), 8);
  plaintext.WriteIp(client_address);
  return Seal(TokenPurpose::kNewToken, plaintext.bytes(), random);
}

SealedToken TokenSealer::Seal(TokenPurpose purpose, std::span<const uint8_t> plaintext,
                              Random& random) const {
  const Key& key = keys_.front();
  const Marker& marker = purpose == TokenPurpose::kRetry ? kRetryMarker : kNewTokenMarker;
  SealedToken token;
  uint8_t* const header = token.bytes_.data();
  std::copy(marker.begin(), marker.end(), header);
  header[kMarkerSize] = key.id;
  const std::span<uint8_t> nonce = std::span(token.bytes_).subspan<kHeaderSize, kNonceSize>();
  random.Fill(nonce);
  const std::span<uint8_t> sealed = std::span(token.bytes_).subspan<kHeaderSize + kNonceSize>();
  size_t sealed_size = 0;
  const int ok =
      EVP_AEAD_CTX_seal(key.context.get(), sealed.data(), &sealed_size, sealed.size(), nonce.data(),
                        nonce.size(), plaintext.data(), plaintext.size(), header, kHeaderSize);
  GODWIT_CHECK_EQ(ok, 1);
  token.size_ = kHeaderSize + kNonceSize + sealed_size;
  return token;
}

TokenVerdict TokenSealer::Open(std::span<const uint8_t> token, const TokenBearer& bearer,
                               ReplayStore& store) const {
  TokenVerdict verdict;
  const std::optional<TokenPurpose> purpose = PurposeOf(token);
  if (!purpose.has_value()) return verdict;
  std::array<uint8_t, kMaxPlaintextSize> plaintext;
  TokenReason failure;
  const std::optional<size_t> size = OpenBytes(token, plaintext, failure);
  if (!size.has_value()) {
    verdict.purpose = purpose;
    verdict.reason = failure;
    return verdict;
  }
  const std::optional<Contents> contents =
      Contents::Parse(*purpose, std::span(plaintext).first(*size));
  if (!contents.has_value()) return verdict;

  verdict.purpose = purpose;
  verdict.reason = CheckLifetime(*purpose, contents->issued_at, bearer.unix_now);
  if (verdict.reason != TokenReason::kValid) return verdict;
  if (!contents->IsFor(*purpose, bearer.address)) {
    verdict.reason = TokenReason::kWrongAddress;
    return verdict;
  }
  if (*purpose == TokenPurpose::kRetry) {
    // RFC 9000 §7.2: after a Retry the client sends to the connection id that the Retry named.
    if (contents->retry_source_cid != bearer.destination_cid) {
      verdict.reason = TokenReason::kWrongConnectionId;
      return verdict;
    }
    verdict.original_destination_cid = contents->original_destination_cid;
    verdict.retry_source_cid = contents->retry_source_cid;
    return verdict;
  }
  // Last, so that only its owner can use a token up.
  const int64_t age_seconds = bearer.unix_now.SecondsSince(contents->issued_at);
  // The skew once more: the wall clock may be set back after the store has forgotten the token.
  const int64_t remembered_seconds =
      lifetimes_.new_token_seconds - age_seconds + lifetimes_.clock_skew_seconds;
  if (!store.InsertIfAbsent(token, bearer.now,
                            bearer.now + Duration::Seconds(remembered_seconds))) {
    verdict.reason = TokenReason::kReplayed;
  }
  return verdict;
}

std::optional<size_t> TokenSealer::OpenBytes(std::span<const uint8_t> token,
                                             std::span<uint8_t> plaintext,
                                             TokenReason& reason) const {
  const std::span<const uint8_t> header = token.first<kHeaderSize>();
  const std::span<const uint8_t> nonce = token.subspan<kHeaderSize, kNonceSize>();
  const std::span<const uint8_t> sealed = token.subspan<kHeaderSize + kNonceSize>();
  reason = TokenReason::kUnknownKey;
  for (const Key& key : keys_) {
    if (key.id != header[kMarkerSize]) continue;
    size_t size = 0;
    if (EVP_AEAD_CTX_open(key.context.get(), plaintext.data(), &size, plaintext.size(),
                          nonce.data(), nonce.size(), sealed.data(), sealed.size(), header.data(),
                          header.size()) == 1) {
      return size;
    }
    // Else it would stay in this thread's error queue and be taken for that of a later call.
    ERR_clear_error();
    reason = TokenReason::kForged;
  }
  return std::nullopt;
}

TokenReason TokenSealer::CheckLifetime(TokenPurpose purpose, UnixTime issued_at,
                                       UnixTime now) const {
  const int64_t age_seconds = now.SecondsSince(issued_at);
  if (age_seconds < -lifetimes_.clock_skew_seconds) return TokenReason::kFromFuture;
  const int64_t lifetime_seconds =
      purpose == TokenPurpose::kRetry ? lifetimes_.retry_seconds : lifetimes_.new_token_seconds;
  return age_seconds >= lifetime_seconds ? TokenReason::kExpired : TokenReason::kValid;
}

}  // namespace godwit
