// SPDX-License-Identifier: Apache-2.0
#include "runtime/dialer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace godwit {

struct Dialer::Dialing {
  uint64_t id;  // Never used again.
  std::string host;
  Callback callback;
  std::vector<SocketAddress> untried = {};  // The next one last.
  std::vector<ConnectionRef> attempts = {};
  std::optional<TimerId> timer = std::nullopt;
  absl::Status last_error = absl::UnavailableError("there is no address to try");
};

namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status ErrorOf(const std::string& host, const ConnectionRef& attempt) {
  const std::optional<CloseReason> reason = attempt.close_reason();
  if (!reason.has_value()) return absl::UnavailableError("the connection is gone");
  std::string text = absl::StrCat("connecting to ", host, ": ", View(ToString(reason->cause)));
  if (reason->error_code != 0) absl::StrAppend(&text, ", error ", absl::Hex(reason->error_code));
  if (!reason->reason.empty()) absl::StrAppend(&text, ": ", reason->reason);
  return absl::UnavailableError(text);
}

}  // namespace

Dialer::Dialer(EventLoop* loop, EngineHost* host, Duration attempt_delay)
    : loop_(*loop), host_(*host), attempt_delay_(attempt_delay), resolver_(loop) {
  host_.SetInterceptor([this](const EngineEvent& event) { return OnEvent(event); });
}

Dialer::~Dialer() {
  host_.SetInterceptor(nullptr);
  for (const auto& dialing : dialings_) StopTimer(*dialing);
}

uint64_t Dialer::Dial(std::string host, uint16_t port, Callback callback) {
  const uint64_t id = Add(host, std::move(callback)).id;
  resolver_.Resolve(std::move(host), port,
                    [this, id](absl::StatusOr<HostResolver::Addresses> addresses) {
                      OnAddresses(id, std::move(addresses));
                    });
  return id;
}

uint64_t Dialer::DialAddresses(std::string host, HostResolver::Addresses addresses,
                               Callback callback) {
  const uint64_t id = Add(std::move(host), std::move(callback)).id;
  OnAddresses(id, std::move(addresses));
  return id;
}

void Dialer::Cancel(uint64_t id) {
  const auto found = std::ranges::find(dialings_, id, [](const auto& one) { return one->id; });
  if (found == dialings_.end()) return;
  const std::unique_ptr<Dialing> cancelled = Take(**found);
  for (const ConnectionRef& attempt : cancelled->attempts) Abandon(attempt, "it was cancelled");
}

void Dialer::CancelAll(const absl::Status& reason) {
  const std::string text(reason.message());
  // A callback may dial, which is not cancelled, and cancel others of these.
  const uint64_t last_id = last_id_;
  while (!dialings_.empty() && dialings_.front()->id <= last_id) {
    const std::unique_ptr<Dialing> cancelled = Take(*dialings_.front());
    for (const ConnectionRef& attempt : cancelled->attempts) Abandon(attempt, text);
    cancelled->callback(reason);
  }
}

Dialer::Dialing& Dialer::Add(std::string host, Callback callback) {
  dialings_.push_back(std::make_unique<Dialing>(
      Dialing{.id = ++last_id_, .host = std::move(host), .callback = std::move(callback)}));
  return *dialings_.back();
}

void Dialer::OnAddresses(uint64_t id, absl::StatusOr<HostResolver::Addresses> addresses) {
  const auto found = std::ranges::find(dialings_, id, [](const auto& one) { return one->id; });
  if (found == dialings_.end()) return;  // Was cancelled.
  Dialing& dialing = **found;
  if (addresses.ok()) {
    dialing.untried.assign(addresses->rbegin(), addresses->rend());
  } else {
    dialing.last_error = addresses.status();
  }
  TryNext(dialing);
}

void Dialer::TryNext(Dialing& dialing) {
  StopTimer(dialing);
  while (!dialing.untried.empty()) {
    const SocketAddress address = dialing.untried.back();
    dialing.untried.pop_back();
    absl::Status status = Connect(dialing, address);
    if (status.ok()) break;
    dialing.last_error = std::move(status);
  }
  if (dialing.attempts.empty()) {
    const std::unique_ptr<Dialing> ended = Take(dialing);
    return ended->callback(ended->last_error);
  }
  if (dialing.untried.empty()) return;
  dialing.timer =
      loop_.CallAt(loop_.now() + attempt_delay_, [this, &dialing] { TryNext(dialing); });
}

absl::Status Dialer::Connect(Dialing& dialing, const SocketAddress& address) {
  absl::StatusOr<ConnectionRef> attempt = host_.Connect(address, dialing.host);
  if (!attempt.ok()) return attempt.status();
  dialing.attempts.push_back(*std::move(attempt));
  return absl::OkStatus();
}

bool Dialer::OnEvent(const EngineEvent& event) {
  if (dialings_.empty() && abandoned_.empty()) return false;
  const bool is_closed = event.event.kind == ConnectionEvent::Kind::kClosed;
  if (std::ranges::find(abandoned_, event.connection) != abandoned_.end()) {
    if (is_closed) std::erase(abandoned_, event.connection);
    return true;
  }
  for (const auto& dialing : dialings_) {
    for (const ConnectionRef& attempt : dialing->attempts) {
      if (attempt.handle() != event.connection) continue;
      const ConnectionRef found = attempt;
      if (is_closed) {
        OnAttemptClosed(*dialing, found);
        return true;
      }
      if (event.event.kind != ConnectionEvent::Kind::kHandshakeComplete) return true;
      OnWon(*dialing, found);
      return false;
    }
  }
  return false;
}

void Dialer::OnWon(Dialing& dialing, const ConnectionRef& winner) {
  const std::unique_ptr<Dialing> ended = Take(dialing);
  for (const ConnectionRef& attempt : ended->attempts) {
    if (attempt != winner) Abandon(attempt, "another address was faster");
  }
  ended->callback(winner);
}

void Dialer::Abandon(ConnectionRef attempt, std::string_view reason) {
  abandoned_.push_back(attempt.handle());
  const absl::Status closed = attempt.Close(0, reason);
  static_cast<void>(closed);  // The code is a valid one.
}

void Dialer::OnAttemptClosed(Dialing& dialing, const ConnectionRef& attempt) {
  dialing.last_error = ErrorOf(dialing.host, attempt);
  std::erase(dialing.attempts, attempt);
  // RFC 8305 §5: a failure does not wait for the delay.
  if (dialing.attempts.empty() || !dialing.untried.empty()) TryNext(dialing);
}

std::unique_ptr<Dialer::Dialing> Dialer::Take(Dialing& dialing) {
  StopTimer(dialing);
  const auto found = std::ranges::find_if(
      dialings_, [&dialing](const auto& one) { return one.get() == &dialing; });
  std::unique_ptr<Dialing> taken = std::move(*found);
  dialings_.erase(found);
  return taken;
}

void Dialer::StopTimer(Dialing& dialing) {
  if (dialing.timer.has_value()) loop_.Cancel(*dialing.timer);
  dialing.timer.reset();
}

}  // namespace godwit
