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

TargetConnector::~TargetConnector() { StopAttempt(); }

void TargetConnector::OnAddresses(absl::StatusOr<HostResolver::Addresses> addresses) {
  if (!addresses.ok()) {
    const absl::Status& why = addresses.status();
    const ReplyStatus status = absl::IsNotFound(why)            ? ReplyStatus::kNameNotFound
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
  StopAttempt();
  if (untried_.empty()) return End({std::move(failure_), UniqueFd()});
  address_ = untried_.back();
  untried_.pop_back();
  const bool is_tcp = options_.protocol == ForwardProtocol::kTcp;
  SocketOrError socket = is_tcp ? StartConnect(address_) : ConnectUdp(address_);
  if (!socket.fd.is_open()) return OnFailed(socket.error);
  if (!is_tcp) {
    return End({OpenReply{.status = ReplyStatus::kOk, .address = address_, .text = {}},
                std::move(socket.fd)});
  }
  fd_ = std::move(socket.fd);
  const absl::Status watched =
      options_.loop->WatchFd(fd_.get(), {.writable = true}, [this](FdEvents) { OnConnectEvent(); });
  if (!watched.ok()) {
    fd_.Close();
    return OnFailed(EMFILE);
  }
  timer_ = options_.loop->CallAt(options_.loop->now() + kPatience, [this] {
    timer_.reset();
    OnFailed(ETIMEDOUT);
  });
}

void TargetConnector::OnConnectEvent() {
  if (const int error = PendingError(fd_.get()); error != 0) return OnFailed(error);
  UniqueFd fd = std::move(fd_);
  options_.loop->UnwatchFd(fd.get());
  const SocketAddress local = LocalAddressOf(fd.get());
  End({OpenReply{.status = ReplyStatus::kOk, .address = local, .text = {}}, std::move(fd)});
}

void TargetConnector::OnFailed(int error) {
  failure_ = {.status = StatusOfErrno(error),
              .address = {},
              .text = absl::StrCat(address_.ToString(), ": ", strerror(error))};
  TryNext();
}

void TargetConnector::StopAttempt() {
  if (timer_.has_value()) options_.loop->Cancel(*std::exchange(timer_, std::nullopt));
  if (!fd_.is_open()) return;
  options_.loop->UnwatchFd(fd_.get());
  fd_.Close();
}

void TargetConnector::End(Result result) {
  StopAttempt();
  const Callback callback = std::move(options_.callback);
  callback(std::move(result));
}

}  // namespace godwit::tunnel
