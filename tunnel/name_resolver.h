// SPDX-License-Identifier: Apache-2.0
//
// NameResolver: HostResolver inside of an application's Loop: from names to addresses without
// blocking it. What may be done with the addresses is decided elsewhere.
//
// Threads: the loop's. No callback runs after the destructor.
#ifndef GODWIT_TUNNEL_NAME_RESOLVER_H_
#define GODWIT_TUNNEL_NAME_RESOLVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "platform/event_loop.h"
#include "platform/host_resolver.h"

namespace godwit::tunnel {

class NameResolver {
 public:
  // `loop` outlives it.
  static absl::StatusOr<std::unique_ptr<NameResolver>> Create(Loop* loop);
  ~NameResolver() { loop_.UnwatchFd(inner_->fd()); }
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  void Resolve(std::string host, uint16_t port, HostResolver::Callback callback) {
    resolver_.Resolve(std::move(host), port, std::move(callback));
  }

 private:
  NameResolver(Loop* loop, std::unique_ptr<EventLoop> inner)
      : loop_(*loop), inner_(std::move(inner)), resolver_(inner_.get()) {}

  Loop& loop_;
  // The answers of the workers come to this one, which lives inside of the other.
  std::unique_ptr<EventLoop> inner_;
  HostResolver resolver_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_NAME_RESOLVER_H_
