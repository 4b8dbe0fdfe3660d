// SPDX-License-Identifier: Apache-2.0
#include "tunnel/name_resolver.h"

namespace godwit::tunnel {

absl::StatusOr<std::unique_ptr<NameResolver>> NameResolver::Create(Loop* loop) {
  auto inner = EventLoop::Create();
  if (!inner.ok()) return inner.status();
  std::unique_ptr<NameResolver> resolver(new NameResolver(loop, *std::move(inner)));
  absl::Status status = loop->WatchFd(
      resolver->inner_->fd(), {.readable = true},
      [inner = resolver->inner_.get()](FdEvents) { inner->RunOnce(Timestamp::InfinitePast()); });
  if (!status.ok()) return status;
  return resolver;
}

}  // namespace godwit::tunnel
