// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine_host.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "platform/wall_clock.h"
#include "runtime/event_dispatcher.h"

namespace godwit {
namespace {

// The application reads while the bytes are in the cache, and straight from the datagrams: streams
// borrow only so many pieces (kMaxBorrowedViews) before they copy.
constexpr size_t kMaxDatagramsAtOnce = 128;

}  // namespace

absl::StatusOr<std::unique_ptr<EngineHost>> EngineHost::Create(Options options) {
  std::unique_ptr<EngineHost> host(new EngineHost(std::move(options)));
  if (absl::Status status = host->Watch(); !status.ok()) return status;
  return host;
}

EngineHost::EngineHost(Options options) : options_(std::move(options)) {}

absl::Status EngineHost::Watch() {
  EventLoop& loop = *options_.loop;
  absl::Status status = loop.Watch(options_.socket.fd(), {.readable = true},
                                   [this](FdEvents events) { OnSocketReady(events); });
  if (!status.ok()) return status;
  timer_ = loop.CallAt(Timestamp::Infinite(), [this] { OnTimer(); });
  loop.SetSettleCallback([this] { Settle(); });
  loop.SetResumeCallback([this](Duration) { OnResume(); });
  return absl::OkStatus();
}

EngineHost::~EngineHost() {
  EventLoop& loop = *options_.loop;
  loop.Unwatch(options_.socket.fd());
  if (timer_.has_value()) loop.Cancel(*timer_);
  loop.SetSettleCallback(nullptr);
  loop.SetResumeCallback(nullptr);
}

// ---- What wakes it ----

void EngineHost::OnSocketReady(FdEvents events) {
  if (events.readable || events.error) Receive();
  if (events.writable && SendPending()) SetWantsWrite(false);
}

void EngineHost::OnTimer() {
  // A timer that is not set anew inside of its call is gone for ever.
  timer_deadline_ = Timestamp::Infinite();
  GODWIT_CHECK(options_.loop->Reschedule(*timer_, timer_deadline_));
  engine().OnTimeout(options_.loop->now());
}

void EngineHost::OnResume() { engine().SetWallClock(options_.loop->now(), WallClock::Now()); }

// ---- In ----

void EngineHost::Receive() {
  // One batch a wake-up: the loop comes back at once if there is more, and what this one asks to be
  // sent does not wait for it.
  std::span<ReceivedDatagram> datagrams = options_.socket.Receive(batch_, options_.loop->now());
  if (options_.local_address == LocalAddress::kOfSocket) {
    for (ReceivedDatagram& datagram : datagrams) {
      datagram.four_tuple.local = options_.socket.local_address();
    }
  }
  if (sorter_) datagrams = sorter_(datagrams);
  if (!datagrams.empty()) OnDatagrams(datagrams);
}

void EngineHost::OnDatagrams(std::span<const ReceivedDatagram> datagrams) {
  while (!datagrams.empty()) {
    const size_t count = std::min(datagrams.size(), kMaxDatagramsAtOnce);
    engine().OnDatagrams(datagrams.first(count), options_.loop->now());
    // The memory of the datagrams is used again after this.
    DrainEvents();
    datagrams = datagrams.subspan(count);
  }
}

void EngineHost::DrainEvents() {
  while (const std::optional<EngineEvent> event = engine().PollEvent()) {
    if (interceptor_ && interceptor_(*event)) continue;
    DispatchEvent(*event, engine(), *options_.handler);
  }
}

// ---- Out ----

void EngineHost::Settle() {
  const Timestamp now = options_.loop->now();
  bool can_send = true;
  do {
    can_send = SendAll();
    DrainEvents();
    // Deadlines in the past are due now: among them work that was put off until a batch is over.
    if (engine().NextWakeup() <= now) engine().OnTimeout(now);
  } while (can_send && engine().NextWakeup() <= now);
  // A socket that takes nothing now says when it does, and what is overdue waits for that.
  const Timestamp deadline = engine().NextWakeup();
  const Timestamp wanted = deadline <= now ? Timestamp::Infinite() : deadline;
  if (wanted == timer_deadline_) return;
  timer_deadline_ = wanted;
  options_.loop->Reschedule(*timer_, wanted);
}

Timestamp EngineHost::NextWakeup() const {
  const Timestamp deadline = engine().NextWakeup();
  return wants_write_ && deadline <= options_.loop->now() ? Timestamp::Infinite() : deadline;
}

bool EngineHost::SendAll() {
  if (wants_write_) return false;
  while (true) {
    const Transmit transmit = engine().PollTransmit(options_.loop->now());
    if (transmit.payload.empty()) return true;
    Send(transmit);
    if (wants_write_) return false;
  }
}

void EngineHost::Send(const Transmit& transmit) {
  const UdpSocket::SendOutcome outcome = options_.socket.Send({&transmit, 1});
  if (outcome.is_blocked) {
    pending_bytes_.assign(transmit.payload.begin(), transmit.payload.end());
    pending_ = transmit;
    pending_.payload = pending_bytes_;
    SetWantsWrite(true);
  }
  for (const UdpSocket::TooLarge& large : options_.socket.too_large()) {
    engine().OnDatagramTooLarge(large.four_tuple, large.bytes, options_.loop->now());
  }
}

bool EngineHost::SendPending() {
  if (pending_.payload.empty()) return true;
  const UdpSocket::SendOutcome outcome = options_.socket.Send({&pending_, 1});
  if (outcome.is_blocked) return false;
  for (const UdpSocket::TooLarge& large : options_.socket.too_large()) {
    engine().OnDatagramTooLarge(large.four_tuple, large.bytes, options_.loop->now());
  }
  pending_ = {};
  return true;
}

void EngineHost::SetWantsWrite(bool wants_write) {
  wants_write_ = wants_write;
  const absl::Status status =
      options_.loop->Modify(options_.socket.fd(), {.readable = true, .writable = wants_write});
  static_cast<void>(status);  // The socket is watched, and that can be said of it at any time.
}

}  // namespace godwit
