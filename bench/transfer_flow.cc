// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_flow.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {
namespace {

constexpr std::array<uint8_t, 4> kMagic = {'g', 'w', 't', '1'};

// Where the fields are. The numbers are in network order.
constexpr size_t kDirectionOffset = 4;
constexpr size_t kVerifiesOffset = 5;
constexpr size_t kFlowOffset = 8;
constexpr size_t kFlowCountOffset = 12;
constexpr size_t kConnectionCountOffset = 16;
constexpr size_t kBytesOffset = 24;
constexpr size_t kDurationOffset = 32;
static_assert(kDurationOffset + sizeof(uint64_t) == TransferRequest::kBytes);

template <typename T>
void WriteNumber(T value, uint8_t* to) {
  for (size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8)) {
    to[i] = static_cast<uint8_t>(value);
  }
}

template <typename T>
T ReadNumber(const uint8_t* from) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | from[i]);
  return value;
}

}  // namespace

TransferRequest TransferRequest::For(const TransferOptions& options, uint32_t flow) {
  const uint32_t flow_count = options.streams * options.connections;
  const bool gets_one_more = flow < options.bytes % flow_count;
  return {.direction = options.direction,
          .verifies = options.verifies,
          .bytes = options.bytes / flow_count + gets_one_more,
          .duration = options.duration,
          .flow = flow,
          .flow_count = flow_count,
          .connection_count = options.connections};
}

std::optional<TransferRequest> TransferRequest::Decode(std::span<const uint8_t, kBytes> bytes) {
  const uint8_t* const from = bytes.data();
  TransferRequest request;
  request.direction = static_cast<TransferDirection>(from[kDirectionOffset]);
  request.verifies = from[kVerifiesOffset] != 0;
  request.bytes = ReadNumber<uint64_t>(from + kBytesOffset);
  const uint64_t milliseconds = ReadNumber<uint64_t>(from + kDurationOffset);
  request.duration = Duration::Milliseconds(static_cast<int64_t>(milliseconds));
  request.flow = ReadNumber<uint32_t>(from + kFlowOffset);
  request.flow_count = ReadNumber<uint32_t>(from + kFlowCountOffset);
  request.connection_count = ReadNumber<uint32_t>(from + kConnectionCountOffset);
  const bool is_valid = std::equal(kMagic.begin(), kMagic.end(), from) &&
                        request.direction <= TransferDirection::kBidirectional &&
                        request.connection_count > 0 && request.flow < request.flow_count;
  return is_valid ? std::optional(request) : std::nullopt;
}

std::array<uint8_t, TransferRequest::kBytes> TransferRequest::Encode() const {
  std::array<uint8_t, kBytes> bytes = {};
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  bytes[kDirectionOffset] = static_cast<uint8_t>(direction);
  bytes[kVerifiesOffset] = verifies ? 1 : 0;
  WriteNumber(flow, &bytes[kFlowOffset]);
  WriteNumber(flow_count, &bytes[kFlowCountOffset]);
  WriteNumber(connection_count, &bytes[kConnectionCountOffset]);
  WriteNumber(this->bytes, &bytes[kBytesOffset]);
  WriteNumber(static_cast<uint64_t>(duration.ToMilliseconds()), &bytes[kDurationOffset]);
  return bytes;
}

TransferFlow::TransferFlow(const TransferPattern& pattern)
    : pattern_(&pattern), role_(TransferRole::kServer) {}

TransferFlow::TransferFlow(const TransferPattern& pattern, const TransferRequest& request,
                           Timestamp now)
    : pattern_(&pattern),
      role_(TransferRole::kClient),
      request_(request),
      request_bytes_(request.Encode()) {
  Begin(now);
}

bool TransferFlow::sends_pattern() const {
  return request_->direction == TransferDirection::kBidirectional ||
         (request_->direction == TransferDirection::kUpload) == (role_ == TransferRole::kClient);
}

