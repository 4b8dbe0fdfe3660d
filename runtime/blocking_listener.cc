// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <deque>
#include <mutex>

#include "godwit/blocking.h"
#include "runtime/blocking_deadline.h"
#include "runtime/blocking_grips.h"
#include "runtime/blocking_handler.h"

namespace godwit {
namespace {

constexpr size_t kMaxUnaccepted = 1'024;

}  // namespace

struct BlockingListenerState {
  // On a shard's thread.
  void OnAccepted(BlockingHandler::Channel connection);
  void Shutdown(Duration drain);

  // The handlers belong to the server's shards.
  std::vector<BlockingHandler*> handlers;
  std::unique_ptr<Server> server;

  std::mutex mutex;
  std::condition_variable changed;
  bool has_ended = false;
  std::deque<BlockingHandler::Channel> unaccepted;
};

void BlockingListenerState::OnAccepted(BlockingHandler::Channel connection) {
  {
    const std::lock_guard lock(mutex);
    if (unaccepted.size() >= kMaxUnaccepted) {
      std::erase_if(unaccepted, [](const auto& waiting) { return waiting->has_ended(); });
    }
    if (!has_ended && unaccepted.size() < kMaxUnaccepted) {
      unaccepted.push_back(std::move(connection));
      changed.notify_one();
      return;
    }
  }
  connection->Abandon();
}

void BlockingListenerState::Shutdown(Duration drain) {
  std::deque<BlockingHandler::Channel> never_accepted;
  {
    const std::lock_guard lock(mutex);
    has_ended = true;
    never_accepted.swap(unaccepted);
    changed.notify_all();
  }
  for (const auto& connection : never_accepted) connection->Abandon();
  server->Shutdown(drain);
  for (BlockingHandler* handler : handlers) handler->End();
}

absl::StatusOr<BlockingListener> BlockingListener::Listen(const ServerConfig& config) {
  auto state = std::make_shared<BlockingListenerState>();
  auto server = Server::Create(config, [state = state.get()](Loop& loop) {
    auto handler = std::make_unique<BlockingHandler>(
        [state](BlockingHandler::Channel connection) { state->OnAccepted(std::move(connection)); });
    handler->Open(&loop);
    state->handlers.push_back(handler.get());
    return handler;
  });
  if (!server.ok()) return server.status();
  state->server = *std::move(server);
  state->server->Start();
  return BlockingListener(std::move(state));
}

BlockingListener::BlockingListener(std::shared_ptr<BlockingListenerState> state)
    : state_(std::move(state)) {}

BlockingListener::~BlockingListener() {
  if (state_ != nullptr) Shutdown(Duration::Zero());
}

BlockingListener::BlockingListener(BlockingListener&&) noexcept = default;

BlockingListener& BlockingListener::operator=(BlockingListener&& other) noexcept {
  if (this == &other) return *this;
  if (state_ != nullptr) Shutdown(Duration::Zero());
  state_ = std::move(other.state_);
  return *this;
}

absl::StatusOr<BlockingConnection> BlockingListener::Accept(Duration timeout) {
  const BlockingDeadline deadline(timeout);
  // The listener may end while its state is waited on.
  const auto state = state_;
  std::unique_lock lock(state->mutex);
  deadline.Wait(state->changed, lock,
                [&state] { return !state->unaccepted.empty() || state->has_ended; });
  if (state->has_ended) return absl::CancelledError("the listener has ended");
  if (state->unaccepted.empty()) {
    return absl::DeadlineExceededError("no connection came in time");
  }
  BlockingHandler::Channel connection = std::move(state->unaccepted.front());
  state->unaccepted.pop_front();
  return BlockingConnection(std::make_shared<BlockingConnectionGrip>(std::move(connection)));
}

void BlockingListener::Shutdown(Duration drain) { state_->Shutdown(drain); }

SocketAddress BlockingListener::local_address() const { return state_->server->local_address(); }

}  // namespace godwit
