// SPDX-License-Identifier: Apache-2.0
//
// Sends bytes to echo_server under a congestion controller of its own:
//
//   own_congestion_controller HOST PORT PIN [BYTES]
//
// The controller keeps twice what the path holds in flight: the fastest delivery of late times the
// shortest round trip. PIN is the hash of the server's public key (godwit/public_key_hash.h).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "godwit/client.h"
#include "godwit/congestion_controller.h"

namespace {

using godwit::ConnectionRef;
using godwit::StreamId;

class TwiceBdp final : public godwit::CongestionController {
 public:
  explicit TwiceBdp(const godwit::CongestionControllerParams& params)
      : max_datagram_bytes_(params.max_datagram_bytes),
        window_(godwit::InitialWindowBytes(params.max_datagram_bytes)) {
    if (params.predecessor) window_ = params.predecessor->congestion_window_bytes;
  }

  std::string_view name() const override { return "twice_bdp"; }
  void OnFeedback(const godwit::CongestionFeedback& feedback) override {
    if (feedback.is_persistent_congestion) {
      rate_ = {};
      window_ = godwit::MinWindowBytes(max_datagram_bytes_);
    }
    if (!feedback.rate_sample) return;
    // Once a round trip, a little is forgotten, so that a path that became slower is noticed.
    if (feedback.is_round_start) rate_ = rate_ * godwit::Ratio{15, 16};
    rate_ = std::max(rate_, feedback.rate_sample->delivery_rate);
    const uint64_t floor = 4 * max_datagram_bytes_;
    window_ = std::max(2 * rate_.BytesIn(feedback.rtt.min), floor);
  }
  void OnMaxDatagramBytesChanged(uint64_t bytes) override { max_datagram_bytes_ = bytes; }
  uint64_t congestion_window_bytes() const override { return window_; }
  // Its window alone limits it.
  godwit::Bandwidth pacing_rate() const override { return godwit::Bandwidth::Infinite(); }
  uint64_t send_quantum_bytes() const override { return 10 * max_datagram_bytes_; }
  godwit::CongestionHandover Handover() const override {
    return {.congestion_window_bytes = window_, .bandwidth_estimate = rate_};
  }

 private:
  uint64_t max_datagram_bytes_;
  uint64_t window_;
  godwit::Bandwidth rate_;
};

class TwiceBdpFactory final : public godwit::CongestionControllerFactory {
  std::unique_ptr<godwit::CongestionController> Make(
      const godwit::CongestionControllerParams& params) const override {
    return std::make_unique<TwiceBdp>(params);
  }
};

class Sender final : public godwit::EventHandler {
 public:
  explicit Sender(uint64_t bytes) : bytes_(bytes) {}
  bool is_over = false, is_complete = false;

  void OnConnected(ConnectionRef connection) override {
    const auto stream = connection.OpenStream(godwit::StreamDirection::kBidirectional);
    if (stream.ok()) SendMore(connection, *stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    SendMore(connection, stream);
  }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    while (true) {
      const auto read = connection.Read(stream, buffer_);
      if (!read.ok()) return;
      echoed_ += read->bytes;
      if (read->is_end) return Report(connection);
      if (read->bytes == 0) return;
    }
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    OnStreamReadable(connection, stream);
  }
  void OnClosed(ConnectionRef, const godwit::CloseReason&) override { is_over = true; }

 private:
  void SendMore(ConnectionRef& connection, StreamId stream) {
    const std::string chunk(65'536, 'g');
    while (sent_ < bytes_) {
      const auto wanted = std::min<uint64_t>(chunk.size(), bytes_ - sent_);
      const auto taken = connection.Write(stream, std::string_view(chunk).substr(0, wanted));
      if (!taken.ok()) return;
      sent_ += *taken;
      if (*taken < wanted) return;  // OnStreamWritable() follows.
    }
    static_cast<void>(connection.Finish(stream));
  }

  void Report(ConnectionRef& connection) {
    const auto stats = connection.Stats();
    if (!stats.ok()) return;
    is_complete = echoed_ == bytes_;
    std::printf("%llu bytes came back; %s: window %llu bytes, rtt %.3f ms, %llu packets lost\n",
                static_cast<unsigned long long>(echoed_),
                std::string(stats->congestion_controller).c_str(),
                static_cast<unsigned long long>(stats->congestion_window_bytes),
                1e3 * stats->smoothed_rtt.ToSecondsDouble(),
                static_cast<unsigned long long>(stats->packets_lost));
    static_cast<void>(connection.Close(0, ""));
  }

  const uint64_t bytes_;
  uint64_t sent_ = 0;
  uint64_t echoed_ = 0;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(65'536);
};

}  // namespace

int main(int argc, char** argv) {
  const auto pin = godwit::PublicKeyHash::FromHex(argc > 3 ? argv[3] : "");
  if (!pin.has_value()) {
    std::fprintf(stderr, "usage: %s HOST PORT PIN [BYTES]\n", argv[0]);
    return 2;
  }
  static const TwiceBdpFactory factory;
  godwit::ClientConfig config;
  const absl::Status registered =
      config.endpoint.congestion_controllers.Register("twice_bdp", &factory);
  if (!registered.ok()) return std::fprintf(stderr, "%s\n", registered.ToString().c_str()), 1;
  config.endpoint.congestion_controller = "twice_bdp";
  config.tls.application_protocols = {"echo"};
  config.tls.server_verification = godwit::PeerVerification::PinnedKeys({*pin});
  Sender sender(argc > 4 ? static_cast<uint64_t>(std::atoll(argv[4])) : 10'000'000);
  auto client = godwit::Client::Create(config, &sender);
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  (*client)->Dial(argv[1], static_cast<uint16_t>(std::atoi(argv[2])), [&](auto connection) {
    if (connection.ok()) return;
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    sender.is_over = true;
  });
  while (!sender.is_over) (*client)->RunOnce(godwit::Timestamp::Infinite());
  return sender.is_complete ? 0 : 1;
}
