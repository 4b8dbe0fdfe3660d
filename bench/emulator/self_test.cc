// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/self_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/emulator/lateness.h"
#include "bench/emulator/link_router.h"
#include "bench/emulator/namespace_lab.h"
#include "bench/emulator/prompt_wait.h"
#include "godwit/bandwidth.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr int64_t kOfferedMegabits[] = {1, 10, 50, 100, 200};
constexpr Duration kRunTime = Duration::Seconds(3);
constexpr Duration kDelay = Duration::Milliseconds(20);
constexpr size_t kPayloadBytes = 1'400;
constexpr size_t kPacketBytes = kPayloadBytes + 28;  // IPv4 and UDP.
constexpr uint16_t kPort = 7'777;

struct TrafficResult {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t early = 0;  // By more than the microsecond that clocks may differ.
  Lateness lateness;
};

int64_t RealtimeNanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

absl::StatusOr<FileDescriptor> OpenReceiver(const NamespaceLab& lab) {
  FileDescriptor fd;
  const absl::Status status = lab.InPlace(LabPlace::kServer, [&fd]() {
    fd = FileDescriptor(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    const int buffer_bytes = 8 << 20;
    setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    return bound == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot bind");
  });
  if (!status.ok()) return status;
  return fd;
}

absl::StatusOr<FileDescriptor> OpenSender(const NamespaceLab& lab) {
  FileDescriptor fd;
  const absl::Status status = lab.InPlace(LabPlace::kClient, [&]() {
    fd = FileDescriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    inet_pton(AF_INET, lab.ipv4(LabPlace::kServer).c_str(), &address.sin_addr);
    const int connected =
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    return connected == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot connect");
  });
  if (!status.ok()) return status;
  return fd;
}

// Takes what waits. A datagram begins with the time when it was sent; the kernel says when it came.
void ReceiveWaiting(int fd, TrafficResult& result) {
  while (true) {
    int64_t sent_ns = 0;
    iovec part = {&sent_ns, sizeof(sent_ns)};
    alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(timespec))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    if (recvmsg(fd, &message, MSG_DONTWAIT) < 0) return;
    const cmsghdr* const stamp = CMSG_FIRSTHDR(&message);
    if (stamp == nullptr) continue;
    timespec came = {};
    std::memcpy(&came, CMSG_DATA(stamp), sizeof(came));
    const Duration late = Duration::Seconds(came.tv_sec) + Duration::Nanoseconds(came.tv_nsec) -
                          Duration::Nanoseconds(sent_ns) - kDelay;
    ++result.received;
    if (late < -Duration::Microseconds(1)) ++result.early;
    result.lateness.Add(late);
  }
}

void SendAndReceive(int sender, int receiver, Bandwidth offered, TrafficResult& result) {
  AskForPromptWakeups();
  const Timestamp start = MonotonicClock::Now();
  std::vector<uint8_t> payload(kPayloadBytes);
  for (Timestamp due = start; due < start + kRunTime; due += offered.TimeToSend(kPacketBytes)) {
    ReceiveWaiting(receiver, result);
    while (MonotonicClock::Now() < due) {
      WaitForInput({}, due);
    }
    const int64_t now_ns = RealtimeNanoseconds();
    std::memcpy(payload.data(), &now_ns, sizeof(now_ns));
    if (send(sender, payload.data(), payload.size(), 0) > 0) ++result.sent;
  }
  const Timestamp end = MonotonicClock::Now() + kDelay + Duration::Milliseconds(500);
  while (MonotonicClock::Now() < end) {
    WaitForInput({receiver}, end);
    ReceiveWaiting(receiver, result);
  }
}

Duration CpuTimeOfThread() {
  timespec used = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return Duration::Seconds(used.tv_sec) + Duration::Nanoseconds(used.tv_nsec);
}

absl::StatusOr<std::string> RunOne(const NamespaceLab& lab, int64_t megabits, uint64_t seed) {
  absl::StatusOr<LinkEnd> client = lab.OpenLinkEnd(LabPlace::kClient);
  if (!client.ok()) return client.status();
  absl::StatusOr<LinkEnd> server = lab.OpenLinkEnd(LabPlace::kServer);
  if (!server.ok()) return server.status();
  const absl::StatusOr<FileDescriptor> sender = OpenSender(lab);
  if (!sender.ok()) return sender.status();
  const absl::StatusOr<FileDescriptor> receiver = OpenReceiver(lab);
  if (!receiver.ok()) return receiver.status();

  LinkProfile profile;
  profile.delay = kDelay;
  profile.loss = Probability::Percent(1);
  LinkRouter router({.plan = {.links = {profile, profile}, .script = {}}, .seed = seed},
                    *std::move(client), *std::move(server), MonotonicClock::Now());
  TrafficResult traffic;
  std::atomic<bool> is_done = false;
  std::thread thread([&] {
    SendAndReceive(sender->get(), receiver->get(), Bandwidth::MegabitsPerSecond(megabits), traffic);
    is_done = true;
  });
  const Duration cpu_before = CpuTimeOfThread();
  while (!is_done) {
    router.RunOnce();
    WaitForInput(
        {router.client_fd(), router.server_fd()},
        std::min(router.next_deadline(), MonotonicClock::Now() + Duration::Milliseconds(50)));
  }
  const Duration cpu = CpuTimeOfThread() - cpu_before;
  thread.join();

  const DirectionReport report = router.ReadReport(LinkDirection::kUp);
  const uint64_t lost = report.link.dropped_packets();
  const uint64_t dropped_here = report.sockets.receive_drops + report.sockets.send_failures;
  return absl::StrFormat("| %d | %u | %u | %u | %u | %d | %d | %d | %d | %u | %.0f %% |", megabits,
                         traffic.sent, lost, traffic.received, dropped_here,
                         static_cast<int64_t>(traffic.sent) -
                             static_cast<int64_t>(lost + traffic.received + dropped_here),
                         traffic.lateness.Percentile(50).ToMicroseconds(),
                         traffic.lateness.Percentile(99).ToMicroseconds(),
                         traffic.lateness.max().ToMicroseconds(), traffic.early,
                         100 * (cpu / kRunTime));
}

}  // namespace

absl::Status RunSelfTest(uint64_t seed, absl::FunctionRef<void(const std::string&)> print) {
  AskForPromptWakeups();
  const absl::StatusOr<NamespaceLab> lab = NamespaceLab::Create({});
  if (!lab.ok()) return lab.status();
  print(absl::StrFormat("Datagrams of %u bytes for %d s at each rate; delay %d ms, loss 1 %%.",
                        kPayloadBytes, static_cast<int>(kRunTime.ToSecondsDouble()),
                        kDelay.ToMilliseconds()));
  print("");
  print(
      "| Mbit/s | sent | lost by the link | received | lost by the emulator | lost by the receiver "
      "| delay error, us: median | p99 | most | too early | emulator's CPU |");
  print("|---|---|---|---|---|---|---|---|---|---|---|");
  for (const int64_t megabits : kOfferedMegabits) {
    const absl::StatusOr<std::string> row = RunOne(*lab, megabits, seed);
    if (!row.ok()) return row.status();
    print(*row);
  }
  return absl::OkStatus();
}

}  // namespace godwit
