// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_node.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

// More than any correct endpoint needs without time going by.
constexpr uint64_t kMaxTransmitsPerStep = 20'000;
constexpr uint64_t kMaxStepsAtOneTime = 2'000;
constexpr uint8_t kWipe = 0xdb;

class SeededConnectionIds final : public ConnectionIdGenerator {
 public:
  SeededConnectionIds(size_t size, Random* random) : size_(size), random_(*random) {}

  size_t size_bytes() const override { return size_; }
  ConnectionId Generate() override {
    std::array<uint8_t, ConnectionId::kMaxSize> bytes{};
    const std::span<uint8_t> used = std::span(bytes).first(size_);
    random_.Fill(used);
    return *ConnectionId::FromBytes(used);
  }

 private:
  size_t size_;
  Random& random_;
};

}  // namespace

SimNode::SimNode(const NodeConfig& config, uint64_t seed, const World& world)
    : config_(config),
      world_(world),
      id_(world.network->AddNode(config.name, config.address,
                                 [this](SimPacket&& packet) { Receive(std::move(packet)); })),
      random_(seed) {
  connection_ids_ = std::make_unique<SeededConnectionIds>(config.connection_id_bytes, &random_);
  reset_key_ = SecretKey::Generate(random_);
  MakeEndpoint();
}

void SimNode::MakeEndpoint() {
  absl::StatusOr<std::unique_ptr<Endpoint>> made =
      Endpoint::Create(config_.endpoint, {.random = &random_,
                                          .events = nullptr,
                                          .connection_ids = connection_ids_.get(),
                                          .tls_clients = world_.tls_clients,
                                          .tls_servers = world_.tls_servers,
                                          .stateless_reset_key = reset_key_});
  if (!made.ok()) std::fprintf(stderr, "%s\n", std::string(made.status().message()).c_str());
  GODWIT_CHECK(made.ok());
  endpoint_ = *std::move(made);
  endpoint_->SetWallClock({now(), kTestNow});
}

void SimNode::Restart() {
  endpoint_.reset();
  inbox_.clear();
  MakeEndpoint();
  world_.trace->Add(world_.queue->now(), {"restart", config_.name});
}

void SimNode::Do(const std::function<void(Endpoint&)>& action) {
  action(*endpoint_);
  AfterStep();
}

ConnectionHandle SimNode::Connect(const SocketAddress& server, std::string_view server_name) {
  ConnectionHandle handle;
  Do([&](Endpoint& endpoint) {
    const absl::StatusOr<ConnectionHandle> made =
        endpoint.Connect({.four_tuple = {.local = config_.address, .peer = server},
                          .server_name = server_name,
                          .resumption_ticket = {}},
                         now());
    GODWIT_CHECK(made.ok());
    handle = *made;
  });
  return handle;
}

void SimNode::WakeAt(Timestamp time) {
  // Each stream asks for itself.
  if (app_wakeups_.insert(time).second) ScheduleAppWakeup(time);
}

void SimNode::ScheduleAppWakeup(Timestamp time) {
  world_.queue->At(VirtualTimeOf(time), [this, time] {
    // The clock was changed: OnClockChanged() has made another entry.
    if (now() < time || app_wakeups_.erase(time) == 0) return;
    if (app_ == nullptr) return;
    app_->OnTime(*this);
    AfterStep();
  });
}

// ---- The clock ----

void SimNode::ShiftClock(Duration by) {
  clock_offset_ = clock_offset_ + by;
  OnClockChanged();
}

void SimNode::StopClock() { clock_stopped_at_ = now(); }

void SimNode::StartClock() {
  GODWIT_CHECK(clock_stopped_at_.has_value());
  clock_offset_ = *clock_stopped_at_ - world_.queue->now();
  clock_stopped_at_.reset();
  OnClockChanged();
}

