// SPDX-License-Identifier: Apache-2.0
//
// LoggingController: an application's congestion controller with constant outputs that notes what
// it is told, in order.
#ifndef GODWIT_TESTS_TRANSPORT_PATH_LOGGING_CONTROLLER_H_
#define GODWIT_TESTS_TRANSPORT_PATH_LOGGING_CONTROLLER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

struct ControllerLog {
  std::vector<std::string> calls;
  std::vector<CongestionFeedback> feedbacks;
  std::vector<TransmittedPacket> sent;
  std::vector<CongestionControllerParams> made;
};

class LoggingController final : public CongestionController {
 public:
  struct Outputs {
    uint64_t window_bytes = 100'000;
    Bandwidth rate = Bandwidth::Infinite();
    uint64_t quantum_bytes = 20'000;
  };
  LoggingController(const Outputs& outputs, ControllerLog* log) : outputs_(outputs), log_(log) {}

  std::string_view name() const override { return "logging"; }
  void OnPacketSent(const TransmittedPacket& packet) override {
    log_->calls.push_back("sent");
    log_->sent.push_back(packet);
  }
  void OnFeedback(const CongestionFeedback& feedback) override {
    log_->calls.push_back("feedback");
    log_->feedbacks.push_back(feedback);
  }
  void OnAppLimited(Timestamp, uint64_t bytes_in_flight) override {
    log_->calls.push_back("app_limited " + std::to_string(bytes_in_flight));
  }
  void OnRestartFromIdle(Timestamp) override { log_->calls.push_back("restart"); }
  void OnMaxDatagramBytesChanged(uint64_t bytes) override {
    log_->calls.push_back("max_datagram " + std::to_string(bytes));
  }
  uint64_t congestion_window_bytes() const override { return outputs_.window_bytes; }
  Bandwidth pacing_rate() const override { return outputs_.rate; }
  uint64_t send_quantum_bytes() const override { return outputs_.quantum_bytes; }
  CongestionHandover Handover() const override {
    return {.congestion_window_bytes = outputs_.window_bytes, .is_in_recovery = true};
  }

 private:
  Outputs outputs_;
  ControllerLog* log_;
};

class LoggingFactory final : public CongestionControllerFactory {
 public:
  explicit LoggingFactory(ControllerLog* log) : log_(log) {}
  LoggingFactory(ControllerLog* log, const LoggingController::Outputs& outputs)
      : outputs_(outputs), log_(log) {}

  std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const override {
    log_->made.push_back(params);
    return std::make_unique<LoggingController>(outputs_, log_);
  }

 private:
  LoggingController::Outputs outputs_;
  ControllerLog* log_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_PATH_LOGGING_CONTROLLER_H_
