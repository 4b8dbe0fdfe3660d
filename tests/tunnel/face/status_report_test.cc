// SPDX-License-Identifier: Apache-2.0
#include "tunnel/status_report.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

TunnelFacts Facts() {
  return {.role = "client", .endpoint = "example.org:4433", .process_id = 7, .tun = std::nullopt};
}

TunnelStatus Connected() {
  TunnelStatus status;
  status.is_up = true;
  status.up_for = Duration::Seconds(125);
  status.connections = 2;
  status.flows_opened = 40;
  status.bytes = {.bytes_to_peer = 1'500'000, .bytes_from_peer = 2'000};
  TunnelPeerStatus peer;
  peer.address = SocketAddress::Parse("192.0.2.1:4433").value();
  peer.connected_for = Duration::Seconds(125);
  peer.transport.smoothed_rtt = Duration::Microseconds(51'200);
  peer.transport.packets_sent = 200;
  peer.transport.packets_lost = 3;
  peer.transport.max_datagram_bytes = 1'452;
  peer.transport.congestion_controller = "cubic";
  peer.bytes = status.bytes;
  peer.tcp_flows = 3;
  peer.udp_flows = 1;
  status.peers.push_back(peer);
  return status;
}

std::string Described(const TunnelFacts& facts, const TunnelStatus& status) {
  const auto text = DescribeStatusJson(StatusJson(facts, status));
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

TEST(StatusReportTest, JsonHasTheFigures) {
  EXPECT_THAT(StatusJson(Facts(), Connected()),
              AllOf(HasSubstr("\"role\": \"client\""), HasSubstr("\"is_up\": true"),
                    HasSubstr("\"rtt_ms\": 51.2"), HasSubstr("\"loss_percent\": 1.5"),
                    HasSubstr("\"address\": \"192.0.2.1:4433\""), HasSubstr("\"tcp_flows\": 3"),
                    HasSubstr("\"key\": \"SHA256:0000"), HasSubstr("\"mtu\": 1452")));
}

TEST(StatusReportTest, TrainsAndMarksAreForPrograms) {
  TunnelStatus status = Connected();
  ConnectionStats& transport = status.peers[0].transport;
  transport.datagrams_sent = 211;
  transport.trains_sent = 12;
  transport.train_datagrams_sent = 193;
  transport.ect0_packets_received = 41;
  transport.ect1_packets_received = 42;
  transport.ce_packets_received = 43;

  EXPECT_THAT(
      StatusJson(Facts(), status),
      AllOf(HasSubstr("\"datagrams_sent\": 211"), HasSubstr("\"trains_sent\": 12"),
            HasSubstr("\"train_datagrams_sent\": 193"), HasSubstr("\"ect0_packets_received\": 41"),
            HasSubstr("\"ect1_packets_received\": 42"), HasSubstr("\"ce_packets_received\": 43")));
  const auto figure = [](const std::string& name, int value) {
    return ContainsRegex("\ngodwit_tunnel_peer_" + name + "\\{[^}]*\\} " + std::to_string(value) +
                         "\n");
  };
  EXPECT_THAT(
      PrometheusText(Facts(), status),
      AllOf(figure("datagrams_sent_total", 211), figure("trains_sent_total", 12),
            figure("train_datagrams_sent_total", 193), figure("ect0_packets_received_total", 41),
            figure("ect1_packets_received_total", 42), figure("ce_packets_received_total", 43)));
}

TEST(StatusReportTest, PeopleReadTheSame) {
  EXPECT_THAT(
      Described(Facts(), Connected()),
      AllOf(HasSubstr("client example.org:4433 (process 7): up for 2m05s\n"),
            HasSubstr("peer SHA256:0000"), HasSubstr("at 192.0.2.1:4433"), HasSubstr("rtt 51.2 ms"),
            HasSubstr("loss 1.50 %"), HasSubstr("mtu 1452, cubic"),
            HasSubstr("sent 1.5 MB, received 2.0 kB"), HasSubstr("3 TCP, 1 UDP"),
            Not(HasSubstr("last error")), Not(HasSubstr("wait"))));
}

TEST(StatusReportTest, AClientWithoutAConnectionSaysWhy) {
  TunnelStatus status;
  status.last_error = "no answer \xff";
  status.waiting = 4;

  EXPECT_THAT(Described(Facts(), status),
              AllOf(HasSubstr("not connected\n"), HasSubstr("4 connections wait"),
                    HasSubstr("last error: no answer")));
}

TEST(StatusReportTest, RemoteForwardsHaveTheirAnswers) {
  TunnelStatus status = Connected();
  RemoteForwardStatus remote;
  remote.forward = {ForwardProtocol::kTcp, {"127.0.0.1", 80}, {"localhost", 8080}};
  status.remote_forwards.push_back(remote);
  remote.is_answered = true;
  remote.status = ReplyStatus::kNotAllowed;
  remote.text = "add --allow-bind 127.0.0.1:80";
  status.remote_forwards.push_back(remote);

  EXPECT_THAT(Described(Facts(), status),
              AllOf(HasSubstr("-R 127.0.0.1:80:localhost:8080: not answered yet\n"),
                    HasSubstr(": add --allow-bind 127.0.0.1:80\n")));
}

TEST(StatusReportTest, ATunIsShownWithItsLimit) {
  TunnelFacts facts = Facts();
  facts.tun = {"tun0", "10.7.0.1/24"};

  EXPECT_THAT(Described(facts, Connected()),
              HasSubstr("tun tun0 10.7.0.1/24: does not repair loss; -L and -D do"));
}

TEST(StatusReportTest, WordsOfOthersMoveNoCursor) {
  TunnelStatus status;
  status.last_error =
      "a\x1b]0;b\x07 \xc2\x9b"
      "2J\rc\xc3\xa4";

  EXPECT_THAT(Described(Facts(), status), HasSubstr("last error: a?]0;b? ??2J?c\xc3\xa4\n"));
}

TEST(StatusReportTest, PrometheusHasNoTwoValuesWithTheSameLabels) {
  TunnelStatus status = Connected();
  status.peers.push_back(status.peers[0]);
  status.peers[0].tcp_flows = 70;
  status.peers[1].tcp_flows = 71;
  status.peers[1].connected_for = Duration::Seconds(1);

  const std::string text = PrometheusText(Facts(), status);

  EXPECT_THAT(text, ContainsRegex("peer_tcp_flows\\{[^}]*\\} 71\n"));
  EXPECT_THAT(text, Not(ContainsRegex("peer_tcp_flows\\{[^}]*\\} 70\n")));
}

TEST(StatusReportTest, WhatIsNoStatusIsRefused) {
  for (const char* text : {"", "x", "[]", "1", "{\"role\": 1}", "{\"peers\": [1]}"}) {
    EXPECT_FALSE(DescribeStatusJson(text).ok()) << text;
  }
  EXPECT_TRUE(DescribeStatusJson("{}").ok());
}

TEST(StatusReportTest, PrometheusHasAFamilyForEachFigure) {
  EXPECT_THAT(
      PrometheusText(Facts(), Connected()),
      AllOf(HasSubstr("# TYPE godwit_tunnel_up gauge\ngodwit_tunnel_up{role=\"client\"} 1\n"),
            HasSubstr("godwit_tunnel_flow_bytes_total{role=\"client\",direction=\"to_peer\"} "
                      "1500000\n"),
            HasSubstr("godwit_tunnel_peer_rtt_seconds{key=\"SHA256:0000"),
            HasSubstr(",address=\"192.0.2.1:4433\"} 0.0512\n"),
            HasSubstr(",address=\"192.0.2.1:4433\"} 200\n")));
}

TEST(StatusReportTest, TheLiveLineHasRatesOfTheLastInterval) {
  StatsLine line;
  TunnelStatus status = Connected();
  EXPECT_THAT(line.Next(status, Timestamp::FromNanoseconds(0)),
              AllOf(HasSubstr("rtt 51.2 ms"), HasSubstr("up 0.0 kbit/s"), HasSubstr("4 streams"),
                    HasSubstr("mtu 1452"), HasSubstr("192.0.2.1:4433")));

  status.bytes.bytes_to_peer += 250'000;
  status.bytes.bytes_from_peer += 250;
  status.peers[0].transport.packets_sent += 100;
  status.peers[0].transport.packets_lost += 25;

  EXPECT_THAT(
      line.Next(status, Timestamp::FromNanoseconds(2'000'000'000)),
      AllOf(HasSubstr("loss 25.00 %"), HasSubstr("up 1.0 Mbit/s"), HasSubstr("down 1.0 kbit/s")));
}

TEST(StatusReportTest, ALiveLineSurvivesAPeerThatIsGone) {
  StatsLine line;
  line.Next(Connected(), Timestamp::FromNanoseconds(0));
  TunnelStatus status = Connected();
  status.peers[0].transport.packets_sent = 10;
  status.peers[0].transport.packets_lost = 1;

  EXPECT_THAT(line.Next(status, Timestamp::FromNanoseconds(1'000'000'000)),
              HasSubstr("loss 10.00 %"));
  status.peers.clear();
  EXPECT_EQ(line.Next(status, Timestamp::FromNanoseconds(2'000'000'000)), "no clients");
  status.peers.resize(3);
  EXPECT_THAT(line.Next(status, Timestamp::FromNanoseconds(3'000'000'000)),
              HasSubstr("and 2 more"));
}

TEST(StatusReportTest, FiguresAreShort) {
  EXPECT_EQ(DescribeBytes(999), "999 B");
  EXPECT_EQ(DescribeBytes(1'000), "1.0 kB");
  EXPECT_EQ(DescribeBytes(999'999), "1.0 MB");
  EXPECT_EQ(DescribeBytes(UINT64_MAX), "18.4 EB");
  EXPECT_EQ(DescribeRate(125'000'000, Duration::Seconds(1)), "1.00 Gbit/s");
  EXPECT_EQ(DescribeRate(1, Duration::Zero()), "0.0 kbit/s");
  EXPECT_EQ(DescribeDuration(Duration::Milliseconds(850)), "850ms");
  EXPECT_EQ(DescribeDuration(Duration::Seconds(59)), "59s");
  EXPECT_EQ(DescribeDuration(Duration::Seconds(3'725)), "1h02m");
  EXPECT_EQ(DescribeDuration(Duration::Seconds(90'000)), "1d01h");
}

}  // namespace
}  // namespace godwit::tunnel
