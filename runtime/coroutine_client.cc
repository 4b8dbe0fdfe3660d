// SPDX-License-Identifier: Apache-2.0
#include "godwit/coroutine.h"
#include "runtime/coroutine_handler.h"
#include "runtime/coroutine_scheduler.h"

namespace godwit {

struct CoroutineClientState {
  CoroutineHandler* handler = nullptr;  // The client's.
  std::unique_ptr<Client> client;
};

namespace {

// What the callback of a Dial() and the task that waits for it share.
struct DialCall {
  std::optional<absl::StatusOr<CoroutineConnection>> result;
  CoroutineWaitList answered;
};

// Gives the dialling up with the task that waits for it.
class DialGuard {
 public:
  DialGuard(Client* client, Client::DialId id) : client_(*client), id_(id) {}
  ~DialGuard() { client_.CancelDial(id_); }
  DialGuard(const DialGuard&) = delete;
  DialGuard& operator=(const DialGuard&) = delete;

 private:
  Client& client_;
  const Client::DialId id_;
};

Task<absl::StatusOr<CoroutineConnection>> DialBy(CoroutineClientState& state, std::string host,
                                                 uint16_t port) {
  const auto call = std::make_shared<DialCall>();
  const Client::DialId id =
      state.client->Dial(std::move(host), port,
                         [handler = state.handler, call](absl::StatusOr<ConnectionRef> connection) {
                           if (connection.ok()) {
                             call->result = handler->Adopt(*connection);
                           } else {
                             call->result = connection.status();
                           }
                           handler->scheduler()->Wake(call->answered);
                         });
  const DialGuard guard(state.client.get(), id);
  while (!call->result.has_value()) co_await CoroutineWait(call->answered);
  co_return *std::move(call->result);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoroutineClient>> CoroutineClient::Create(
    const ClientConfig& config) {
  auto state = std::make_unique<CoroutineClientState>();
  auto client = Client::Create(config, [&state](Loop& loop) {
    auto handler = std::make_unique<CoroutineHandler>(&loop, CoroutineHandler::Accepts::kNone);
    state->handler = handler.get();
    return handler;
  });
  if (!client.ok()) return client.status();
  state->client = *std::move(client);
  return std::unique_ptr<CoroutineClient>(new CoroutineClient(std::move(state)));
}

CoroutineClient::CoroutineClient(std::unique_ptr<CoroutineClientState> state)
    : CoroutineLoop(state->handler->scheduler()), state_(std::move(state)) {}

CoroutineClient::~CoroutineClient() { EndTasks(); }

Client& CoroutineClient::client() { return *state_->client; }

Task<absl::StatusOr<CoroutineConnection>> CoroutineClient::Dial(std::string host, uint16_t port) {
  return DialBy(*state_, std::move(host), port);
}

}  // namespace godwit
