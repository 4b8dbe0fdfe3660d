// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace godwit::tunnel {
namespace {

// Time that goes on when the test says so.
class ManualLoop final : public Loop {
 public:
  Timestamp now() const override { return now_; }
  void Post(std::function<void()>) override {}
  CallId CallAt(Timestamp time, std::function<void()> call) override {
    calls_[++last_id_] = {time, std::move(call)};
    return last_id_;
  }
  void Cancel(CallId id) override { calls_.erase(id); }
  absl::Status WatchFd(int, FdInterest, std::function<void(FdEvents)>) override {
    return absl::OkStatus();
  }
  absl::Status ModifyFd(int, FdInterest) override { return absl::OkStatus(); }
  void UnwatchFd(int) override {}

  void AdvanceTo(Timestamp time) {
    while (true) {
      auto next = calls_.end();
      for (auto call = calls_.begin(); call != calls_.end(); ++call) {
        if (call->second.first > time) continue;
        if (next == calls_.end() || call->second.first < next->second.first) next = call;
      }
      if (next == calls_.end()) break;
      now_ = std::max(now_, next->second.first);
      const std::function<void()> call = std::move(next->second.second);
      calls_.erase(next);
      call();
    }
    now_ = time;
  }
  size_t call_count() const { return calls_.size(); }

 private:
  Timestamp now_;
  CallId last_id_ = 0;
  std::map<CallId, std::pair<Timestamp, std::function<void()>>> calls_;
};

class UdpFlowTableTest : public testing::Test {
 protected:
  void Add(uint32_t flow) {
    table_.Add(
        flow, [](std::span<const uint8_t>) {}, [this, flow] { idle_.push_back(flow); });
  }

  ManualLoop loop_;
  FlowTotals totals_;
  // Its connection is gone: what is sent is lost.
  UdpFlowTable table_{&loop_, ConnectionRef(), &totals_};
  std::vector<uint32_t> idle_;
};

TEST_F(UdpFlowTableTest, FlowWithoutPacketsEnds) {
  Add(4);

  loop_.AdvanceTo(Timestamp() + UdpFlowTable::kIdle);

  EXPECT_EQ(idle_, std::vector<uint32_t>{4});
  EXPECT_EQ(table_.size(), 0);
  EXPECT_EQ(loop_.call_count(), 0);
}

TEST_F(UdpFlowTableTest, FlowThatIsUsedStays) {
  Add(4);
  Add(8);
  const std::vector<uint8_t> packet(10);

  loop_.AdvanceTo(Timestamp() + UdpFlowTable::kIdle / 2);
  table_.Send(8, packet);
  loop_.AdvanceTo(Timestamp() + UdpFlowTable::kIdle);
  EXPECT_EQ(idle_, std::vector<uint32_t>{4});
  loop_.AdvanceTo(Timestamp() + UdpFlowTable::kIdle * 2);

  EXPECT_EQ(idle_, (std::vector<uint32_t>{4, 8}));
}

TEST_F(UdpFlowTableTest, WithoutFlowsNothingWakes) {
  Add(4);

  table_.Remove(4);

  EXPECT_EQ(loop_.call_count(), 0);
  EXPECT_TRUE(idle_.empty());
}

}  // namespace
}  // namespace godwit::tunnel
