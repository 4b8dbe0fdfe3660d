// SPDX-License-Identifier: Apache-2.0
//
// What this machine can do at most: seals, masks and sends trains of packets on one side, receives,
// unmasks and opens them on the other, and does nothing else: no acknowledgments, no flow or
// congestion control. The sender sends as fast as its socket takes it, so what the receiver cannot
// keep up with is lost: each side's numbers are of what it did itself. See --help.

#include <poll.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "bench/limit_packets.h"
#include "bench/transfer_options.h"
#include "bench/transfer_process.h"
#include "bench/transfer_report.h"
#include "godwit/datagram.h"
#include "godwit/four_tuple.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "godwit/udp_socket_config.h"
#include "platform/datagram_batch.h"
#include "platform/monotonic_clock.h"
#include "platform/offload_report.h"
#include "platform/udp_socket.h"

namespace godwit {
namespace {

// Until the server has answered the end: the first ones may meet a full receive buffer.
constexpr int kEndTries = 100;
constexpr Duration kEndInterval = Duration::Milliseconds(20);
// Answers may be lost as well.
constexpr int kAnswers = 3;
constexpr Duration kSilence = Duration::Seconds(5);

// The server's answer to the end: how many packets it has received.
constexpr size_t kAnswerBytes = 8;

bool WaitFor(const UdpSocket& socket, short events, std::optional<Duration> timeout) {
  pollfd poll_fd = {.fd = socket.fd(), .events = events, .revents = 0};
  const int timeout_ms = timeout ? static_cast<int>(timeout->ToMilliseconds()) : -1;
  return poll(&poll_fd, 1, timeout_ms) > 0;
}

void SendAll(UdpSocket& socket, const Transmit& transmit) {
  while (socket.Send({&transmit, 1}).is_blocked) WaitFor(socket, POLLOUT, std::nullopt);
}

TransferReport NewReport(const TransferOptions& options, const UdpSocket& socket) {
  const OffloadReport offloads = socket.offload_report();
  const auto state = [](OffloadState one) { return std::string(ToString(one)); };
  TransferReport report;
  report.role = options.role;
  report.protocol = "sealed-udp";
  report.cipher = "TLS_AES_128_GCM_SHA256";
  report.congestion = "none";
  report.direction = TransferDirection::kUpload;
  report.connections = 1;
  report.streams = 1;
  report.offloads = absl::StrCat("gso ", state(offloads.gso), ", gro ", state(offloads.gro));
  return report;
}

class LimitClient {
 public:
  LimitClient(UdpSocket socket, const TransferOptions& options)
      : socket_(std::move(socket)), options_(options) {}

  absl::Status Run() {
    const Timestamp begin = MonotonicClock::Now();
    const CpuTime cpu_before = CpuTime::Now();
    while (MonotonicClock::Now() < begin + options_.duration && sealer_.CanSealTrain()) {
      Send(sealer_.SealTrain());
    }
    TransferReport report = NewReport(options_, socket_);
    report.elapsed = MonotonicClock::Now() - begin;
    report.cpu = CpuTime::Now() - cpu_before;
    report.packets_sent = socket_.stats().datagrams_sent;
    report.send_calls = socket_.stats().send_calls;
    report.trains_sent = socket_.stats().trains_sent;
    report.train_packets_sent = socket_.stats().train_datagrams_sent;
    report.bytes_sent = report.packets_sent * kLimitPayloadBytes;
    const std::optional<uint64_t> arrived = AskWhatArrived();
    if (!arrived) return absl::UnavailableError("the server does not answer");
    if (*arrived > report.packets_sent) return absl::InternalError("more arrived than was sent");
    report.packets_lost = report.packets_sent - *arrived;
    return WriteReport(report, options_.json_path);
  }

 private:
  void Send(std::span<const uint8_t> train) {
    const FourTuple four_tuple = {.local = socket_.local_address(), .peer = options_.address};
    SendAll(socket_,
            {.payload = train, .segment_size = kLimitPacketBytes, .four_tuple = four_tuple});
  }

