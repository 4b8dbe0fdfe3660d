// SPDX-License-Identifier: Apache-2.0
//
// Sealing, opening and header protection. Every iteration handles a train of 44 packets; the
// counter "packet" is the time for one. Compare it with bare_aead of the same cipher and size in
// the same run:
//
//   bazel run --config=opt //bench:crypto_bench
//
// crypto_instructions counts the instructions of the same work.

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "bench/crypto_workload.h"
#include "crypto/cipher_suite.h"

namespace godwit {
namespace {

// With and without the room that IPv6 and UDP headers and tunnels take from 1500 bytes, and a jumbo
// frame.
constexpr size_t kPacketSizes[] = {1200, 1452, 8900};

void SetPacketTime(benchmark::State& state) {
  state.counters["packet"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kTrainPackets,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Seal(benchmark::State& state, CipherSuite suite, size_t packet_bytes, Protection protection) {
  SealWorkload workload(suite, packet_bytes);
  for (auto _ : state) {
    workload.Run(protection);
    benchmark::ClobberMemory();
  }
  SetPacketTime(state);
}

double ThreadCpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The time in which the sealed packets are put back is not counted, nor is what other processes
// take on a busy machine.
void Open(benchmark::State& state, CipherSuite suite, size_t packet_bytes, Protection protection) {
  OpenWorkload workload(suite, packet_bytes);
  for (auto _ : state) {
    workload.Restore(protection);
    const double start = ThreadCpuSeconds();
    workload.Run(protection);
    benchmark::ClobberMemory();
    state.SetIterationTime(ThreadCpuSeconds() - start);
  }
  SetPacketTime(state);
}

// `source_bytes`: of the application's memory that the stream data comes from, in turn.
void SealFromElsewhere(benchmark::State& state, CipherSuite suite, size_t packet_bytes,
                       size_t source_bytes, bool copies_first) {
  SealWorkload workload(suite, packet_bytes);
  const std::vector<uint8_t> source(source_bytes, 0x5a);
  for (auto _ : state) {
    workload.RunFromElsewhere(source, copies_first);
    benchmark::ClobberMemory();
  }
  SetPacketTime(state);
}

void HeaderSingle(benchmark::State& state, CipherSuite suite) {
  HeaderWorkload workload(suite);
  for (auto _ : state) {
    workload.RunSingle();
    benchmark::ClobberMemory();
  }
  SetPacketTime(state);
}

void HeaderTrain(benchmark::State& state, CipherSuite suite) {
  HeaderWorkload workload(suite);
  for (auto _ : state) {
    workload.RunTrain();
    benchmark::ClobberMemory();
  }
  SetPacketTime(state);
}

void RegisterSuite(CipherSuite suite) {
  const std::string cipher = "/" + std::string(ShortName(suite)) + "/";
  for (const size_t bytes : kPacketSizes) {
    for (const Protection protection : kProtections) {
      const std::string name = cipher + std::to_string(bytes) + "/";
      benchmark::RegisterBenchmark(("seal" + name + std::string(ToString(protection))).c_str(),
                                   Seal, suite, bytes, protection);
      benchmark::RegisterBenchmark(("open" + name + std::string(ToString(protection))).c_str(),
                                   Open, suite, bytes, protection)
          ->UseManualTime();
    }
  }
  constexpr size_t kInCache = size_t{1} << 18;
  constexpr size_t kOutOfCache = size_t{1} << 26;
  for (const bool copies_first : {true, false}) {
    const std::string name = "seal_from_elsewhere" + cipher + (copies_first ? "copy" : "tail");
    benchmark::RegisterBenchmark((name + "/cached").c_str(), SealFromElsewhere, suite, 1452,
                                 kInCache, copies_first);
    benchmark::RegisterBenchmark((name + "/uncached").c_str(), SealFromElsewhere, suite, 1452,
                                 kOutOfCache, copies_first);
  }
  benchmark::RegisterBenchmark(("header" + cipher + "single").c_str(), HeaderSingle, suite);
  benchmark::RegisterBenchmark(("header" + cipher + "train").c_str(), HeaderTrain, suite);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  for (const godwit::CipherSuite suite : godwit::kBenchSuites) godwit::RegisterSuite(suite);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
