// SPDX-License-Identifier: Apache-2.0
//
// TcpPoller: the connections of a process, by epoll, on one thread: whose socket is ready is
// advanced. A Flow has Advance(buffer), interest(), fd() and is_finished(), as TcpFlow has them;
// what it does is its own.
#ifndef GODWIT_BENCH_TCP_POLLER_H_
#define GODWIT_BENCH_TCP_POLLER_H_

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"

namespace godwit {

template <typename Flow>
class TcpPoller {
 public:
  explicit TcpPoller(int listener = -1) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    GODWIT_CHECK(epoll_.is_open());
    if (listener < 0) return;
    epoll_event event = {.events = EPOLLIN, .data = {.ptr = nullptr}};
    GODWIT_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener, &event) == 0);
  }

  void Add(std::unique_ptr<Flow> flow) {
    entries_.push_back(std::make_unique<Entry>(Entry{std::move(flow), 0}));
    UpdateInterest(*entries_.back(), EPOLL_CTL_ADD);
  }

  // Waits, then advances the flows that are ready. True if a connection waits to be accepted.
  bool RunOnce() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    GODWIT_CHECK(count >= 0 || errno == EINTR);
    bool is_listener_ready = false;
    for (int i = 0; i < count; ++i) {
      auto* const entry = static_cast<Entry*>(events[static_cast<size_t>(i)].data.ptr);
      if (entry == nullptr) {
        is_listener_ready = true;
        continue;
      }
      entry->flow->Advance(buffer_);
      UpdateInterest(*entry, EPOLL_CTL_MOD);
    }
    return is_listener_ready;
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (const auto& entry : entries_) {
      visit(*entry->flow);
      UpdateInterest(*entry, EPOLL_CTL_MOD);
    }
  }

  // Hands each finished flow to `visit` and destroys it.
  template <typename Visit>
  void RemoveFinished(Visit visit) {
    std::erase_if(entries_, [&](const std::unique_ptr<Entry>& entry) {
      if (!entry->flow->is_finished()) return false;
      visit(*entry->flow);
      return true;
    });
  }

  bool is_empty() const { return entries_.empty(); }
  size_t flow_count() const { return entries_.size(); }

 private:
  struct Entry {
    std::unique_ptr<Flow> flow;
    uint32_t interest;
  };

  void UpdateInterest(Entry& entry, int operation) {
    const uint32_t interest = entry.flow->interest();
    if (operation == EPOLL_CTL_MOD && interest == entry.interest) return;
    entry.interest = interest;
    epoll_event event = {.events = interest, .data = {.ptr = &entry}};
    GODWIT_CHECK(epoll_ctl(epoll_.get(), operation, entry.flow->fd(), &event) == 0);
  }

  FileDescriptor epoll_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(ByteStream::kReadBufferBytes);
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_POLLER_H_