void SimNode::OnClockChanged() {
  for (const Timestamp time : app_wakeups_) ScheduleAppWakeup(time);
  wakeup_at_ = Timestamp::Infinite();
  ScheduleWakeup();
}

// ---- Receiving ----

void SimNode::Receive(SimPacket&& packet) {
  inbox_.push_back(std::move(packet));
  if (is_batch_scheduled_) return;
  is_batch_scheduled_ = true;
  world_.queue->After(config_.batching, [this] { TakeBatch(); });
}

void SimNode::TakeBatch() {
  is_batch_scheduled_ = false;
  std::vector<SimPacket> batch = std::exchange(inbox_, {});
  std::vector<ReceivedDatagram> datagrams;
  datagrams.reserve(batch.size());
  for (SimPacket& packet : batch) {
    datagrams.push_back({.payload = packet.payload,
                         .four_tuple = {.local = config_.address, .peer = packet.source},
                         .ecn = packet.ecn,
                         .received_at = now()});
  }
  endpoint_->OnDatagrams(datagrams, now());
  DrainEvents();
  for (SimPacket& packet : batch) {
    std::fill(packet.payload.begin(), packet.payload.end(), kWipe);
  }
  AfterStep();
}

void SimNode::DrainEvents() {
  while (const std::optional<EndpointEvent> event = endpoint_->PollEvent()) {
    if (event->event.kind == ConnectionEvent::Kind::kHandshakeComplete) {
      world_.trace->Add(world_.queue->now(), {"handshake complete", config_.name});
    } else if (event->event.kind == ConnectionEvent::Kind::kClosed) {
      world_.trace->Add(world_.queue->now(), {"closed", config_.name});
    }
    if (app_ != nullptr) app_->OnEvent(*this, *event);
  }
}

// ---- Sending ----

void SimNode::AfterStep() {
  CountStep();
  DrainEvents();
  SendAll();
  // Sending can have events of its own: feedback of datagrams, a connection that gave up.
  DrainEvents();
  const uint64_t every = config_.checks_invariants_every;
  if (every != 0 && ++step_count_ % every == 0) endpoint_->CheckInvariants();
  ScheduleWakeup();
}

void SimNode::SendAll() {
  for (uint64_t count = 0;; ++count) {
    const Transmit transmit = endpoint_->PollTransmit(now());
    if (transmit.payload.empty()) return;
    if (count == kMaxTransmitsPerStep) {
      problem_ = absl::StrCat(config_.name, " sends without end");
      return;
    }
    for (size_t i = 0; i < transmit.segment_count(); ++i) {
      const std::span<const uint8_t> segment = transmit.segment(i);
      SimPacket packet;
      packet.destination = transmit.four_tuple.peer;
      packet.ecn = transmit.ecn;
      packet.payload.assign(segment.begin(), segment.end());
      world_.network->Send(id_, std::move(packet));
    }
  }
}

void SimNode::ScheduleWakeup() {
  const Timestamp next = endpoint_->NextWakeup();
  if (next == Timestamp::Infinite()) return;
  if (clock_stopped_at_.has_value() && next > now()) return;
  const Timestamp at = std::max(VirtualTimeOf(next), world_.queue->now());
  if (at >= wakeup_at_) return;
  wakeup_at_ = at;
  world_.queue->At(wakeup_at_, [this, at = wakeup_at_] {
    if (wakeup_at_ == at) OnWakeup();
  });
}

void SimNode::OnWakeup() {
  wakeup_at_ = Timestamp::Infinite();
  if (endpoint_->NextWakeup() > now()) return ScheduleWakeup();
  endpoint_->OnTimeout(now());
  AfterStep();
}

void SimNode::CountStep() {
  if (last_step_ != world_.queue->now()) {
    last_step_ = world_.queue->now();
    steps_at_this_time_ = 0;
  }
  if (++steps_at_this_time_ == kMaxStepsAtOneTime) {
    problem_ = absl::StrCat(config_.name, " wakes up without end");
  }
}

}  // namespace godwit
