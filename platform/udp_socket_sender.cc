// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_sender.h"

#include <errno.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {
namespace {

void CountLost(int error, size_t datagrams, UdpSocketStats::Lost& lost) {
  switch (error) {
    case ENOBUFS:
    case ENOMEM:
      lost.no_buffers += datagrams;
      return;
    case EMSGSIZE:
      lost.too_large += datagrams;
      return;
    case EPERM:
    case EACCES:
      lost.not_permitted += datagrams;
      return;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENODEV:
      lost.unreachable += datagrams;
      return;
    case EINVAL:
      lost.invalid += datagrams;
      return;
    default:
      lost.other += datagrams;
  }
}

SocketAddress WithoutPort(const SocketAddress& address) {
  if (address.is_ipv4()) {
    return SocketAddress::FromIpv4(address.ip().first<SocketAddress::kIpv4Size>(), 0);
  }
  return SocketAddress::FromIpv6(address.ip().first<SocketAddress::kIpv6Size>(), 0,
                                 address.scope_id());
}

// An errno that a kernel, or a driver, has for a train while it takes the datagrams one by one.
// Of a segment above the path's MTU, kernels before 6.14 say EINVAL and later ones EMSGSIZE.
bool IsRetriedOneByOne(int error) { return error == EIO || error == EINVAL || error == EMSGSIZE; }

}  // namespace

UdpSender::UdpSender(const Settings& settings, const SocketCalls& calls)
    : settings_(settings), calls_(calls) {}

UdpSendOutcome UdpSender::Send(std::span<const Transmit> transmits, UdpSocketStats& stats) {
  too_large_count_ = 0;
  singles_end_ = {};
  suspected_error_ = 0;
  omits_mark_ = false;
  cursor_ = {.transmit = 0, .byte = BytesSentBefore(transmits)};
  for (;;) {
    const size_t count = FillMessages(transmits);
    if (count == 0) return {.transmits_done = transmits.size()};
    const int sent = calls_.sendmmsg(settings_.fd, messages_.data(),
                                     static_cast<unsigned int>(count), MSG_DONTWAIT);
    ++stats.send_calls;
    if (sent > 0) {
      OnSent(transmits, static_cast<size_t>(sent), stats);
      continue;
    }
    const int error = sent < 0 ? errno : EAGAIN;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) return Block(transmits, stats);
    OnError(transmits, error, stats);
  }
}

size_t UdpSender::BytesSentBefore(std::span<const Transmit> transmits) {
  const PartlySent before = partly_sent_;
  partly_sent_.sent_bytes = 0;
  if (before.sent_bytes == 0 || transmits.empty()) return 0;
  const Transmit& transmit = transmits.front();
  const bool is_same =
      transmit.payload.size() == before.payload_bytes &&
      transmit.segment_size == before.segment_bytes && transmit.four_tuple == before.four_tuple &&
      std::equal(transmit.payload.rbegin(),
                 transmit.payload.rbegin() + std::min(kFingerprintBytes, transmit.payload.size()),
                 before.last_bytes.begin());
  return is_same ? before.sent_bytes : 0;
}

UdpSendOutcome UdpSender::Block(std::span<const Transmit> transmits, UdpSocketStats& stats) {
  ++stats.times_blocked;
  const Cursor blocked = chunks_.front().begin;
  if (blocked.byte > 0) {
    const Transmit& transmit = transmits[blocked.transmit];
    partly_sent_.sent_bytes = blocked.byte;
    partly_sent_.payload_bytes = transmit.payload.size();
    partly_sent_.segment_bytes = transmit.segment_size;
    partly_sent_.four_tuple = transmit.four_tuple;
    std::copy_n(transmit.payload.rbegin(), std::min(kFingerprintBytes, transmit.payload.size()),
                partly_sent_.last_bytes.begin());
  }
  return {.transmits_done = blocked.transmit, .is_blocked = true};
}

// Messages from the cursor on; those of one transmit share its address and control messages.
size_t UdpSender::FillMessages(std::span<const Transmit> transmits) {
  const size_t limit = omits_mark_ ? 1 : kMaxMessages;
  size_t message_count = 0;
  size_t destination_count = 0;
  for (Cursor at = cursor_; at.transmit < transmits.size() && message_count < limit;
       at = {.transmit = at.transmit + 1}) {
    const Transmit& transmit = transmits[at.transmit];
    if (at.byte >= transmit.payload.size()) continue;
    GODWIT_CHECK_GT(transmit.segment_size, 0u);
    Destination& destination = destinations_[destination_count++];
    WriteDestination(transmit, destination);
    while (at.byte < transmit.payload.size() && message_count < limit) {
      Chunk chunk = NextChunk(transmit, at);
      chunk.has_mark = destination.control.has_mark() && !omits_mark_;
      WriteMessage(transmit, chunk, destination, message_count++);
      at.byte += chunk.bytes;
    }
  }
  return message_count;
}

void UdpSender::WriteDestination(const Transmit& transmit, Destination& destination) {
  destination.address_bytes =
      WriteKernelAddress(transmit.four_tuple.peer, settings_.family, destination.address);
  FourTuple four_tuple = transmit.four_tuple;
  // The kernel takes it anyway, and need not look up whether it is ours.
  if (four_tuple.local.SameIp(settings_.local)) four_tuple.local = SocketAddress();
  WriteSourceControl(four_tuple, destination.control);
  if (settings_.uses_ecn && !has_ecn_failed_) {
    WriteEcnControl(four_tuple.peer, transmit.ecn, destination.control);
  }
  if (transmit.segment_size <= std::numeric_limits<uint16_t>::max()) {
    WriteSegmentControl(transmit.segment_size, destination.control);
  }
}

