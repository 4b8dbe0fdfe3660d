// SPDX-License-Identifier: Apache-2.0
//
// QuicSession: the flows of a transfer over godwit, on one side: an EventHandler that moves what
// each stream's TransferFlow has, and adds up what they did from the first request to the last end.
// The first request leaves when all connections are there, so that no handshake is in the time.
#ifndef GODWIT_BENCH_QUIC_SESSION_H_
#define GODWIT_BENCH_QUIC_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/quic_stream.h"
#include "bench/transfer_flow.h"
#include "bench/transfer_options.h"
#include "bench/transfer_pattern.h"
#include "bench/transfer_report.h"
#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "godwit/udp_socket_stats.h"

namespace godwit {

class QuicSession final : public EventHandler {
 public:
  explicit QuicSession(const TransferOptions& options);

  // What it runs on; before anything happens. `on_over`: all flows that the client announced have
  // finished, or one has failed. `socket_stats` reads the counters of this side's socket.
  void Attach(Loop* loop, std::function<void()> on_over,
              std::function<UdpSocketStats()> socket_stats);

  // Empty: none.
  const std::string& failure() const { return failure_; }
  const TransferReport& report() const { return report_; }

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamOpened(ConnectionRef connection, StreamId stream) override;
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override;
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override;
  void OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override;
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) override;

 private:
  // As many as all connections permit.
  void OpenStreams();
  void Advance(ConnectionRef& connection, StreamId stream);
  // True at the end of the stream.
  bool ReadAll(ConnectionRef& connection, StreamId stream, TransferFlow& flow);
  void WriteAll(ConnectionRef& connection, StreamId stream, TransferFlow& flow);
  void Begin(const ConnectionRef& connection, const TransferRequest& request);
  void Add(const TransferFlow& flow);
  void AddConnectionStats();
  void Fail(std::string failure);

  const TransferOptions options_;
  Loop* loop_ = nullptr;
  std::function<void()> on_over_;
  std::function<UdpSocketStats()> socket_stats_;
  const TransferPattern pattern_;
  std::map<QuicStreamKey, std::unique_ptr<TransferFlow>> flows_;
  // That were ever connected, and how many streams a client has opened on each.
  struct Connected {
    ConnectionRef connection;
    uint32_t opened = 0;
  };
  std::vector<Connected> connected_;
  uint32_t opened_ = 0;  // On all.

  TransferReport report_;
  Timestamp began_at_;
  CpuTime cpu_before_;
  UdpSocketStats socket_before_;
  uint64_t flow_count_ = 0;  // 0: not begun.
  uint64_t finished_count_ = 0;
  std::string failure_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_QUIC_SESSION_H_
