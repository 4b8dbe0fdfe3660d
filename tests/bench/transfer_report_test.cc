// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_report.h"

#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "bench/report_writer.h"
#include "bench/transfer_options.h"
#include "godwit/time.h"

namespace godwit {
namespace {

TransferReport Report() {
  TransferReport report;
  report.role = TransferRole::kServer;
  report.protocol = "quic";
  report.cipher = "none";
  report.congestion = "cubic";
  report.offloads = "a \"b\"\n";
  report.direction = TransferDirection::kUpload;
  report.connections = 2;
  report.streams = 6;
  report.bytes_sent = 500'000'000;
  report.bytes_received = 1'500'000'000;
  report.elapsed = Duration::Seconds(4);
  report.cpu = {.user_seconds = 0.5, .system_seconds = 1};
  report.packets_sent = 300;
  report.packets_received = 100;
  report.send_calls = 30;
  report.receive_calls = 50;
  report.trains_sent = 20;
  report.train_packets_sent = 290;
  report.retransmissions = 7;
  return report;
}

TEST(TransferReportTest, RatiosAreOfBothDirectionsTogether) {
  const TransferReport report = Report();

  EXPECT_DOUBLE_EQ(report.goodput_mbit(), 4000);
  EXPECT_DOUBLE_EQ(report.cpu_seconds_per_gb(), 0.75);
  EXPECT_DOUBLE_EQ(report.packets_per_send_call(), 10);
  EXPECT_DOUBLE_EQ(report.packets_per_receive_call(), 2);
  EXPECT_DOUBLE_EQ(report.packets_per_call(), 5);
}

TEST(TransferReportTest, NothingIsDividedByZero) {
  const TransferReport report;

  EXPECT_EQ(report.goodput_mbit(), 0);
  EXPECT_EQ(report.cpu_seconds_per_gb(), 0);
  EXPECT_EQ(report.packets_per_call(), 0);
}

TEST(TransferReportTest, JsonHasEveryNumber) {
  EXPECT_EQ(
      Report().ToJson(),
      R"({"role": "server", "protocol": "quic", "cipher": "none", "congestion": "cubic", )"
      R"("offloads": "a \"b\"\u000a", "direction": "upload", "connections": 2, "streams": 6, )"
      R"("bytes_sent": 500000000, "bytes_received": 1500000000, "seconds": 4.000000, )"
      R"("goodput_mbit": 4000.000000, "cpu_user_seconds": 0.500000, )"
      R"("cpu_system_seconds": 1.000000, "cpu_seconds_per_gb": 0.750000, "packets_sent": 300, )"
      R"("packets_received": 100, "send_calls": 30, "receive_calls": 50, "trains_sent": 20, )"
      R"("train_packets_sent": 290, )"
      R"("packets_per_send_call": 10.000000, "packets_per_receive_call": 2.000000, )"
      R"("packets_per_call": 5.000000, "retransmissions": 7, "packets_lost": null})");
}

TEST(TransferReportTest, TextIsOneLine) {
  EXPECT_EQ(Report().ToText(),
            "quic server upload: 500000000 bytes sent, 1500000000 received in 4.000 s: "
            "4000.0 Mbit/s, 0.750 CPU s/GB, 5.0 packets a call, 7 retransmitted");
}

TEST(TransferReportTest, FileGetsTheJson) {
  const std::string path = testing::TempDir() + "/report.json";

  const absl::Status status = WriteReport(Report(), path);

  ASSERT_TRUE(status.ok()) << status;
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(), Report().ToJson() + "\n");
}

TEST(TransferReportTest, FileThatCannotBeWrittenIsNamed) {
  const absl::Status status = WriteReport(Report(), "/nowhere/report.json");

  EXPECT_EQ(status.message(), "cannot write /nowhere/report.json");
}

TEST(TransferReportTest, OldResultIsGoneBeforeANewOneIsThere) {
  const std::string path = testing::TempDir() + "/old.json";
  std::ofstream(path) << "old";

  const absl::Status status = ClearReport(path);

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(std::ifstream(path).peek(), std::ifstream::traits_type::eof());
}

TEST(TransferReportTest, PathThatCannotBeWrittenIsNamedBefore) {
  EXPECT_EQ(ClearReport("/nowhere/report.json").message(),
            "--json: cannot write /nowhere/report.json: No such file or directory");
  EXPECT_TRUE(ClearReport("").ok());
  EXPECT_TRUE(ClearReport("-").ok());
}

TEST(TransferReportTest, CpuTimeOfWorkIsSeen) {
  const CpuTime before = CpuTime::Now();
  volatile uint64_t sum = 0;
  while ((CpuTime::Now() - before).total_seconds() <= 0) sum = sum + 1;

  EXPECT_GT((CpuTime::Now() - before).total_seconds(), 0);
}

}  // namespace
}  // namespace godwit
