// SPDX-License-Identifier: Apache-2.0
#include "tunnel/target_connector.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tunnel/kernel_sockets.h"
#include "tunnel/target_policy.h"

namespace godwit::tunnel {

ReplyStatus StatusOfErrno(int error) {
  switch (error) {
    case ECONNREFUSED:
      return ReplyStatus::kRefused;
    case ETIMEDOUT:
      return ReplyStatus::kTimedOut;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return ReplyStatus::kUnreachable;
    case EMFILE:
    case ENFILE:
      return ReplyStatus::kTooMany;
    case EACCES:
    case EPERM:
      return ReplyStatus::kNotAllowed;
    case EADDRINUSE:
      return ReplyStatus::kAddressInUse;
    default:
      return ReplyStatus::kFailed;
  }
}

TargetConnector::TargetConnector(Options options)
    : options_(std::move(options)), self_(std::make_shared<TargetConnector*>(this)) {
  options_.resolver->Resolve(
      options_.target.host, options_.target.port,
      [weak = std::weak_ptr(self_)](absl::StatusOr<HostResolver::Addresses> addresses) {
        if (const auto self = weak.lock()) (*self)->OnAddresses(std::move(addresses));
      });
}

TargetConnector::~TargetConnector() { StopAll(); }

void TargetConnector::OnAddresses(absl::StatusOr<HostResolver::Addresses> addresses) {
  if (!addresses.ok()) {
    const absl::Status& why = addresses.status();
    const ReplyStatus status = absl::IsNotFound(why)            ? ReplyStatus::kNameNotFound
                               : absl::IsUnavailable(why)       ? ReplyStatus::kNameUnresolved
                               : absl::IsResourceExhausted(why) ? ReplyStatus::kTooMany
                                                                : ReplyStatus::kFailed;
    return End({OpenReply{.status = status, .address = {}, .text = std::string(why.message())},
                UniqueFd()});
  }
  for (const SocketAddress& address : *addresses) {
    if (untried_.size() == kMaxAddresses) break;
    if (!options_.gate || options_.gate(options_.target.host, address)) {
      untried_.push_back(address);
    }
  }
  std::ranges::reverse(untried_);
  if (untried_.empty()) {
    failure_ = {.status = ReplyStatus::kNotAllowed,
                .address = {},
                .text = absl::StrCat("the server does not allow it; add there: ",
                                     AllowTargetFlag(options_.target.host, addresses->front()))};
  }
  TryNext();
}

void TargetConnector::TryNext() {
  if (next_timer_.has_value()) options_.loop->Cancel(*std::exchange(next_timer_, std::nullopt));
  for (bool is_waiting = false; !is_waiting && !untried_.empty();) {
    const SocketAddress address = untried_.back();
    untried_.pop_back();
    const bool is_tcp = options_.protocol == ForwardProtocol::kTcp;
    SocketOrError socket = is_tcp ? StartConnect(address) : ConnectUdp(address);
    if (!socket.fd.is_open()) {
      NoteFailure(address, socket.error);
      continue;
    }
    if (!is_tcp) {
      return End({OpenReply{.status = ReplyStatus::kOk, .address = address, .text = {}},
                  std::move(socket.fd)});
    }
    is_waiting = Begin(address, std::move(socket.fd));
  }
  if (attempts_.empty()) return End({std::move(failure_), UniqueFd()});
  if (untried_.empty()) return;
  next_timer_ = options_.loop->CallAt(options_.loop->now() + kAttemptDelay, [this] {
    next_timer_.reset();
    TryNext();
  });
}

bool TargetConnector::Begin(const SocketAddress& address, UniqueFd fd) {
  Attempt& attempt = attempts_.emplace_back(
      Attempt{.address = address, .fd = std::move(fd), .timer = std::nullopt});
  const absl::Status watched =
      options_.loop->WatchFd(attempt.fd.get(), {.writable = true},
                             [this, &attempt](FdEvents) { OnConnectEvent(attempt); });
  if (!watched.ok()) {
    NoteFailure(address, EMFILE);
    attempts_.pop_back();
    return false;
  }
  attempt.timer = options_.loop->CallAt(options_.loop->now() + kPatience, [this, &attempt] {
    attempt.timer.reset();
    OnFailed(attempt, ETIMEDOUT);
  });
  return true;
}

void TargetConnector::OnConnectEvent(Attempt& attempt) {
  if (const int error = PendingError(attempt.fd.get()); error != 0) return OnFailed(attempt, error);
  options_.loop->UnwatchFd(attempt.fd.get());
  UniqueFd fd = std::move(attempt.fd);
  const SocketAddress local = LocalAddressOf(fd.get());
  End({OpenReply{.status = ReplyStatus::kOk, .address = local, .text = {}}, std::move(fd)});
}

void TargetConnector::OnFailed(Attempt& attempt, int error) {
  NoteFailure(attempt.address, error);
  Stop(attempt);
  attempts_.remove_if([&attempt](const Attempt& other) { return &other == &attempt; });
  // RFC 8305 §5: a failure does not wait for the delay.
  if (attempts_.empty() || !untried_.empty()) TryNext();
}

void TargetConnector::NoteFailure(const SocketAddress& address, int error) {
  failure_ = {.status = StatusOfErrno(error),
              .address = {},
              .text = absl::StrCat(address.ToString(), ": ", strerror(error))};
}

void TargetConnector::Stop(Attempt& attempt) {
  if (attempt.timer.has_value()) {
    options_.loop->Cancel(*std::exchange(attempt.timer, std::nullopt));
  }
  if (!attempt.fd.is_open()) return;
  options_.loop->UnwatchFd(attempt.fd.get());
  attempt.fd.Close();
}

void TargetConnector::StopAll() {
  if (next_timer_.has_value()) options_.loop->Cancel(*std::exchange(next_timer_, std::nullopt));
  for (Attempt& attempt : attempts_) Stop(attempt);
  attempts_.clear();
}

void TargetConnector::End(Result result) {
  StopAll();
  const Callback callback = std::move(options_.callback);
  callback(std::move(result));
}

}  // namespace godwit::tunnel
