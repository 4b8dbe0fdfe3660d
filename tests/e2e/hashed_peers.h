// SPDX-License-Identifier: Apache-2.0
//
// A server and a client of HashedStreams, through the public API, on real sockets. The server has
// its threads and counts by shard what its handlers see; the client runs in the thread of the test.
//
// Waiting is for conditions. Its bound is there to end a test that has failed.
#ifndef GODWIT_TESTS_E2E_HASHED_PEERS_H_
#define GODWIT_TESTS_E2E_HASHED_PEERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "godwit/client.h"
#include "godwit/server.h"
#include "tests/e2e/hashed_stream.h"

namespace godwit {

ServerConfig HashServerConfig();  // On 127.0.0.1.
ClientConfig HashClientConfig();

// That a server can be on this address.
bool CanListenOn(const SocketAddress& address);

using ConnectionKey = std::pair<uint32_t, uint32_t>;

// What the handlers of both ends have in common: they move bytes between streams and HashedStreams.
class HashedStreams {
 public:
  void Add(const ConnectionRef& connection, StreamId stream, HashedStream content);
  // True if the stream is done now: both directions are whole. It is forgotten then.
  bool Advance(ConnectionRef& connection, StreamId stream);
  void Forget(const ConnectionRef& connection);

  // Of all streams, the first. Empty: nothing is wrong.
  const std::string& failure() const { return failure_; }
  uint64_t received_bytes() const { return received_bytes_; }

 private:
  void Read(ConnectionRef& connection, StreamId stream, HashedStream& content);
  void Write(ConnectionRef& connection, StreamId stream, HashedStream& content);

  std::map<ConnectionKey, std::map<StreamId, HashedStream>> streams_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(size_t{256} << 10);
  std::string failure_;
  uint64_t received_bytes_ = 0;
};

// What one shard's handler has seen. Written by its thread, read by all.
struct ShardSeen {
  std::atomic<uint64_t> connected = 0;
  std::atomic<uint64_t> closed = 0;
  std::atomic<uint64_t> path_changes = 0;
  std::atomic<uint64_t> reads = 0;  // Calls because of something to read.
  std::atomic<uint64_t> streams_done = 0;
  std::atomic<uint64_t> received_bytes = 0;
  std::atomic<uint64_t> failures = 0;
};

class HashServer {
 public:
  // Starts it.
  explicit HashServer(const ServerConfig& config = HashServerConfig());

  Server& server() { return *server_; }
  uint16_t port() const { return server_->local_address().port(); }
  const ShardSeen& shard(size_t index) const { return *shards_[index]; }
  Loop& loop(size_t index) { return *loops_[index]; }
  uint64_t Sum(std::atomic<uint64_t> ShardSeen::*count) const;
  // From now on the kernel spreads what arrives by addresses. False: it did so already.
  bool StopKernelSteering();

 private:
  std::vector<std::unique_ptr<ShardSeen>> shards_;
  std::vector<Loop*> loops_;
  std::unique_ptr<Server> server_;
};

// Of each connection. Bytes are each stream's.
struct HashPlan {
  uint64_t streams = 1;
  uint64_t up_bytes = 0;
  uint64_t down_bytes = 0;
  bool closes_when_done = false;
};

class HashClient final : public EventHandler {
 public:
  explicit HashClient(const HashPlan& plan, const ClientConfig& config = HashClientConfig());

  Client& client() { return *client_; }
  // A check: the address is one that can be.
  void Connect(const SocketAddress& server);
  // More streams on each connection.
  void OpenMore(uint64_t streams);

  // Runs the loop until the condition holds. False if that did not come to be in time, or if
  // something else went wrong: see Complaint().
  bool RunUntil(const std::function<bool()>& condition);
  bool RunUntilDone() {
    return RunUntil([this] { return is_done(); });
  }

  // All streams of all connections.
  bool is_done() const { return streams_done_ == wanted_streams_; }
  uint64_t streams_done() const { return streams_done_; }
  uint64_t received_bytes() const { return streams_.received_bytes(); }
  uint64_t connected() const { return connected_; }
  uint64_t closed() const { return closed_; }
  // The first connection that was closed though nobody here asked for it.
  const std::optional<CloseReason>& lost() const { return lost_; }
  const std::string& failure() const { return streams_.failure(); }
  // For people: why it did not go on.
  std::string Complaint() const;
  ConnectionRef connection() const { return connection_; }  // The last one.

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override;
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override;
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override;
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) override;
  void OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t error_code) override;

 private:
  struct Progress {
    ConnectionRef connection;
    uint64_t to_open = 0;
    uint64_t open = 0;
  };

  void OpenStreams(ConnectionRef& connection);
  void Advance(ConnectionRef& connection, StreamId stream);

  const HashPlan plan_;
  std::unique_ptr<Client> client_;
  HashedStreams streams_;
  std::map<ConnectionKey, Progress> connections_;
  ConnectionRef connection_;
  uint64_t wanted_streams_ = 0;
  uint64_t streams_done_ = 0;
  uint64_t last_seed_ = 0;
  uint64_t connected_ = 0;
  uint64_t closed_ = 0;
  std::optional<CloseReason> lost_;
  bool was_reset_ = false;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_E2E_HASHED_PEERS_H_