bool TransferFlow::expects_pattern() const {
  return request_->direction == TransferDirection::kBidirectional || !sends_pattern();
}

void TransferFlow::Begin(Timestamp now) {
  send_until_ = now + request_->duration;
  has_sent_all_ = !sends_pattern();
}

std::span<const uint8_t> TransferFlow::PendingBytes(Timestamp now) {
  if (state_ != State::kOpen || !request_) return {};
  if (role_ == TransferRole::kClient && request_bytes_done_ < request_bytes_.size()) {
    return std::span(request_bytes_).subspan(request_bytes_done_);
  }
  if (request_->bytes == 0 && now >= send_until_) has_sent_all_ = true;
  if (has_sent_all_) return {};
  const std::span<const uint8_t> pattern = pattern_->At(request_->flow, bytes_sent_);
  if (request_->bytes == 0) return pattern;
  return pattern.first(std::min<uint64_t>(pattern.size(), request_->bytes - bytes_sent_));
}

void TransferFlow::OnSent(size_t count) {
  GODWIT_CHECK(request_.has_value());
  if (role_ == TransferRole::kClient && request_bytes_done_ < request_bytes_.size()) {
    request_bytes_done_ += count;
    GODWIT_CHECK(request_bytes_done_ <= request_bytes_.size());
    return;
  }
  bytes_sent_ += count;
  if (request_->bytes != 0 && bytes_sent_ == request_->bytes) has_sent_all_ = true;
}

bool TransferFlow::wants_to_end() const {
  if (state_ != State::kOpen || has_sent_end_ || !request_ || !has_sent_all_) return false;
  return role_ == TransferRole::kClient ? request_bytes_done_ == request_bytes_.size()
                                        : has_peer_ended_;
}

void TransferFlow::OnEndSent() {
  has_sent_end_ = true;
  UpdateState();
}

void TransferFlow::OnReceived(std::span<const uint8_t> bytes, Timestamp now) {
  if (state_ == State::kFailed) return;
  if (role_ == TransferRole::kServer && !request_) ReadRequest(bytes, now);
  if (bytes.empty() || state_ == State::kFailed) return;
  if (!expects_pattern()) return Fail("bytes came that nobody asked for");
  if (request_->verifies && !pattern_->Matches(request_->flow, bytes_received_, bytes)) {
    return Fail("what came is not what was sent");
  }
  bytes_received_ += bytes.size();
}

// Takes the request from the start of `bytes`.
void TransferFlow::ReadRequest(std::span<const uint8_t>& bytes, Timestamp now) {
  const size_t count = std::min(bytes.size(), request_bytes_.size() - request_bytes_done_);
  std::copy_n(bytes.begin(), count, request_bytes_.begin() + request_bytes_done_);
  request_bytes_done_ += count;
  bytes = bytes.subspan(count);
  if (request_bytes_done_ < request_bytes_.size()) return;
  request_ = TransferRequest::Decode(request_bytes_);
  if (!request_) return Fail("the peer is no client of this program");
  Begin(now);
}

void TransferFlow::OnPeerEnded() {
  if (state_ != State::kOpen) return;
  if (!request_) return Fail("the peer ended before its request was complete");
  const uint64_t expected_bytes = expects_pattern() ? request_->bytes : 0;
  if (expected_bytes != 0 && bytes_received_ != expected_bytes) {
    return Fail("the peer sent less or more than was asked for");
  }
  if (role_ == TransferRole::kClient && !has_sent_end_) {
    return Fail("the server ended before the client did");
  }
  has_peer_ended_ = true;
  UpdateState();
}

void TransferFlow::Fail(const char* failure) {
  state_ = State::kFailed;
  failure_ = failure;
}

void TransferFlow::UpdateState() {
  if (state_ == State::kOpen && has_sent_end_ && has_peer_ended_) state_ = State::kDone;
}

}  // namespace godwit
