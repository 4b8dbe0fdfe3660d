// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine_host.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "platform/wall_clock.h"
#include "runtime/event_dispatcher.h"
#include "transport/engine/engine_factory.h"

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
  const auto is_right_thread = [](const void* of) {
    return static_cast<const EventLoop*>(of)->IsRightThread();
  };
  EngineFactory::SetThreadCheck(engine(), is_right_thread, &loop);
  loop.SetSettleCallback([this] { Settle(); });
  loop.SetHasWorkCallback([this] { return HasWork(); });
  loop.SetResumeCallback([this](Duration) { OnResume(); });
  return absl::OkStatus();
}

EngineHost::~EngineHost() {
  EventLoop& loop = *options_.loop;
  loop.Unwatch(options_.socket.fd());
  if (timer_.has_value()) loop.Cancel(*timer_);
  loop.SetSettleCallback(nullptr);
  loop.SetHasWorkCallback(nullptr);
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

absl::StatusOr<ConnectionRef> EngineHost::Connect(const SocketAddress& peer,
                                                  std::string_view server_name) {
  const SocketAddress local = socket().local_address();
  // As it will be in what comes from there.
  const SocketAddress address = peer.Unmapped();
  if (address.port() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the port of ", address.ToString(), " is 0; allowed: 1 to 65535"));
  }
  if (local.is_ipv4() && !address.is_ipv4()) {
    return absl::UnavailableError(
        absl::StrCat(address.ToString(), " is IPv6, and the socket is IPv4 only"));
  }
  if (!local.is_ipv4() && !local.is_any() && address.is_ipv4()) {
    return absl::UnavailableError(
        absl::StrCat(address.ToString(), " is IPv4, and the socket is IPv6 only"));
  }
  return engine().Connect({.local = local, .peer = address}, server_name, options_.loop->now());
}

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
  while (const std::optional<std::string> line = engine().PollKeyLogLine()) {
    options_.handler->OnKeyLogLine(*line);
  }
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
  SetTimer(deadline <= now ? Timestamp::Infinite() : deadline);
}

bool EngineHost::HasWork() {
  const Timestamp deadline = NextWakeup();
  if (deadline <= options_.loop->now()) return true;
  // Calls of the application may also have made something due sooner than it was.
  SetTimer(deadline);
  return false;
}

void EngineHost::SetTimer(Timestamp deadline) {
  if (deadline == timer_deadline_) return;
  timer_deadline_ = deadline;
  options_.loop->Reschedule(*timer_, deadline);
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
