// SPDX-License-Identifier: Apache-2.0
//
// PlanApp: an application that does what an AppPlan says with every connection of its node, until
// all streams are written and read.
#ifndef GODWIT_TESTS_SIM_PLAN_APP_H_
#define GODWIT_TESTS_SIM_PLAN_APP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "tests/sim/app_plan.h"
#include "tests/sim/blocked_times_checker.h"
#include "tests/sim/delivery_ledger.h"
#include "tests/sim/sim_app.h"
#include "tests/sim/stream_reader.h"
#include "tests/sim/stream_writer.h"

namespace godwit {

// What the application heard of one connection besides its streams.
struct ConnectionRecord {
  ConnectionHandle handle;
  Timestamp completed_at = Timestamp::Infinite();
  Timestamp confirmed_at = Timestamp::Infinite();
  Timestamp closed_at = Timestamp::Infinite();
  std::optional<CloseReason> close_reason;
  uint64_t path_changes = 0;
  uint64_t datagrams_acked = 0;
  uint64_t datagrams_lost = 0;
  uint64_t datagrams_dropped = 0;
  uint64_t datagrams_sent = 0;
};

class PlanApp final : public SimApp {
 public:
  // `ledger` outlives it.
  PlanApp(const AppPlan& plan, Perspective perspective, DeliveryLedger* ledger)
      : plan_(plan), perspective_(perspective), ledger_(*ledger) {}

  void OnEvent(SimHost& host, const EndpointEvent& event) override;
  void OnTime(SimHost& host) override;
  bool IsDone() const override;

  // In the order in which they were heard of.
  size_t connection_count() const { return connections_.size(); }
  const ConnectionRecord& record(size_t i) const { return connections_[i]->record; }
  // What is wrong with the times of what blocks its connections, of the first few. Empty if nothing
  // is.
  std::string FindBlockedTimesProblem(SimHost& host);
  // Of a client, as soon as it has called Connect().
  void ExpectConnection(ConnectionHandle handle) { Find(handle); }
  // The node was restarted.
  void ForgetConnections() {
    by_handle_.clear();
    connections_.clear();
  }

 private:
  struct OpenStream {
    std::optional<StreamWriter> writer;
    std::optional<StreamReader> reader;
    bool echoes = false;
    bool answers_at_end = false;
  };
  struct PlannedStream {
    StreamPlan plan;
    Timestamp start;
  };
  struct AppConnection {
    ConnectionRecord record;
    BlockedTimesChecker blocked_times;
    uint64_t pair = 0;
    std::vector<PlannedStream> planned;  // Not opened yet.
    std::map<uint64_t, OpenStream> streams;
    uint64_t datagrams_left = 0;
    uint64_t next_datagram = 0;
    Timestamp next_datagram_at = Timestamp::Infinite();
  };

  AppConnection& Find(ConnectionHandle handle);
  LedgerKey KeyOf(const AppConnection& app, StreamId id, bool is_ours) const;

  void Start(SimHost& host, Connection& connection, AppConnection& app);
  void OpenStreams(SimHost& host, Connection& connection, AppConnection& app);
  void OnStreamEvent(SimHost& host, Connection& connection, AppConnection& app,
                     const StreamEvent& event);
  void OnOpened(AppConnection& app, StreamId id);
  void PumpStream(SimHost& host, Connection& connection, StreamId id, OpenStream& stream);
  void SendDatagrams(SimHost& host, Connection& connection, AppConnection& app);
  void ReadDatagrams(Connection& connection, AppConnection& app);
  void OnFeedback(AppConnection& app, const DatagramFeedback& feedback);
  static bool IsDone(const AppConnection& app);

  AppPlan plan_;
  const Perspective perspective_;
  DeliveryLedger& ledger_;
  std::vector<std::unique_ptr<AppConnection>> connections_;
  std::map<std::pair<uint32_t, uint32_t>, AppConnection*> by_handle_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_PLAN_APP_H_
