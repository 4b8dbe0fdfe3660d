// SPDX-License-Identifier: Apache-2.0
//
// What a packet of a bulk transfer costs the sender and the receiver, without sockets, and how much
// of that is ours: the time of the bare AEAD and of the header masks for the same bytes, measured
// in the same run between the others, is taken off. Acknowledgments are in the two sides' times.
//
//   endpoint_transfer [--cipher aes128|aes256|chacha20] [--rounds N]
//   endpoint_transfer --ticks N     N trains and nothing else, for an instruction counter
//
// Prints one line a round, in nanoseconds per full packet, and the medians at the end.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "bench/crypto_workload.h"
#include "bench/endpoint_pair.h"
#include "crypto/cipher_suite.h"

namespace godwit {
namespace {

constexpr int kWarmUpTicks = 4000;
constexpr int kTicksPerRound = 4000;
constexpr int kCryptoTrainsPerRound = 2000;
constexpr size_t kPacketBytes = 1452;

int64_t ClockNanoseconds() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

struct Round {
  double sender;
  double receiver;
  double bare_seal;  // With the masks.
  double bare_open;

  double sender_ours() const { return sender - bare_seal; }
  double receiver_ours() const { return receiver - bare_open; }
};

template <typename Work>
double PerPacket(Work work) {
  int64_t spent = 0;
  for (int i = 0; i < kCryptoTrainsPerRound; ++i) spent += work();
  return static_cast<double>(spent) / (kCryptoTrainsPerRound * static_cast<double>(kTrainPackets));
}

template <typename Work>
int64_t Timed(Work work) {
  const int64_t begin = ClockNanoseconds();
  work();
  return ClockNanoseconds() - begin;
}

Round Measure(EndpointPair& pair, CipherSuite suite) {
  Round round = {};
  HeaderWorkload headers(suite);
  const double masks = PerPacket([&] { return Timed([&] { headers.RunTrain(); }); });
  SealWorkload seal(suite, kPacketBytes);
  round.bare_seal =
      masks + PerPacket([&] { return Timed([&] { seal.Run(Protection::kBareAead); }); });
  OpenWorkload open(suite, kPacketBytes);
  round.bare_open = masks + PerPacket([&] {
                      open.Restore(Protection::kBareAead);
                      return Timed([&] { open.Run(Protection::kBareAead); });
                    });
  pair.ResetSpent();
  size_t packets = 0;
  for (int i = 0; i < kTicksPerRound; ++i) packets += pair.Tick();
  round.sender = static_cast<double>(pair.spent().sender) / static_cast<double>(packets);
  round.receiver = static_cast<double>(pair.spent().receiver) / static_cast<double>(packets);
  return round;
}

double MedianOf(const std::vector<Round>& rounds, double (*value)(const Round&)) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(value(round));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void Print(const char* name, const Round& round) {
  std::printf(
      "%-8s sender %6.1f bare %6.1f ours %6.1f | receiver %6.1f bare %6.1f ours %6.1f | "
      "ours together %6.1f\n",
      name, round.sender, round.bare_seal, round.sender_ours(), round.receiver, round.bare_open,
      round.receiver_ours(), round.sender_ours() + round.receiver_ours());
  std::fflush(stdout);
}

void PrintContext(EndpointPair& pair, size_t packets) {
  const ConnectionStats stats = pair.sender_stats();
  std::printf("packets %zu, datagram size %llu, window %llu KiB, lost %llu, ptos %llu\n", packets,
              static_cast<unsigned long long>(stats.max_datagram_bytes),
              static_cast<unsigned long long>(stats.congestion_window_bytes / 1024),
              static_cast<unsigned long long>(stats.packets_lost),
              static_cast<unsigned long long>(stats.ptos));
}

void Run(CipherSuite suite, int round_count) {
  EndpointPair pair({.suite = suite});
  pair.WarmUp(kWarmUpTicks);
  std::vector<Round> rounds;
  for (int i = 0; i < round_count; ++i) {
    rounds.push_back(Measure(pair, suite));
    Print("round", rounds.back());
  }
  const Round median = {.sender = MedianOf(rounds, [](const Round& r) { return r.sender; }),
                        .receiver = MedianOf(rounds, [](const Round& r) { return r.receiver; }),
                        .bare_seal = MedianOf(rounds, [](const Round& r) { return r.bare_seal; }),
                        .bare_open = MedianOf(rounds, [](const Round& r) { return r.bare_open; })};
  Print("median", median);
  size_t packets = 0;
  for (int i = 0; i < 100; ++i) packets += pair.Tick();
  PrintContext(pair, packets);
}

void RunTicks(CipherSuite suite, int ticks) {
  EndpointPair pair({.suite = suite});
  pair.WarmUp(kWarmUpTicks / 10);
  size_t packets = 0;
  for (int i = 0; i < ticks; ++i) packets += pair.Tick();
  PrintContext(pair, packets);
}

std::optional<CipherSuite> SuiteNamed(std::string_view name) {
  for (const CipherSuite suite : kBenchSuites) {
    if (name == ShortName(suite)) return suite;
  }
  return std::nullopt;
}

int Usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--cipher aes128|aes256|chacha20] [--rounds N | --ticks N]\n",
               program);
  return 2;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  godwit::CipherSuite suite = godwit::CipherSuite::kAes128GcmSha256;
  int rounds = 9;
  int ticks = 0;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (i + 1 == argc) return godwit::Usage(argv[0]);
    if (flag == "--cipher") {
      const auto named = godwit::SuiteNamed(argv[i + 1]);
      if (!named.has_value()) return godwit::Usage(argv[0]);
      suite = *named;
    } else if (flag == "--rounds" && std::atoi(argv[i + 1]) > 0) {
      rounds = std::atoi(argv[i + 1]);
    } else if (flag == "--ticks" && std::atoi(argv[i + 1]) > 0) {
      ticks = std::atoi(argv[i + 1]);
    } else {
      return godwit::Usage(argv[0]);
    }
  }
  if (ticks != 0) {
    godwit::RunTicks(suite, ticks);
  } else {
    godwit::Run(suite, rounds);
  }
}
