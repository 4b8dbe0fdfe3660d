// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tcp_flow.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "tunnel/kernel_sockets.h"

namespace godwit::tunnel {
namespace {

// Of one event: other flows have their turn.
constexpr int kReadsAtOnce = 8;
constexpr size_t kViewsAtOnce = 64;

bool IsTransient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// Whether the other end of the TCP connection lacks something of what it was sent.
bool HasUndelivered(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

// Shared by the flows of a thread: what is in it does not outlive a call.
std::array<char, TcpFlow::kReadBytes>& Scratch() {
  thread_local std::array<char, TcpFlow::kReadBytes> bytes;
  return bytes;
}

}  // namespace

TcpFlow::TcpFlow(Options options)
    : options_(std::move(options)),
      stream_(options_.connection, options_.stream),
      awaits_reply_(options_.awaits_reply) {}

TcpFlow::~TcpFlow() { StopWatching(); }

void TcpFlow::Start() {
  SetPriority(kInteractivePriority);
  stream_.Write(std::exchange(options_.first_message, {}));
  // What the peer has sent already, and how it has ended.
  PumpOut();
  if (!is_over_) PumpIn();
}

// ---- Events of the stream ----

void TcpFlow::OnReadable() {
  if (is_over_) return;
  PumpOut();
}

void TcpFlow::OnWritable() {
  if (is_over_) return;
  PumpIn();
}

void TcpFlow::OnReset() {
  if (is_over_) return;
  Abort();
}

void TcpFlow::OnStopped() {
  if (is_over_) return;
  discards_input_ = !has_input_ended_;
  has_input_ended_ = true;
  // What the peer has sent before still has to be delivered: its end, or its reset, follows.
  if (has_output_ended_ && !HoldsForOutput()) return Abort();
  Watch();
}

void TcpFlow::OnConnectionLost() {
  if (!is_over_) ResetSocket();
}

// ---- From the socket to the stream ----

void TcpFlow::OnSocketReady(FdEvents events) {
  if (events.error && PendingError(options_.fd.get()) != 0) return Abort();
  if (events.writable) {
    is_socket_full_ = false;
    PumpOut();
  }
  if (is_over_) return;
  if (interest_.readable) {
    if (events.readable || events.error) PumpIn();
  } else if (events.error) {
    // It hung up, with data that the stream does not take now. This would come again at once.
    Unwatch();
  }
}

void TcpFlow::PumpIn() {
  if (discards_input_) return DiscardInput();
  if (has_input_ended_ || !stream_.Flush()) return Watch();
  if (awaits_reply_ && !options_.relays_before_reply) return Watch();
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const ssize_t got = recv(options_.fd.get(), Scratch().data(), Scratch().size(), MSG_DONTWAIT);
    if (got < 0) {
      if (IsTransient(errno)) break;
      return Abort();
    }
    if (got == 0) {
      has_input_ended_ = true;
      stream_.Finish();
      if (has_output_ended_) return End();
      break;
    }
    if (!Relay(static_cast<size_t>(got))) break;
    if (static_cast<size_t>(got) < Scratch().size()) break;
  }
  Watch();
}

void TcpFlow::DiscardInput() {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const ssize_t got = recv(options_.fd.get(), Scratch().data(), Scratch().size(), MSG_DONTWAIT);
    if (got < 0 && IsTransient(errno)) break;
    if (got < 0) return Abort();
    discards_input_ = got > 0;
    if (!discards_input_) break;
  }
  if (has_output_ended_ && !HoldsForOutput()) return End();
  Watch();
}

bool TcpFlow::Relay(size_t byte_count) {
  options_.totals->bytes_to_peer += byte_count;
  SetPriority(priority_.OnSent(byte_count, options_.loop->now()));
  const bool has_room = stream_.Write(std::string_view(Scratch().data(), byte_count));
  if (!has_room) {
    priority_.OnHeldUp(options_.loop->now());
    WatchPriority();
  }
  return has_room;
}

void TcpFlow::SetPriority(std::optional<StreamPriority> priority) {
  if (!priority.has_value()) return;
  static_cast<void>(options_.connection.SetPriority(options_.stream, *priority));
}

void TcpFlow::WatchPriority() {
  const Timestamp deadline = priority_.next_deadline();
  // One timer at a time, which finds out when it fires whether the flow has moved since.
  if (priority_timer_.has_value() || deadline == Timestamp::Infinite()) return;
  priority_timer_ = options_.loop->CallAt(deadline, [this] {
    priority_timer_.reset();
    if (is_over_) return;
    SetPriority(priority_.OnTimeout(options_.loop->now()));
    WatchPriority();
  });
}

// ---- From the stream to the socket ----

