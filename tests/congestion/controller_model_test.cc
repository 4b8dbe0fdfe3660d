// SPDX-License-Identifier: Apache-2.0
//
// Controllers under random sequences of everything that can be reported to them: whatever happens,
// windows and rates stay within their bounds. PathDriver checks the invariants after every step.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "congestion/builtin_controllers.h"
#include "congestion/pacing_rate.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "tests/congestion/path_driver.h"

namespace godwit {
namespace {

class RandomRun {
 public:
  RandomRun(std::string_view name, uint64_t seed)
      : random_(seed), name_(name), controller_(Make({.max_datagram_bytes = 1'200})) {}

  void Step() {
    path_.Advance(Duration::Nanoseconds(
        static_cast<int64_t>(random_.UniformBelow(uint64_t{1} << random_.UniformBelow(36)))));
    switch (random_.UniformBelow(12)) {
      case 0:
        path_.RunDry();
        break;
      case 1:
        if (path_.in_flight_count() == 0) path_.RestartFromIdle();
        break;
      case 2:
        Resolve(/*is_persistent_congestion=*/random_.UniformBelow(20) == 0);
        break;
      case 3:
        path_.AckLost(random_.UniformBelow(std::min<size_t>(path_.lost_count(), 4) + 1));
        break;
      case 4:
        if (random_.UniformBelow(20) == 0) ChangeDatagrams();
        break;
      case 5:
        if (random_.UniformBelow(20) == 0) SwitchController();
        break;
      case 6:
      case 7:
      case 8:
        path_.Send(random_.UniformBelow(30));
        break;
      default:
        path_.Ack(random_.UniformBelow(path_.in_flight_count() + 1));
        break;
    }
    CheckBounds();
  }

 private:
  std::unique_ptr<CongestionController> Make(const CongestionControllerParams& params) {
    return FindCongestionControllerFactory(CongestionControllerRegistry(), name_)->Make(params);
  }

  void Resolve(bool is_persistent_congestion) {
    const size_t lost = random_.UniformBelow(std::min<size_t>(path_.in_flight_count(), 5) + 1);
    const size_t acked = random_.UniformBelow(path_.in_flight_count() - lost + 1);
    path_.Resolve({.lost = lost,
                   .acked = acked,
                   .ecn_ce_count = acked > 0 && random_.UniformBelow(4) == 0 ? 1u : 0u,
                   .is_persistent_congestion = is_persistent_congestion && lost > 0});
  }

  void ChangeDatagrams() {
    max_datagram_bytes_ = 1'200 + random_.UniformBelow(8'000);
    controller_->OnMaxDatagramBytesChanged(max_datagram_bytes_);
  }

  // Another of the same kind takes over, sometimes with absurd news.
  void SwitchController() {
    CongestionHandover handover = controller_->Handover();
    if (random_.UniformBelow(4) == 0) {
      handover.congestion_window_bytes = random_.NextUint64() >> random_.UniformBelow(64);
      handover.ssthresh_bytes = random_.NextUint64() >> random_.UniformBelow(64);
    }
    controller_ = Make({.now = path_.now(),
                        .max_datagram_bytes = max_datagram_bytes_,
                        .rtt = path_.rtt().summary(),
                        .predecessor = handover});
    path_.SwitchTo(controller_.get());
  }

  void CheckBounds() const {
    const uint64_t window_bytes = controller_->congestion_window_bytes();
    ASSERT_GE(window_bytes, 2 * max_datagram_bytes_);
    ASSERT_LE(window_bytes, kMaxWindowBytes);
    ASSERT_GT(controller_->pacing_rate(), Bandwidth::Zero());
    ASSERT_GE(controller_->send_quantum_bytes(), max_datagram_bytes_);
    ASSERT_GE(controller_->Handover().ssthresh_bytes.value_or(window_bytes),
              2 * max_datagram_bytes_);
    controller_->CheckInvariants();
  }

  SeededRandom random_;
  std::string_view name_;
  uint64_t max_datagram_bytes_ = 1'200;
  std::unique_ptr<CongestionController> controller_;
  PathDriver path_{controller_.get(), 1'200};
};

TEST(ControllerModelTest, BoundsHoldWhateverHappens) {
  for (const std::string_view name : {kCubic, kNewReno}) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      SCOPED_TRACE(testing::Message() << name << " seed " << seed);
      RandomRun run(name, seed);
      for (int i = 0; i < 2'500; ++i) {
        run.Step();
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace godwit
