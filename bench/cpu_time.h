// SPDX-License-Identifier: Apache-2.0
//
// CpuTime: what a process has cost, read at two moments and subtracted. It measures nothing by
// itself: from when to when is the program's decision.
#ifndef GODWIT_BENCH_CPU_TIME_H_
#define GODWIT_BENCH_CPU_TIME_H_

namespace godwit {

// Of this process, the kernel's work on its behalf included.
struct CpuTime {
  double user_seconds = 0;
  double system_seconds = 0;

  static CpuTime Now();

  double total_seconds() const { return user_seconds + system_seconds; }
  friend CpuTime operator-(const CpuTime& a, const CpuTime& b) {
    return {a.user_seconds - b.user_seconds, a.system_seconds - b.system_seconds};
  }
};

}  // namespace godwit

#endif  // GODWIT_BENCH_CPU_TIME_H_