  std::optional<uint64_t> AskWhatArrived() {
    DatagramBatch batch;
    for (int i = 0; i < kEndTries; ++i) {
      Send(sealer_.SealEnd());
      if (!WaitFor(socket_, POLLIN, kEndInterval)) continue;
      for (const ReceivedDatagram& answer : socket_.Receive(batch, MonotonicClock::Now())) {
        if (answer.payload.size() != kAnswerBytes) continue;
        uint64_t count = 0;
        for (const uint8_t byte : answer.payload) count = count << 8 | byte;
        return count;
      }
    }
    return std::nullopt;
  }

  UdpSocket socket_;
  TransferOptions options_;
  LimitSealer sealer_;
};

class LimitServer {
 public:
  LimitServer(UdpSocket socket, const TransferOptions& options)
      : socket_(std::move(socket)), options_(options) {}

  // One client, from its first packet to its end.
  absl::Status Serve() {
    const UdpSocketStats stats_before = socket_.stats();
    LimitOpener::Opened total;
    Timestamp begin;
    Timestamp end;
    CpuTime cpu_before;
    FourTuple client;
    while (!total.has_ended) {
      const std::span<ReceivedDatagram> datagrams = socket_.Receive(batch_, MonotonicClock::Now());
      if (datagrams.empty()) {
        const bool has_begun = total.packets > 0;
        if (!WaitFor(socket_, POLLIN, has_begun ? std::optional(kSilence) : std::nullopt)) {
          return absl::UnavailableError("the client fell silent");
        }
        continue;
      }
      if (total.packets == 0) {
        begin = MonotonicClock::Now();
        cpu_before = CpuTime::Now();
      }
      client = datagrams.back().four_tuple;
      const LimitOpener::Opened opened = opener_.Open(datagrams);
      total.packets += opened.packets;
      total.refused += opened.refused;
      total.has_ended = opened.has_ended && total.packets > 0;
      if (opened.packets > 0) end = MonotonicClock::Now();
    }
    Answer(client, total.packets);
    TransferReport report = NewReport(options_, socket_);
    report.elapsed = end - begin;
    report.cpu = CpuTime::Now() - cpu_before;
    report.packets_received = total.packets;
    report.receive_calls = socket_.stats().receive_calls - stats_before.receive_calls;
    report.bytes_received = total.packets * kLimitPayloadBytes;
    if (total.refused > 0) {
      return absl::InternalError(absl::StrCat(total.refused, " packets could not be opened"));
    }
    return WriteReport(report, options_.json_path);
  }

 private:
  void Answer(const FourTuple& client, uint64_t packet_count) {
    std::array<uint8_t, kAnswerBytes> answer;
    for (size_t i = 0; i < answer.size(); ++i) {
      answer[i] = static_cast<uint8_t>(packet_count >> (8 * (answer.size() - 1 - i)));
    }
    for (int i = 0; i < kAnswers; ++i) {
      SendAll(socket_, {.payload = answer, .segment_size = answer.size(), .four_tuple = client});
    }
  }

  UdpSocket socket_;
  TransferOptions options_;
  LimitOpener opener_;
  DatagramBatch batch_;
};

absl::Status Run(const TransferOptions& options) {
  UdpSocketConfig config;
  if (options.role == TransferRole::kServer) {
    config.local = options.address;
  } else if (options.address.is_ipv4()) {
    config.local = SocketAddress();
  }
  absl::StatusOr<UdpSocket> socket = UdpSocket::Open(config);
  if (!socket.ok()) return socket.status();
  if (options.role == TransferRole::kClient) {
    return LimitClient(*std::move(socket), options).Run();
  }
  AnnounceListening(socket->local_address());
  LimitServer server(*std::move(socket), options);
  while (true) {
    const absl::Status status = server.Serve();
    if (options.once) return status;
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  return godwit::RunTransferProgram(godwit::TransferProgram::kLimit, argc, argv, godwit::Run);
}
