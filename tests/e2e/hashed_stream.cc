// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/hashed_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

// Sets the server's content apart from the client's, whose seeds are small.
constexpr uint64_t kServerSeed = uint64_t{1} << 63;

// SplitMix64, of which every word is another. Whole words at once: what is tested is not this.
uint64_t ContentWord(uint64_t seed, uint64_t index) {
  uint64_t mixed = seed * 0xd1342543de82ef95 + index * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace

HashedStream::HashedStream(const HashedRequest& request) : is_client_(true), request_(request) {
  pending_.resize(sizeof(request));
  std::memcpy(pending_.data(), &request, sizeof(request));
  seed_ = request.seed;
  content_left_ = request.up_bytes;
  to_hash_ = request.down_bytes;
  BeginContent();
  SHA256_Update(&sent_, pending_.data(), pending_.size());
}

void HashedStream::BeginContent() {
  SHA256_Init(&sent_);
  SHA256_Init(&received_);
}

// ---- Out ----

std::span<const uint8_t> HashedStream::Pending() {
  if (pending_written_ == pending_.size() && request_.has_value() && !has_made_all_) FillPending();
  return std::span(pending_).subspan(pending_written_);
}

void HashedStream::FillPending() {
  const size_t bytes = static_cast<size_t>(std::min<uint64_t>(content_left_, kPieceBytes));
  const size_t words = (bytes + kWordBytes - 1) / kWordBytes;
  pending_.resize(words * kWordBytes);
  for (size_t i = 0; i < words; ++i) {
    const uint64_t word = ContentWord(seed_, content_words_ + i);
    std::memcpy(&pending_[i * kWordBytes], &word, kWordBytes);
  }
  content_words_ += words;
  pending_.resize(bytes);
  pending_written_ = 0;
  SHA256_Update(&sent_, pending_.data(), pending_.size());
  content_left_ -= bytes;
  if (content_left_ > 0) return;
  pending_.resize(bytes + SHA256_DIGEST_LENGTH);
  SHA256_Final(&pending_[bytes], &sent_);
  has_made_all_ = true;
}

void HashedStream::OnWritten(size_t bytes) {
  pending_written_ += bytes;
  GODWIT_CHECK(pending_written_ <= pending_.size());
}

bool HashedStream::TakeEnd() {
  const bool has_written_all = has_made_all_ && pending_written_ == pending_.size();
  if (!has_written_all || has_ended_ || !failure_.empty()) return false;
  if (!is_client_ && !has_peer_ended_) return false;
  pending_ = {};
  pending_written_ = 0;
  return has_ended_ = true;
}

// ---- In ----

void HashedStream::OnRead(std::span<const uint8_t> bytes) {
  if (!request_.has_value()) bytes = bytes.subspan(ReadRequest(bytes));
  const size_t to_hash = static_cast<size_t>(std::min<uint64_t>(to_hash_, bytes.size()));
  SHA256_Update(&received_, bytes.data(), to_hash);
  to_hash_ -= to_hash;
  bytes = bytes.subspan(to_hash);
  received_hash_.insert(received_hash_.end(), bytes.begin(), bytes.end());
  if (received_hash_.size() > SHA256_DIGEST_LENGTH) Fail("more came than was asked for");
}

// How many of the bytes were the request's.
size_t HashedStream::ReadRequest(std::span<const uint8_t> bytes) {
  const size_t taken = std::min(bytes.size(), sizeof(HashedRequest) - request_bytes_.size());
  request_bytes_.insert(request_bytes_.end(), bytes.begin(), bytes.begin() + taken);
  if (request_bytes_.size() < sizeof(HashedRequest)) return taken;
  HashedRequest request;
  std::memcpy(&request, request_bytes_.data(), sizeof(request));
  request_ = request;
  seed_ = request.seed ^ kServerSeed;
  content_left_ = request.down_bytes;
  to_hash_ = request.up_bytes;
  BeginContent();
  SHA256_Update(&received_, request_bytes_.data(), request_bytes_.size());
  return taken;
}

void HashedStream::OnPeerEnd() {
  has_peer_ended_ = true;
  if (!request_.has_value()) return Fail("the stream ended within the request");
  if (received_hash_.size() != SHA256_DIGEST_LENGTH) return Fail("less came than was asked for");
  std::array<uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256_Final(hash.data(), &received_);
  if (!std::ranges::equal(hash, received_hash_)) Fail("what came is not what was sent");
}

void HashedStream::Fail(std::string failure) {
  if (failure_.empty()) failure_ = std::move(failure);
}

}  // namespace godwit
