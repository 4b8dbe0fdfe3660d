// SPDX-License-Identifier: Apache-2.0
#include "bench/cpu_time.h"

#include <sys/resource.h>
#include <sys/time.h>

#include "base/check.h"

namespace godwit {
namespace {

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

CpuTime CpuTime::Now() {
  rusage usage = {};
  GODWIT_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return {SecondsOf(usage.ru_utime), SecondsOf(usage.ru_stime)};
}

}  // namespace godwit
