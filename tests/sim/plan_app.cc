// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/plan_app.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace godwit {
namespace {

uint64_t PairNumberOf(const Connection& connection) {
  std::array<uint8_t, 8> bytes{};
  GODWIT_CHECK(connection.tls().ExportKeyingMaterial("EXPORTER-sim", {}, bytes).ok());
  uint64_t number = 0;
  for (const uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

}  // namespace

PlanApp::AppConnection& PlanApp::Find(ConnectionHandle handle) {
  AppConnection*& app = by_handle_[{handle.slot, handle.generation}];
  if (app == nullptr) {
    connections_.push_back(std::make_unique<AppConnection>());
    app = connections_.back().get();
    app->record.handle = handle;
  }
  return *app;
}

LedgerKey PlanApp::KeyOf(const AppConnection& app, StreamId id, bool is_ours) const {
  return {app.pair, id.value(), is_ours ? perspective_ : Opposite(perspective_)};
}

void PlanApp::OnEvent(SimHost& host, const EndpointEvent& event) {
  AppConnection& app = Find(event.connection);
  ConnectionRecord& record = app.record;
  Connection* connection = host.endpoint().Find(event.connection);
  switch (event.event.kind) {
    case ConnectionEvent::Kind::kHandshakeComplete:
      record.completed_at = host.now();
      if (connection != nullptr) Start(host, *connection, app);
      break;
    case ConnectionEvent::Kind::kHandshakeConfirmed:
      record.confirmed_at = host.now();
      break;
    case ConnectionEvent::Kind::kStream:
      if (connection != nullptr) OnStreamEvent(host, *connection, app, event.event.stream);
      break;
    case ConnectionEvent::Kind::kDatagramReceived:
      if (connection != nullptr) ReadDatagrams(*connection, app);
      break;
    case ConnectionEvent::Kind::kDatagramFeedback:
      OnFeedback(app, event.event.datagram);
      break;
    case ConnectionEvent::Kind::kMaxDatagramPayloadChanged:
      break;
    case ConnectionEvent::Kind::kPathChanged:
      ++record.path_changes;
      break;
    case ConnectionEvent::Kind::kClosed:
      record.closed_at = host.now();
      if (connection != nullptr) record.close_reason = connection->close_reason();
      app.next_datagram_at = Timestamp::Infinite();
      break;
  }
}

void PlanApp::OnTime(SimHost& host) {
  for (const std::unique_ptr<AppConnection>& app : connections_) {
    if (app->record.completed_at == Timestamp::Infinite()) continue;
    if (app->record.closed_at != Timestamp::Infinite()) continue;
    Connection* connection = host.endpoint().Find(app->record.handle);
    if (connection == nullptr) continue;
    OpenStreams(host, *connection, *app);
    for (auto& [id, stream] : app->streams) PumpStream(host, *connection, StreamId(id), stream);
    if (app->next_datagram_at <= host.now()) SendDatagrams(host, *connection, *app);
  }
}

void PlanApp::Start(SimHost& host, Connection& connection, AppConnection& app) {
  app.pair = PairNumberOf(connection);
  for (const StreamPlan& plan : plan_.streams) {
    app.planned.push_back({plan, host.now() + plan.start_after});
    if (!plan.start_after.is_zero()) host.WakeAt(app.planned.back().start);
  }
  OpenStreams(host, connection, app);
  app.datagrams_left = plan_.datagrams.count;
  if (app.datagrams_left > 0) SendDatagrams(host, connection, app);
}

void PlanApp::OpenStreams(SimHost& host, Connection& connection, AppConnection& app) {
  std::array<bool, 2> is_refused = {};
  std::vector<PlannedStream> later;
  for (const PlannedStream& planned : std::exchange(app.planned, {})) {
    const StreamDirection direction = planned.plan.direction;
    if (planned.start > host.now() || is_refused[static_cast<size_t>(direction)]) {
      later.push_back(planned);
      continue;
    }
    const absl::StatusOr<StreamId> id = connection.OpenStream(direction);
    if (!id.ok()) {
      is_refused[static_cast<size_t>(direction)] = true;
      later.push_back(planned);
      continue;
    }
    OpenStream& stream = app.streams[id->value()];
    stream.writer.emplace(*id, planned.plan, KeyOf(app, *id, true), &ledger_);
    if (direction == StreamDirection::kBidirectional) {
      stream.reader.emplace(*id, plan_.reads, KeyOf(app, *id, false), &ledger_);
    }
    if (planned.plan.priority != StreamPriority{}) {
      GODWIT_CHECK(connection.SetStreamPriority(*id, planned.plan.priority).ok());
    }
    PumpStream(host, connection, *id, stream);
  }
  app.planned = std::move(later);
}

void PlanApp::OnStreamEvent(SimHost& host, Connection& connection, AppConnection& app,
                            const StreamEvent& event) {
  if (event.kind == StreamEvent::Kind::kStreamsAvailable) {
    return OpenStreams(host, connection, app);
  }
  if (event.kind == StreamEvent::Kind::kOpened) OnOpened(app, event.id);
  const auto found = app.streams.find(event.id.value());
  GODWIT_CHECK(found != app.streams.end());
  OpenStream& stream = found->second;
  switch (event.kind) {
    case StreamEvent::Kind::kFinished:
      stream.reader->OnFinished();
      break;
    case StreamEvent::Kind::kReset:
      stream.reader->OnReset(event.error_code);
      break;
    case StreamEvent::Kind::kStopped:
      stream.writer->OnStopped(event.error_code);
      break;
    case StreamEvent::Kind::kSendComplete:
      stream.writer->OnSendComplete();
      break;
    default:
      break;
  }
  PumpStream(host, connection, event.id, stream);
}

void PlanApp::OnOpened(AppConnection& app, StreamId id) {
  OpenStream& stream = app.streams[id.value()];
  stream.reader.emplace(id, plan_.reads, KeyOf(app, id, false), &ledger_);
  if (!id.is_bidirectional()) return;
  stream.writer.emplace(id, StreamPlan{.bytes = 0}, KeyOf(app, id, true), &ledger_);
  stream.echoes = plan_.answers.kind == AnswerPlan::Kind::kEcho;
  stream.answers_at_end = plan_.answers.kind == AnswerPlan::Kind::kBytes;
  stream.writer->SetHeld(stream.echoes || stream.answers_at_end);
}

void PlanApp::PumpStream(SimHost& host, Connection& connection, StreamId id, OpenStream& stream) {
  static_cast<void>(id);
  if (stream.reader.has_value()) {
    const uint64_t bytes = stream.reader->Pump(connection, host.now());
    if (stream.echoes) stream.writer->AddBytes(bytes);
    if (stream.reader->is_over() && (stream.echoes || stream.answers_at_end)) {
      if (stream.answers_at_end) stream.writer->AddBytes(plan_.answers.bytes);
      stream.writer->SetHeld(false);
      stream.echoes = false;
      stream.answers_at_end = false;
    }
    if (stream.reader->next_read() != Timestamp::Infinite()) {
      host.WakeAt(stream.reader->next_read());
    }
  }
  if (stream.writer.has_value()) {
    stream.writer->Pump(connection, host.now());
    if (stream.writer->next_write() != Timestamp::Infinite()) {
      host.WakeAt(stream.writer->next_write());
    }
  }
}

// ---- Datagrams ----

void PlanApp::SendDatagrams(SimHost& host, Connection& connection, AppConnection& app) {
  std::vector<uint8_t> bytes;
  for (uint64_t i = 0; i < plan_.datagrams.at_a_time && app.datagrams_left > 0; ++i) {
    --app.datagrams_left;
    const uint64_t size = std::min(plan_.datagrams.bytes, connection.max_datagram_payload_bytes());
    if (size < DeliveryLedger::kMinDatagramBytes) continue;
    bytes.resize(size);
    ledger_.FillDatagram(perspective_, app.next_datagram, bytes);
    if (!connection.SendDatagram(bytes).ok()) {
      ++app.record.datagrams_dropped;
      continue;
    }
    ledger_.OnDatagramSent(app.pair, perspective_, app.next_datagram++);
  }
  app.next_datagram_at =
      app.datagrams_left > 0 ? host.now() + plan_.datagrams.interval : Timestamp::Infinite();
  if (app.datagrams_left > 0) host.WakeAt(app.next_datagram_at);
}

void PlanApp::ReadDatagrams(Connection& connection, AppConnection& app) {
  if (plan_.reads.speed == ReadPlan::Speed::kNever) return;
  while (const std::optional<std::span<const uint8_t>> bytes = connection.PeekDatagram()) {
    ledger_.OnDatagramRead(app.pair, Opposite(perspective_), *bytes);
    connection.PopDatagram();
  }
}

void PlanApp::OnFeedback(AppConnection& app, const DatagramFeedback& feedback) {
  switch (feedback.fate) {
    case DatagramFeedback::Fate::kSent:
      ++app.record.datagrams_sent;
      break;
    case DatagramFeedback::Fate::kAcked:
      ++app.record.datagrams_acked;
      break;
    case DatagramFeedback::Fate::kLost:
      ++app.record.datagrams_lost;
      break;
    case DatagramFeedback::Fate::kDroppedQueueFull:
    case DatagramFeedback::Fate::kDroppedTooLarge:
      ++app.record.datagrams_dropped;
      break;
  }
}

std::string PlanApp::FindBlockedTimesProblem(SimHost& host) {
  constexpr size_t kLookedAt = 3;
  for (size_t i = 0; i < connections_.size() && i < kLookedAt; ++i) {
    AppConnection& app = *connections_[i];
    const Connection* const connection = host.endpoint().Find(app.record.handle);
    if (connection == nullptr) continue;
    const bool is_open = connection->close_phase() == CloseState::Phase::kOpen;
    std::string problem =
        app.blocked_times.Check(connection->StatsAt(host.now()).blocked_times, is_open, host.now());
    if (!problem.empty()) return problem;
  }
  return {};
}

// ---- The end ----

bool PlanApp::IsDone() const {
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const std::unique_ptr<AppConnection>& app) { return IsDone(*app); });
}

bool PlanApp::IsDone(const AppConnection& app) {
  if (app.record.completed_at == Timestamp::Infinite()) return false;
  if (!app.planned.empty() || app.datagrams_left > 0) return false;
  return std::all_of(app.streams.begin(), app.streams.end(), [](const auto& entry) {
    const OpenStream& stream = entry.second;
    return (!stream.writer.has_value() || stream.writer->is_done()) &&
           (!stream.reader.has_value() || stream.reader->is_over());
  });
}

}  // namespace godwit
