// SPDX-License-Identifier: Apache-2.0
#include "bench/exchange_run.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "bench/exchange_report.h"
#include "bench/transfer_options.h"
#include "godwit/time.h"

namespace godwit {
namespace {

TransferOptions Options(uint64_t count, uint32_t outstanding) {
  TransferOptions options;
  options.count = count;
  options.outstanding = outstanding;
  return options;
}

TEST(ExchangeRunTest, NoMoreAreUnderWayThanAllowed) {
  ExchangeRun run(Options(100, 2), ExchangeKind::kRequest);
  run.Begin("cipher");

  const Timestamp first = run.StartOne();
  EXPECT_TRUE(run.WantsMore());
  run.StartOne();

  EXPECT_FALSE(run.WantsMore());
  run.FinishOne(first);
  EXPECT_TRUE(run.WantsMore());
}

TEST(ExchangeRunTest, EndsWithTheLastOfTheNumber) {
  ExchangeRun run(Options(3, 2), ExchangeKind::kRequest);
  run.Begin("cipher");
  const Timestamp first = run.StartOne();
  const Timestamp second = run.StartOne();
  run.FinishOne(first);
  const Timestamp third = run.StartOne();

  run.FinishOne(second);
  EXPECT_FALSE(run.WantsMore());
  EXPECT_FALSE(run.is_over());
  run.FinishOne(third);

  EXPECT_TRUE(run.is_over());
  EXPECT_EQ(run.report().count, 3u);
  EXPECT_EQ(run.report().latency.count(), 3u);
  EXPECT_GT(run.report().elapsed, Duration::Zero());
  EXPECT_TRUE(run.failure().empty());
}

TEST(ExchangeRunTest, TimeEndsItWithWhatIsUnderWay) {
  TransferOptions options = Options(0, 2);
  options.duration = Duration::Nanoseconds(1);
  ExchangeRun run(options, ExchangeKind::kHandshake);
  run.Begin("");

  ASSERT_TRUE(run.WantsMore());
  const Timestamp started = run.StartOne();
  EXPECT_FALSE(run.WantsMore());
  EXPECT_FALSE(run.is_over());
  run.FinishOne(started);

  EXPECT_TRUE(run.is_over());
}

TEST(ExchangeRunTest, NothingIsWantedBeforeTheBeginning) {
  const ExchangeRun run(Options(1, 1), ExchangeKind::kRequest);

  EXPECT_FALSE(run.WantsMore());
  EXPECT_FALSE(run.has_begun());
}

TEST(ExchangeRunTest, FirstFailureStaysAndIsNoReport) {
  ExchangeRun run(Options(1, 1), ExchangeKind::kRequest);
  run.Begin("");
  run.Fail("one");
  run.Fail("two");

  EXPECT_TRUE(run.is_over());
  EXPECT_FALSE(run.WantsMore());
  EXPECT_EQ(WriteReport(run, "").message(), "one");
}

TEST(ExchangeRunTest, FailureAfterTheEndIsNone) {
  ExchangeRun run(Options(1, 1), ExchangeKind::kRequest);
  run.Begin("");
  run.FinishOne(run.StartOne());

  run.Fail("the connection was closed");

  EXPECT_TRUE(run.failure().empty());
}

ExchangeReport Report(TransferRole role) {
  ExchangeReport report;
  report.role = role;
  report.kind = ExchangeKind::kHandshake;
  report.protocol = TransferProtocol::kTcpTls;
  report.cipher = "none";
  report.count = 200;
  report.elapsed = Duration::Milliseconds(500);
  report.cpu = {.user_seconds = 0.015, .system_seconds = 0.005};
  report.outstanding = 7;
  report.latency.Add(Duration::Nanoseconds(100));
  return report;
}

TEST(ExchangeReportTest, RatiosAreOfTheNumber) {
  EXPECT_DOUBLE_EQ(Report(TransferRole::kClient).per_second(), 400);
  EXPECT_DOUBLE_EQ(Report(TransferRole::kClient).cpu_microseconds_each(), 100);
  EXPECT_EQ(ExchangeReport().per_second(), 0);
  EXPECT_EQ(ExchangeReport().cpu_microseconds_each(), 0);
}

TEST(ExchangeReportTest, JsonOfAClientHasLatencies) {
  EXPECT_EQ(
      Report(TransferRole::kClient).ToJson(),
      R"({"role": "client", "protocol": "tcp+tls", "cipher": "none", "kind": "handshake", )"
      R"("count": 200, "seconds": 0.500000, "per_second": 400.000000, )"
      R"("cpu_user_seconds": 0.015000, "cpu_system_seconds": 0.005000, )"
      R"("cpu_us_each": 100.000000, "outstanding": 7, "min_us": 0.100000, "mean_us": 0.100000, )"
      R"("p50_us": 0.100000, "p90_us": 0.100000, "p99_us": 0.100000, "p99.9_us": 0.100000, )"
      R"("max_us": 0.100000, "histogram_ns": [[100, 1]]})");
}

TEST(ExchangeReportTest, JsonOfAServerHasNone) {
  EXPECT_EQ(Report(TransferRole::kServer).ToJson(),
            R"({"role": "server", "protocol": "tcp+tls", "cipher": "none", "kind": "handshake", )"
            R"("count": 200, "seconds": 0.500000, "per_second": 400.000000, )"
            R"("cpu_user_seconds": 0.015000, "cpu_system_seconds": 0.005000, )"
            R"("cpu_us_each": 100.000000})");
}

TEST(ExchangeReportTest, TextIsOneLine) {
  EXPECT_EQ(Report(TransferRole::kClient).ToText(),
            "tcp+tls client: 200 handshakes in 0.500 s: 400/s, 100.0 CPU us each, 7 outstanding: "
            "p50 0.1 us p90 0.1 us p99 0.1 us p99.9 0.1 us");
}

}  // namespace
}  // namespace godwit
