// SPDX-License-Identifier: Apache-2.0
#include "godwit/connection_ref.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "congestion/builtin_controllers.h"
#include "crypto/cipher_suite.h"
#include "transport/engine/engine_state.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxErrorCode = (uint64_t{1} << 62) - 1;

// Null if it is gone.
Connection* Find(const std::shared_ptr<const EngineLink>& link, ConnectionHandle handle) {
  if (link == nullptr || link->engine == nullptr) return nullptr;
  GODWIT_DCHECK(link->is_right_thread == nullptr || link->is_right_thread(link->thread_context));
  return link->engine->endpoint->Find(handle);
}

absl::Status Gone() { return absl::NotFoundError("the connection is closed and gone"); }

absl::Status CheckErrorCode(uint64_t error_code) {
  if (error_code <= kMaxErrorCode) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("error_code is ", error_code, "; allowed: 0 to ", kMaxErrorCode));
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What one look shows of the stream's readable bytes, as far as there is room.
absl::StatusOr<size_t> CopyReadable(const Connection& connection, StreamId stream,
                                    std::span<uint8_t> room) {
  constexpr size_t kViewsAtOnce = 16;
  std::array<std::span<const uint8_t>, kViewsAtOnce> views;
  const absl::StatusOr<size_t> count = connection.PeekStream(stream, views);
  if (!count.ok()) return count.status();
  size_t copied = 0;
  for (size_t i = 0; i < *count && copied < room.size(); ++i) {
    const size_t bytes = std::min(views[i].size(), room.size() - copied);
    std::copy_n(views[i].begin(), bytes, room.begin() + static_cast<ptrdiff_t>(copied));
    copied += bytes;
  }
  return copied;
}

}  // namespace

bool ConnectionRef::is_open() const {
  const Connection* const connection = Find(engine_, handle_);
  return connection != nullptr && connection->close_phase() == CloseState::Phase::kOpen;
}

// ---- Streams ----

absl::StatusOr<StreamId> ConnectionRef::OpenStream(StreamDirection direction) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->OpenStream(direction);
}

absl::StatusOr<uint64_t> ConnectionRef::Write(StreamId stream, std::span<const uint8_t> data) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->WriteStream(stream, data);
}

absl::StatusOr<uint64_t> ConnectionRef::Write(StreamId stream, std::string_view data) {
  return Write(stream, BytesOf(data));
}

absl::StatusOr<uint64_t> ConnectionRef::Write(StreamId stream, const absl::Cord& data) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->WriteStream(stream, data);
}

absl::Status ConnectionRef::Finish(StreamId stream) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->FinishStream(stream);
}

absl::Status ConnectionRef::Reset(StreamId stream, uint64_t error_code) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  if (absl::Status status = CheckErrorCode(error_code); !status.ok()) return status;
  return connection->ResetStream(stream, error_code);
}

absl::Status ConnectionRef::StopSending(StreamId stream, uint64_t error_code) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  if (absl::Status status = CheckErrorCode(error_code); !status.ok()) return status;
  return connection->StopSending(stream, error_code);
}

absl::Status ConnectionRef::SetPriority(StreamId stream, StreamPriority priority) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  if (priority.urgency >= kUrgencyCount) {
    return absl::InvalidArgumentError(
        absl::StrCat("urgency is ", priority.urgency, "; allowed: 0 to ", kUrgencyCount - 1));
  }
  return connection->SetStreamPriority(stream, priority);
}

absl::StatusOr<size_t> ConnectionRef::Peek(StreamId stream,
                                           std::span<std::span<const uint8_t>> views) const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->PeekStream(stream, views);
}

absl::Status ConnectionRef::Consume(StreamId stream, uint64_t byte_count) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->ConsumeStream(stream, byte_count, engine_->engine->now);
}

