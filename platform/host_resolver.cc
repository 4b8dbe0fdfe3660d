// SPDX-License-Identifier: Apache-2.0
#include "platform/host_resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "godwit/socket_address.h"
#include "platform/event_loop.h"
#include "platform/post_queue.h"
#include "platform/udp_socket_address.h"

namespace godwit {
namespace {

absl::Status ToStatus(int error, int system_error, const std::string& host) {
  const std::string text = absl::StrCat("cannot resolve the host name '", host, "': ");
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return absl::NotFoundError(absl::StrCat(text, gai_strerror(error), "; check the spelling"));
    case EAI_SYSTEM:
      return absl::ErrnoToStatus(system_error, text);
    case EAI_MEMORY:
      return absl::ResourceExhaustedError(absl::StrCat(text, gai_strerror(error)));
    default:
      return absl::UnavailableError(
          absl::StrCat(text, gai_strerror(error), "; check the network, or try again later"));
  }
}

absl::StatusOr<HostResolver::Addresses> LookUp(const std::string& host, uint16_t port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;  // One entry for an address, not one for each kind of socket.
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &list);
  if (error != 0) return ToStatus(error, errno, host);
  HostResolver::Addresses addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    KernelAddress kernel_address = {};
    std::memcpy(&kernel_address, entry->ai_addr,
                std::min<size_t>(entry->ai_addrlen, sizeof(kernel_address)));
    const SocketAddress address = ReadKernelAddress(kernel_address);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  freeaddrinfo(list);
  return HostResolver::InterleaveFamilies(addresses);
}

}  // namespace

// The callbacks that wait for an answer. On the loop's thread alone; workers hold weak pointers.
class HostResolver::PendingCallbacks {
 public:
  uint64_t Add(Callback callback) {
    callbacks_.emplace(++last_id_, std::move(callback));
    return last_id_;
  }

  void Answer(uint64_t id, absl::StatusOr<Addresses> answer) {
    const auto entry = callbacks_.find(id);
    // Out of the table first: it may ask for more, or end the resolver.
    const Callback callback = std::move(entry->second);
    callbacks_.erase(entry);
    callback(std::move(answer));
  }

 private:
  absl::flat_hash_map<uint64_t, Callback> callbacks_;
  uint64_t last_id_ = 0;
};

struct HostResolver::Request {
  uint64_t id;
  std::string host;
  uint16_t port;
};

// What workers touch. It outlives the resolver as long as one of them waits for the system.
struct HostResolver::Core {
  Core(std::shared_ptr<PostQueue> queue, std::weak_ptr<PendingCallbacks> callbacks)
      : post_queue(std::move(queue)), pending(std::move(callbacks)) {}

  // On any thread.
  void PostAnswer(uint64_t id, absl::StatusOr<Addresses> answer) {
    // False: the loop has ended, and nobody waits any more.
    static_cast<void>(
        post_queue->Post([pending = pending, id, answer = std::move(answer)]() mutable {
          const std::shared_ptr<PendingCallbacks> callbacks = pending.lock();
          if (callbacks != nullptr) callbacks->Answer(id, std::move(answer));
        }));
  }

  // Nothing if nothing waits: the worker that asks ends then.
  std::optional<Request> TakeRequest() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (waiting.empty()) {
      --worker_count;
      return std::nullopt;
    }
    Request request = std::move(waiting.front());
    waiting.pop_front();
    return request;
  }

  const std::shared_ptr<PostQueue> post_queue;
  const std::weak_ptr<PendingCallbacks> pending;
  std::mutex mutex;
  std::deque<Request> waiting;  // Guarded by mutex.
  size_t worker_count = 0;      // Guarded by mutex.
};

HostResolver::HostResolver(EventLoop* loop)
    : pending_(std::make_shared<PendingCallbacks>()),
      core_(std::make_shared<Core>(loop->post_queue(), pending_)) {}

HostResolver::~HostResolver() {
  std::deque<Request> unanswered;  // Destroyed when the lock is free again.
  const std::lock_guard<std::mutex> lock(core_->mutex);
  unanswered.swap(core_->waiting);
}

void HostResolver::Resolve(std::string host, uint16_t port, Callback callback) {
  const uint64_t id = pending_->Add(std::move(callback));
  const std::optional<SocketAddress> numeric = SocketAddress::ParseIp(host, port);
  if (numeric.has_value()) {
    core_->PostAnswer(id, Addresses{*numeric});
    return;
  }
  // The system would stop reading at a zero byte and answer for another name.
  if (host.empty() || host.find('\0') != std::string::npos) {
    core_->PostAnswer(id, absl::InvalidArgumentError("the host name is empty or has a zero byte"));
    return;
  }
  const absl::Status status = Enqueue({.id = id, .host = std::move(host), .port = port});
  if (!status.ok()) core_->PostAnswer(id, status);
}

absl::Status HostResolver::Enqueue(Request request) {
  const std::lock_guard<std::mutex> lock(core_->mutex);
  if (core_->waiting.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kMaxWaiting, " host names wait to be resolved already; try again later"));
  }
  if (core_->worker_count < kMaxWorkers) {
    const int error = StartWorker(core_);
    // With another worker at work it is only slower.
    if (error != 0 && core_->worker_count == 0) {
      return absl::ErrnoToStatus(error, "cannot start a thread to resolve host names");
    }
    if (error == 0) ++core_->worker_count;
  }
  core_->waiting.push_back(std::move(request));
  return absl::OkStatus();
}

int HostResolver::StartWorker(const std::shared_ptr<Core>& core) {
  // The application's signals are for its own threads.
  sigset_t all_signals;
  sigset_t old_signals;
  sigfillset(&all_signals);
  pthread_sigmask(SIG_SETMASK, &all_signals, &old_signals);
  auto share = std::make_unique<std::shared_ptr<Core>>(core);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, RunWorker, share.get());
  pthread_sigmask(SIG_SETMASK, &old_signals, nullptr);
  if (error != 0) return error;
  static_cast<void>(share.release());  // The worker's now.
  pthread_detach(thread);
  return 0;
}

void* HostResolver::RunWorker(void* share) {
  const std::unique_ptr<std::shared_ptr<Core>> core(static_cast<std::shared_ptr<Core>*>(share));
  while (const std::optional<Request> request = (*core)->TakeRequest()) {
    (*core)->PostAnswer(request->id, LookUp(request->host, request->port));
  }
  return nullptr;
}

HostResolver::Addresses HostResolver::InterleaveFamilies(const Addresses& sorted) {
  std::deque<SocketAddress> waiting;
  Addresses result;
  result.reserve(sorted.size());
  // Each family in its own order; what is ahead of its turn waits.
  for (const SocketAddress& address : sorted) {
    const bool is_of_last = !result.empty() && result.back().family() == address.family();
    if (is_of_last) {
      waiting.push_back(address);
      continue;
    }
    result.push_back(address);
    if (!waiting.empty()) {
      result.push_back(waiting.front());
      waiting.pop_front();
    }
  }
  result.insert(result.end(), waiting.begin(), waiting.end());
  return result;
}

}  // namespace godwit
