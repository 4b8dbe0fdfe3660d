// SPDX-License-Identifier: Apache-2.0
#include "godwit/coroutine.h"
#include "runtime/coroutine_handler.h"
#include "runtime/coroutine_scheduler.h"

namespace godwit {

struct CoroutineShardState {
  class Handler;

  CoroutineHandler* handler;  // Holds the shard.
};

// A handler with the shard that is the tasks' face of it.
class CoroutineShardState::Handler final : public CoroutineHandler {
 public:
  Handler(Loop* loop, CoroutineShard::Main main)
      : CoroutineHandler(loop, Accepts::kAll),
        main_(std::move(main)),
        shard_(std::make_unique<CoroutineShardState>(CoroutineShardState{.handler = this})) {
    // Calls that are posted run while the shard does, or never.
    loop->Post([this] { shard_.Spawn(main_(shard_)); });
  }

 private:
  const CoroutineShard::Main main_;  // Before the tasks, which may be lambdas of it.
  CoroutineShard shard_;
};

namespace {

Task<CoroutineConnection> AcceptBy(CoroutineHandler& handler) {
  for (;;) {
    std::optional<CoroutineConnection> connection = handler.TakeAccepted();
    if (connection.has_value()) co_return *std::move(connection);
    co_await CoroutineWait(handler.acceptable());
  }
}

}  // namespace

Server::HandlerFactory CoroutineShard::Handlers(Main main) {
  return [main = std::move(main)](Loop& loop) {
    return std::make_unique<CoroutineShardState::Handler>(&loop, main);
  };
}

CoroutineShard::CoroutineShard(std::unique_ptr<CoroutineShardState> state)
    : CoroutineLoop(state->handler->scheduler()), state_(std::move(state)) {}

CoroutineShard::~CoroutineShard() { EndTasks(); }

Task<CoroutineConnection> CoroutineShard::Accept() { return AcceptBy(*state_->handler); }

}  // namespace godwit
