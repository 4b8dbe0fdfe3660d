// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <mutex>
#include <thread>

#include "godwit/blocking.h"
#include "runtime/blocking_deadline.h"
#include "runtime/blocking_grips.h"
#include "runtime/blocking_handler.h"

namespace godwit {

struct BlockingClientState {
  ~BlockingClientState();

  BlockingHandler handler = BlockingHandler(nullptr);
  std::unique_ptr<Client> client;
  std::thread thread;
};

namespace {

// One thread that waits for its connection, and the loop that has it or not.
struct DialCall {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_given_up = false;
  std::optional<absl::StatusOr<BlockingHandler::Channel>> result;
  Client::DialId id = 0;  // Of the loop's thread.
};

// Sets the result once, at its own end at the latest: calls are dropped with the loop.
class DialAnswer {
 public:
  explicit DialAnswer(std::shared_ptr<DialCall> call) : call_(std::move(call)) {}
  ~DialAnswer() { Set(absl::CancelledError("the client has ended")); }
  DialAnswer(const DialAnswer&) = delete;
  DialAnswer& operator=(const DialAnswer&) = delete;

  void OnDialed(BlockingHandler& handler, absl::StatusOr<ConnectionRef> connection) {
    if (!connection.ok()) return Set(connection.status());
    const std::lock_guard lock(call_->mutex);
    if (call_->is_given_up) {
      const absl::Status closed = connection->Close(0, "");
      static_cast<void>(closed);  // The code is a valid one.
      return;
    }
    call_->result = handler.Adopt(*connection);
    call_->changed.notify_all();
  }

 private:
  void Set(const absl::Status& status) {
    const std::lock_guard lock(call_->mutex);
    if (call_->result.has_value()) return;
    call_->result = status;
    call_->changed.notify_all();
  }

  const std::shared_ptr<DialCall> call_;
};

}  // namespace

BlockingClientState::~BlockingClientState() {
  if (client == nullptr) return;
  client->Stop();
  if (thread.joinable()) thread.join();
  // On this thread, now that the loop runs on no other.
  client->Shutdown(Duration::Zero());
  handler.End();
  client.reset();
}

absl::StatusOr<BlockingClient> BlockingClient::Create(const ClientConfig& config) {
  auto state = std::make_unique<BlockingClientState>();
  auto client = Client::Create(config, &state->handler);
  if (!client.ok()) return client.status();
  state->client = *std::move(client);
  state->handler.Open(&state->client->loop());
  state->thread = std::thread([client = state->client.get()] { client->Run(); });
  return BlockingClient(std::move(state));
}

BlockingClient::BlockingClient(std::unique_ptr<BlockingClientState> state)
    : state_(std::move(state)) {}

BlockingClient::~BlockingClient() = default;
BlockingClient::BlockingClient(BlockingClient&&) noexcept = default;
BlockingClient& BlockingClient::operator=(BlockingClient&&) noexcept = default;

absl::StatusOr<BlockingConnection> BlockingClient::Dial(std::string host, uint16_t port,
                                                        Duration timeout) {
  const BlockingDeadline deadline(timeout);
  const auto call = std::make_shared<DialCall>();
  // Calls through the door are dropped when the client has ended, and find it before.
  const auto door = state_->handler.door();
  BlockingClientState* const state = state_.get();
  door->Post([state, call, host = std::move(host), port,
              answer = std::make_shared<DialAnswer>(call)]() mutable {
    call->id = state->client->Dial(std::move(host), port,
                                   [state, answer](absl::StatusOr<ConnectionRef> connection) {
                                     answer->OnDialed(state->handler, std::move(connection));
                                   });
  });
  // From here on the client may end.
  std::unique_lock lock(call->mutex);
  if (!deadline.Wait(call->changed, lock, [&call] { return call->result.has_value(); })) {
    call->is_given_up = true;
    lock.unlock();
    door->Post([state, call] { state->client->CancelDial(call->id); });
    return absl::DeadlineExceededError("there was no connection in time");
  }
  if (!call->result->ok()) return call->result->status();
  return BlockingConnection(std::make_shared<BlockingConnectionGrip>(**call->result));
}

}  // namespace godwit