UdpSender::Chunk UdpSender::NextChunk(const Transmit& transmit, const Cursor& cursor) const {
  const size_t rest = transmit.payload.size() - cursor.byte;
  const bool is_single =
      cursor.transmit == singles_end_.transmit && cursor.byte < singles_end_.byte;
  if (rest <= transmit.segment_size || is_single || IsGsoOff(transmit.four_tuple.local)) {
    return {.begin = cursor, .bytes = std::min(rest, transmit.segment_size), .segment_count = 1};
  }
  const size_t fitting =
      std::min(settings_.max_train_segments, kMaxGsoBytes / transmit.segment_size);
  const size_t bytes = std::min(rest, std::max<size_t>(fitting, 1) * transmit.segment_size);
  return {
      .begin = cursor, .bytes = bytes, .segment_count = (bytes - 1) / transmit.segment_size + 1};
}

void UdpSender::WriteMessage(const Transmit& transmit, const Chunk& chunk, Destination& destination,
                             size_t index) {
  chunks_[index] = chunk;
  // The kernel only reads; iovec serves for both directions.
  buffers_[index] = {.iov_base = const_cast<uint8_t*>(transmit.payload.data()) + chunk.begin.byte,
                     .iov_len = chunk.bytes};
  const SendControl& control = destination.control;
  msghdr& header = messages_[index].msg_hdr;
  header.msg_name = &destination.address;
  header.msg_namelen = destination.address_bytes;
  header.msg_iov = &buffers_[index];
  header.msg_iovlen = 1;
  header.msg_controllen = omits_mark_                ? control.source_bytes
                          : chunk.segment_count == 1 ? control.single_bytes
                                                     : control.train_bytes;
  header.msg_control = header.msg_controllen == 0 ? nullptr : destination.control.bytes.data();
}

void UdpSender::OnSent(std::span<const Transmit> transmits, size_t message_count,
                       UdpSocketStats& stats) {
  for (size_t i = 0; i < message_count; ++i) {
    const Chunk& chunk = chunks_[i];
    stats.datagrams_sent += chunk.segment_count;
    stats.bytes_sent += chunk.bytes;
    if (chunk.segment_count > 1) {
      ++stats.trains_sent;
      stats.train_datagrams_sent += chunk.segment_count;
    }
    if (suspected_error_ != 0 || omits_mark_) Acquit(transmits[chunk.begin.transmit], stats);
  }
  Advance(chunks_[message_count - 1]);
}

// A datagram went through that did not go another way: it is known whose fault that was.
void UdpSender::Acquit(const Transmit& transmit, UdpSocketStats& stats) {
  if (omits_mark_) {
    has_ecn_failed_ = true;
    stats.ecn_disabled = 1;
  } else {
    DisableGso(transmit.four_tuple.local, suspected_error_, stats);
  }
  omits_mark_ = false;
  suspected_error_ = 0;
}

// Of the first message; each path through here advances the cursor or tries less the next time.
void UdpSender::OnError(std::span<const Transmit> transmits, int error, UdpSocketStats& stats) {
  const Chunk& chunk = chunks_.front();
  const Transmit& transmit = transmits[chunk.begin.transmit];
  if (chunk.segment_count > 1 && IsRetriedOneByOne(error)) {
    ++stats.trains_resent;
    singles_end_ = {.transmit = chunk.begin.transmit, .byte = chunk.begin.byte + chunk.bytes};
    suspected_error_ = error;
    return;
  }
  if (error == EINVAL && chunk.segment_count == 1 && chunk.has_mark) {
    omits_mark_ = true;
    return;
  }
  omits_mark_ = false;
  if (error == EMSGSIZE) {
    suspected_error_ = 0;
    AddTooLarge(transmit, std::min(chunk.bytes, transmit.segment_size));
  }
  CountLost(error, chunk.segment_count, stats.lost);
  Advance(chunk);
}

void UdpSender::Advance(const Chunk& chunk) {
  cursor_ = {.transmit = chunk.begin.transmit, .byte = chunk.begin.byte + chunk.bytes};
  const bool is_in_refused_train =
      cursor_.transmit == singles_end_.transmit && cursor_.byte < singles_end_.byte;
  if (!is_in_refused_train) suspected_error_ = 0;
}

void UdpSender::AddTooLarge(const Transmit& transmit, size_t bytes) {
  const auto is_known = [&](const DatagramTooLarge& other) {
    return other.bytes == bytes && other.four_tuple == transmit.four_tuple;
  };
  if (too_large_count_ == too_large_.size() || std::ranges::any_of(too_large(), is_known)) return;
  too_large_[too_large_count_++] = {.four_tuple = transmit.four_tuple, .bytes = bytes};
}

bool UdpSender::IsGsoOff(const SocketAddress& local) const {
  if (!settings_.uses_gso) return true;
  if (gso_failure_count_ == 0) [[likely]] {
    return false;
  }
  return gso_failure_count_ == kMaxGsoFailures ||
         std::ranges::any_of(gso_failures(), [&](const GsoFailure& failure) {
           return failure.local.SameIp(local);
         });
}

void UdpSender::DisableGso(const SocketAddress& local, int error, UdpSocketStats& stats) {
  if (IsGsoOff(local)) return;
  gso_failures_[gso_failure_count_++] = {.local = WithoutPort(local), .error = error};
  ++stats.gso_disabled;
}

}  // namespace godwit