absl::StatusOr<StreamReadResult> ConnectionRef::Read(StreamId stream, std::span<uint8_t> into) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  StreamReadResult result;
  for (;;) {
    const auto state = connection->StreamReadState(stream);
    if (!state.ok()) return state.status();
    const std::span<uint8_t> room = into.subspan(result.bytes);
    const uint64_t bytes = std::min<uint64_t>(state->readable_bytes, room.size());
    // Said before the last byte is consumed: then the stream may be gone.
    result.is_end = state->is_finished || (state->has_all_data && bytes == state->readable_bytes);
    if (bytes == 0) return result;
    const absl::StatusOr<size_t> copied = CopyReadable(*connection, stream, room);
    if (!copied.ok()) return copied.status();
    absl::Status status = connection->ConsumeStream(stream, *copied, engine_->engine->now);
    if (!status.ok()) return status;
    result.bytes += *copied;
    if (*copied == bytes) return result;
  }
}

absl::StatusOr<StreamReadState> ConnectionRef::ReadState(StreamId stream) const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->StreamReadState(stream);
}

// ---- Datagrams ----

absl::StatusOr<uint64_t> ConnectionRef::SendDatagram(std::span<const uint8_t> payload) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->SendDatagram(payload);
}

absl::StatusOr<uint64_t> ConnectionRef::SendDatagram(std::string_view payload) {
  return SendDatagram(BytesOf(payload));
}

uint64_t ConnectionRef::max_datagram_payload_bytes() const {
  const Connection* const connection = Find(engine_, handle_);
  return connection != nullptr ? connection->max_datagram_payload_bytes() : 0;
}

std::optional<std::span<const uint8_t>> ConnectionRef::PeekDatagram() const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return std::nullopt;
  return connection->PeekDatagram();
}

void ConnectionRef::PopDatagram() {
  Connection* const connection = Find(engine_, handle_);
  if (connection != nullptr && connection->PeekDatagram().has_value()) connection->PopDatagram();
}

// ---- The whole ----

absl::Status ConnectionRef::Close(uint64_t error_code, std::string_view reason) {
  if (absl::Status status = CheckErrorCode(error_code); !status.ok()) return status;
  Connection* const connection = Find(engine_, handle_);
  if (connection != nullptr) connection->Close(error_code, reason, engine_->engine->now);
  return absl::OkStatus();
}

absl::Status ConnectionRef::UpdateKeys() {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->UpdateKeys(engine_->engine->now);
}

absl::Status ConnectionRef::SwitchCongestionController(std::string_view name) {
  Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  const CongestionControllerFactory* const factory =
      FindCongestionControllerFactory(engine_->engine->congestion_controllers, name);
  if (factory == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "there is no congestion controller \"", absl::string_view(name.data(), name.size()),
        "\"; there are \"cubic\", \"new_reno\" and those that were registered"));
  }
  connection->SwitchCongestionController(*factory, engine_->engine->now);
  return absl::OkStatus();
}

absl::StatusOr<ConnectionStats> ConnectionRef::Stats() const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  return connection->StatsAt(engine_->engine->now);
}

absl::StatusOr<ConnectionInfo> ConnectionRef::Info() const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return Gone();
  const TlsFacts facts = connection->tls().facts();
  ConnectionInfo info = {.perspective = connection->perspective(),
                         .four_tuple = connection->four_tuple(),
                         .is_handshake_complete = connection->is_handshake_complete(),
                         .is_session_resumed = facts.resumed,
                         .application_protocol = std::string(facts.application_protocol),
                         .server_name = std::string(facts.server_name),
                         .cipher_suite = {},
                         .key_exchange_group = std::string(facts.key_exchange_group),
                         .peer_public_key_hash = connection->tls().peer_public_key_hash()};
  if (facts.cipher_suite.has_value()) info.cipher_suite = ToString(*facts.cipher_suite);
  return info;
}

std::optional<CloseReason> ConnectionRef::close_reason() const {
  const Connection* const connection = Find(engine_, handle_);
  if (connection == nullptr) return std::nullopt;
  return connection->close_reason();
}

}  // namespace godwit
