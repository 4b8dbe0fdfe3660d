// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/link_router.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr LinkDirection Opposite(LinkDirection direction) {
  return direction == LinkDirection::kUp ? LinkDirection::kDown : LinkDirection::kUp;
}

}  // namespace

LinkRouter::LinkRouter(LinkRouterConfig config, LinkEnd client, LinkEnd server, Timestamp start)
    : config_(std::move(config)),
      start_(start),
      ends_{std::move(client), std::move(server)},
      links_{LinkModel(config_.plan.link(LinkDirection::kUp),
                       SeedOfLink(LinkDirection::kUp, config_.seed)),
             LinkModel(config_.plan.link(LinkDirection::kDown),
                       SeedOfLink(LinkDirection::kDown, config_.seed))} {}

void LinkRouter::RunOnce() {
  for (const LinkDirection direction : kLinkDirections) Receive(direction);
  const Timestamp now = MonotonicClock::Now();
  RunScript(now);
  for (const LinkDirection direction : kLinkDirections) Deliver(direction, now);
}

Timestamp LinkRouter::next_deadline() const {
  Timestamp deadline = Timestamp::Infinite();
  for (const LinkModel& link : links_) deadline = std::min(deadline, link.next_deadline());
  if (next_step_ < config_.plan.script.size()) {
    deadline = std::min(deadline, start_ + config_.plan.script[next_step_].at);
  }
  return deadline;
}

DirectionReport LinkRouter::ReadReport(LinkDirection direction) {
  const size_t index = IndexOf(direction);
  PacketSocketCounters sockets = ends_[index].socket.ReadCounters();
  sockets.send_failures = ends_[IndexOf(Opposite(direction))].socket.ReadCounters().send_failures;
  return {.link = links_[index].counters(),
          .sockets = sockets,
          .too_big_answers = too_big_answers_[index],
          .lateness = &lateness_[index]};
}

void LinkRouter::Receive(LinkDirection direction) {
  const size_t index = IndexOf(direction);
  LinkModel& link = links_[index];
  ends_[index].socket.Receive([&](std::span<const uint8_t> packet, Timestamp arrival) {
    if (config_.sent_capture != nullptr) config_.sent_capture->Write(arrival, packet);
    const Admission admission =
        link.OnPacket(std::vector<uint8_t>(packet.begin(), packet.end()), arrival);
    if (admission != Admission::kTooBig) return;
    if (link.profile().too_big_answer == TooBigAnswer::kSilent) return;
    AnswerTooBig(direction,
                 MakeTooBigMessage(packet, link.profile().mtu_bytes, ends_[index].router));
  });
}

void LinkRouter::AnswerTooBig(LinkDirection direction, const std::vector<uint8_t>& answer) {
  if (answer.empty()) return;
  // Back to where the packet came from, and not over the link: this router stands before it.
  PacketSocket& socket = ends_[IndexOf(direction)].socket;
  socket.Add(answer);
  socket.Flush();
  ++too_big_answers_[IndexOf(direction)];
}

void LinkRouter::RunScript(Timestamp now) {
  const std::vector<ScriptStep>& script = config_.plan.script;
  for (; next_step_ < script.size() && start_ + script[next_step_].at <= now; ++next_step_) {
    const ScriptStep& step = script[next_step_];
    LinkModel& link = links_[IndexOf(step.direction)];
    switch (step.kind) {
      case ScriptStep::Kind::kChangeProfile:
        link.ChangeProfile(step.profile, start_ + step.at);
        break;
      case ScriptStep::Kind::kOutage:
        link.AddOutage(start_ + step.at, step.outage_length);
        break;
      case ScriptStep::Kind::kNextClientAddress:
        if (config_.next_client_address != nullptr) config_.next_client_address();
        break;
    }
  }
}

void LinkRouter::Deliver(LinkDirection direction, Timestamp now) {
  PacketSocket& socket = ends_[IndexOf(Opposite(direction))].socket;
  LinkModel& link = links_[IndexOf(direction)];
  while (std::optional<LinkDelivery> delivery = link.PollDelivery(now)) {
    if (config_.delivered_capture != nullptr) {
      config_.delivered_capture->Write(now, delivery->packet);
    }
    due_.push_back(delivery->time);
    socket.Add(std::move(delivery->packet));
    if (socket.is_full()) now = Flush(socket, lateness_[IndexOf(direction)]);
  }
  Flush(socket, lateness_[IndexOf(direction)]);
}

Timestamp LinkRouter::Flush(PacketSocket& socket, Lateness& lateness) {
  socket.Flush();
  const Timestamp now = MonotonicClock::Now();
  for (const Timestamp due : due_) lateness.Add(now - due);
  due_.clear();
  return now;
}

}  // namespace godwit