void TcpFlow::PumpOut() {
  if (has_output_ended_ || is_socket_full_) return;
  if (awaits_reply_ && !ReadReply()) return;
  bool is_end = false;
  while (WriteToSocket(&is_end)) {
    if (is_end) return EndOutput();
  }
  if (!is_over_) Watch();
}

bool TcpFlow::ReadReply() {
  const auto message = stream_.Read();
  const OpenReply* reply = nullptr;
  if (message.ok() && message->has_value()) reply = std::get_if<OpenReply>(&**message);
  if (message.ok() && !message->has_value()) return false;
  if (reply == nullptr) {
    Abort();
    return false;
  }
  awaits_reply_ = false;
  std::string bytes;
  if (options_.on_reply) bytes = options_.on_reply(*reply);
  if (!bytes.empty()) {
    // The first bytes of a socket: there is room for them.
    static_cast<void>(
        send(options_.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  if (reply->status != ReplyStatus::kOk) {
    stream_.Abort(StreamErrorCode::kRefused);
    if (bytes.empty()) ResetOnClose(options_.fd.get());
    End();
    return false;
  }
  PumpIn();
  return !is_over_;
}

bool TcpFlow::WriteToSocket(bool* is_end) {
  ConnectionRef& connection = options_.connection;
  const auto state = connection.ReadState(options_.stream);
  if (!state.ok()) {
    // The stream is gone: all was read, or the connection is closing, which another event tells.
    *is_end = connection.is_open();
    return *is_end;
  }
  if (state->reset_error.has_value()) return false;  // OnReset() follows.
  std::array<std::span<const uint8_t>, kViewsAtOnce> views;
  const auto count = connection.Peek(options_.stream, views);
  if (!count.ok()) return false;
  if (*count == 0) {
    *is_end = state->is_finished || (state->has_all_data && state->readable_bytes == 0);
    return *is_end;
  }
  std::array<iovec, kViewsAtOnce> parts;
  size_t offered = 0;
  for (size_t i = 0; i < *count; ++i) {
    parts[i] = {.iov_base = const_cast<uint8_t*>(views[i].data()), .iov_len = views[i].size()};
    offered += views[i].size();
  }
  const msghdr message = {.msg_name = nullptr,
                          .msg_namelen = 0,
                          .msg_iov = parts.data(),
                          .msg_iovlen = *count,
                          .msg_control = nullptr,
                          .msg_controllen = 0,
                          .msg_flags = 0};
  const ssize_t sent = sendmsg(options_.fd.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && !IsTransient(errno)) {
    Abort();
    return false;
  }
  const size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
  options_.totals->bytes_from_peer += taken;
  if (!connection.Consume(options_.stream, taken).ok()) return false;
  is_socket_full_ = taken < offered;
  *is_end = !is_socket_full_ && state->has_all_data && taken == state->readable_bytes;
  return !is_socket_full_;
}

void TcpFlow::EndOutput() {
  has_output_ended_ = true;
  shutdown(options_.fd.get(), SHUT_WR);
  if (has_input_ended_ && !HoldsForOutput()) return End();
  Watch();
}

// ---- The socket ----

bool TcpFlow::HoldsForOutput() const {
  return discards_input_ && HasUndelivered(options_.fd.get());
}

void TcpFlow::Watch() {
  const bool may_relay = !has_input_ended_ && !stream_.has_unsent() &&
                         (!awaits_reply_ || options_.relays_before_reply);
  const bool may_read = may_relay || discards_input_;
  const FdInterest wanted = {.readable = may_read, .writable = is_socket_full_};
  if (is_watched_ && wanted.readable == interest_.readable &&
      wanted.writable == interest_.writable) {
    return;
  }
  interest_ = wanted;
  if (is_watched_) {
    if (options_.loop->ModifyFd(options_.fd.get(), wanted).ok()) return;
    return Abort();
  }
  is_watched_ =
      options_.loop
          ->WatchFd(options_.fd.get(), wanted, [this](FdEvents events) { OnSocketReady(events); })
          .ok();
  if (!is_watched_) Abort();
}

void TcpFlow::Unwatch() {
  if (!is_watched_) return;
  options_.loop->UnwatchFd(options_.fd.get());
  is_watched_ = false;
}

void TcpFlow::StopWatching() {
  Unwatch();
  if (priority_timer_.has_value()) {
    options_.loop->Cancel(*std::exchange(priority_timer_, std::nullopt));
  }
}

// ---- The end ----

void TcpFlow::Abort() {
  if (is_over_) return;
  stream_.Abort(StreamErrorCode::kConnectionReset);
  ResetSocket();
}

void TcpFlow::ResetSocket() {
  ResetOnClose(options_.fd.get());
  End();
}

void TcpFlow::End() {
  if (std::exchange(is_over_, true)) return;
  StopWatching();
  options_.fd.Close();
  if (options_.on_over) options_.on_over();
}

}  // namespace godwit::tunnel
