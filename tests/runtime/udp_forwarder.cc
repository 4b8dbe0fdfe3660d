// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/udp_forwarder.h"

#include <future>
#include <memory>
#include <utility>

#include "base/check.h"
#include "godwit/datagram.h"

namespace godwit {
namespace {

UdpSocket OpenLoopback() {
  UdpSocketConfig config;
  config.local = *SocketAddress::Parse("127.0.0.1:0");
  return *UdpSocket::Open(config);
}

void Forward(std::span<const ReceivedDatagram> datagrams, UdpSocket& from,
             const SocketAddress& to) {
  for (const ReceivedDatagram& datagram : datagrams) {
    const Transmit transmit = {.payload = datagram.payload,
                               .segment_size = datagram.payload.size(),
                               .four_tuple = {.local = from.local_address(), .peer = to},
                               .ecn = datagram.ecn};
    // What the kernel does not take is lost, as anywhere.
    static_cast<void>(from.Send({&transmit, 1}));
  }
}

}  // namespace

UdpForwarder::UdpForwarder(const SocketAddress& server)
    : server_(server), loop_(*EventLoop::Create()), inside_(OpenLoopback()) {
  GODWIT_CHECK(
      loop_->Watch(inside_.fd(), {.readable = true}, [this](FdEvents) { FromClient(); }).ok());
  OpenOutside();
  thread_ = std::thread([this] { loop_->Run(); });
}

UdpForwarder::~UdpForwarder() {
  loop_->Stop();
  thread_.join();
  loop_->Unwatch(inside_.fd());
  loop_->Unwatch(outside_->fd());
}

void UdpForwarder::Rebind() {
  const auto done = std::make_shared<std::promise<void>>();
  loop_->Post([this, done] {
    // The new one is there before the old one ends, so that it cannot get the same port.
    const std::optional<UdpSocket> old = std::move(outside_);
    loop_->Unwatch(old->fd());
    OpenOutside();
    done->set_value();
  });
  done->get_future().wait();
}

void UdpForwarder::OpenOutside() {
  outside_.emplace(OpenLoopback());
  GODWIT_CHECK(
      loop_->Watch(outside_->fd(), {.readable = true}, [this](FdEvents) { FromServer(); }).ok());
}

void UdpForwarder::FromClient() {
  const auto datagrams = inside_.Receive(batch_, loop_->now());
  if (datagrams.empty() || is_blocked_) return;
  client_ = datagrams.front().four_tuple.peer;
  forwarded_ += datagrams.size();
  Forward(datagrams, *outside_, server_);
}

void UdpForwarder::FromServer() {
  const auto datagrams = outside_->Receive(batch_, loop_->now());
  if (!is_blocked_) Forward(datagrams, inside_, client_);
}

}  // namespace godwit
