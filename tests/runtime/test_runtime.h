// SPDX-License-Identifier: Apache-2.0
//
// What tests of Client and Server share: configurations with certificates, a log that handlers on
// many threads write, a server that echoes, a client that sends and compares. Real sockets, on
// loopback, on ports that the kernel chooses.
//
// Waiting is for conditions. Its bound is far beyond what anything here takes: it is there to end
// a test that has failed.
#ifndef GODWIT_TESTS_RUNTIME_TEST_RUNTIME_H_
#define GODWIT_TESTS_RUNTIME_TEST_RUNTIME_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "godwit/client.h"
#include "godwit/server.h"
#include "tests/transport/engine/stream_echo.h"

namespace godwit {

inline constexpr Duration kPatience = Duration::Seconds(40);

// A self-signed certificate that is valid for decades, for the names given as BoringSSL reads them.
TlsCertificate LastingCertificate();
PublicKeyHash LastingCertificateKey();
PemSource LastingCertificatePem();  // For "localhost", 127.0.0.1 and ::1.

// Of a server on 127.0.0.1 and a client that believes it.
ServerConfig EchoServerConfig();
ClientConfig EchoClientConfig();

bool HasIpv6Loopback();

// What handlers of all shards have seen. Any thread.
class ServerLog {
 public:
  struct Closed {
    size_t shard;
    CloseReason reason;
  };
  struct Seen {
    std::vector<size_t> connected;  // The shards, in order.
    std::vector<Closed> closed;
    std::vector<size_t> path_changed;  // The shards.
    size_t calls = 0;
  };

  void Add(const std::function<void(Seen&)>& change);
  Seen Get() const;
  // False if it has not come to be in time.
  bool WaitUntil(const std::function<bool(const Seen&)>& condition) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Seen seen_;
};

class EchoHandler : public EventHandler {
 public:
  // `log` outlives it.
  EchoHandler(size_t shard, ServerLog* log) : shard_(shard), log_(*log) {}

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override;
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override;
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override;
  void OnDatagram(ConnectionRef connection) override;
  void OnPathChanged(ConnectionRef connection) override;

 private:
  const size_t shard_;
  ServerLog& log_;
  StreamEcho echo_;
};

// A started server of EchoHandlers.
class EchoServer {
 public:
  explicit EchoServer(const ServerConfig& config = EchoServerConfig());

  Server& server() { return *server_; }
  ServerLog& log() { return log_; }
  SocketAddress address() const { return server_->local_address(); }
  void Destroy() { server_.reset(); }

 private:
  ServerLog log_;
  std::unique_ptr<Server> server_;
};

// Writes a pattern on each of some streams of its first connection, and compares what comes back.
class EchoClient final : public EventHandler {
 public:
  EchoClient(size_t streams, size_t bytes_per_stream)
      : wanted_streams_(streams), bytes_per_stream_(bytes_per_stream) {}

  bool is_connected() const { return is_connected_; }
  bool is_done() const { return whole_streams_ == wanted_streams_; }
  size_t whole_streams() const { return whole_streams_; }
  size_t received_bytes() const { return received_bytes_; }
  bool has_mismatch() const { return has_mismatch_; }
  const std::optional<CloseReason>& closed() const { return closed_; }
  size_t close_count() const { return close_count_; }
  ConnectionRef connection() const { return connection_; }

  // More streams, of the same size.
  void Want(size_t more_streams);

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamReadable(ConnectionRef, StreamId stream) override { Read(stream); }
  void OnStreamFinished(ConnectionRef, StreamId stream) override { Read(stream); }
  void OnStreamWritable(ConnectionRef, StreamId stream) override { Write(stream); }
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) override;

 private:
  struct Transfer {
    std::string pattern;
    size_t written = 0;
    size_t read = 0;
  };

  void OpenMore();
  void Write(StreamId stream);
  void Read(StreamId stream);

  size_t wanted_streams_;
  const size_t bytes_per_stream_;
  size_t opened_streams_ = 0;
  size_t whole_streams_ = 0;
  size_t received_bytes_ = 0;
  bool is_connected_ = false;
  bool has_mismatch_ = false;
  std::optional<CloseReason> closed_;
  size_t close_count_ = 0;
  ConnectionRef connection_;
  std::map<StreamId, Transfer> transfers_;
};

// Runs the client's loop here until the condition holds. False if it has not come to be in time.
bool RunUntil(Client& client, const std::function<bool()>& condition);

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_TEST_RUNTIME_H_
